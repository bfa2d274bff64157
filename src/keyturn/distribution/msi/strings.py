"""The strings of a package: rows hold numbers, and two streams say what each number means.

`_StringPool` begins with the code page, whose highest bit says that numbers take three bytes, and goes on with length
and use count of each string; `_StringData` holds the strings themselves, one after the other.
"""

import struct
from array import array

from keyturn.distribution.msi.damage import Damaged

MOST_STRINGS = 1 << 20
LONG_NUMBERS = 0x8000_0000
UTF_8, WESTERN = 65001, "cp1252"


class Strings:
    """Read when asked for, once each: `get` of 0 is the empty string, as in the file."""

    def __init__(self, pool: bytes, data: bytes) -> None:
        if len(pool) < 4 or len(pool) % 4:
            raise Damaged("_StringPool is cut off")
        if len(pool) // 4 > MOST_STRINGS:
            raise Damaged(f"_StringPool names more than {MOST_STRINGS} strings")
        (header,) = struct.unpack_from("<I", pool)
        self.number_width = 3 if header & LONG_NUMBERS else 2
        self._codec = _codec(header & 0xFFFF)
        self._data = data
        self._bounds = _bounds(pool)
        if self._bounds[-1] > len(data):
            raise Damaged("_StringData is shorter than _StringPool says")
        self._known: dict[int, str] = {0: ""}

    def get(self, number: int) -> str:
        if number not in self._known:
            if number >= len(self._bounds):
                raise Damaged(f"a row names string {number}, which does not exist")
            raw = self._data[self._bounds[number - 1] : self._bounds[number]]
            self._known[number] = raw.decode(self._codec, errors="replace")
        return self._known[number]


def _bounds(pool: bytes) -> "array[int]":
    """Where string N ends in the data, by N. A used string of length 0 is a long one: 32 bits of length follow."""
    words = struct.unpack(f"<{len(pool) // 2}H", pool)
    bounds = array("Q", [0])
    entries = iter(range(2, len(words), 2))
    for at in entries:
        length, uses = words[at : at + 2]
        if length == 0 and uses:
            following = next(entries, None)
            if following is None:
                raise Damaged("_StringPool ends within a string")
            length = words[following] | words[following + 1] << 16
        bounds.append(bounds[-1] + length)
    return bounds


def _codec(code_page: int) -> str:
    name = "utf-8" if code_page == UTF_8 else f"cp{code_page}"
    try:
        "".encode(name)
    except LookupError:
        return WESTERN  # 0 is "neutral": such a package has ASCII alone
    return name
