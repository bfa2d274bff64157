"""The summary information of a package: a property set ([MS-OLEPS]), of which one number matters here."""

import struct

from keyturn.distribution.msi.damage import Damaged

WORD_COUNT = 15
NO_ELEVATION = 8
"""Bit 3 of Word Count: the author says that no administrator is needed."""

_INT_2, _INT_4 = 2, 3
_SECTION_AT = 44
_MOST_ENTRIES = 4096


def word_count(stream: bytes) -> int | None:
    """None where the stream does not say."""
    try:
        (section,) = struct.unpack_from("<I", stream, _SECTION_AT)
        _, entries = struct.unpack_from("<II", stream, section)
        if entries > _MOST_ENTRIES:
            raise Damaged(f"the summary information claims {entries} entries")
        places = dict(struct.iter_unpack("<II", stream[section + 8 : section + 8 + 8 * entries]))
        if WORD_COUNT not in places:
            return None
        kind, value = struct.unpack_from("<Hxxi", stream, section + places[WORD_COUNT])
    except struct.error:
        raise Damaged("the summary information is cut off") from None
    if kind not in (_INT_2, _INT_4):
        raise Damaged("Word Count of the summary information is no number")
    return int(value) & 0xFFFF
