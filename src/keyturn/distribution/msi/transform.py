"""What a transform changes in the Property table.

A transform holds its own strings, and for each table a stream of changed rows. A row begins with a mask of 16 bits:
0 takes the row with this key out; with bit 0 set, all columns follow, as many as the high byte says; else bit N says
whether column N follows, counted from 0, and keys always do.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keyturn.distribution.msi.damage import Damaged
from keyturn.distribution.msi.stream_names import stored_name
from keyturn.distribution.msi.strings import Strings
from keyturn.distribution.msi.tables import ReadStream

_WHOLE_ROW, _VALUE = 0x0001, 0x0002

_ALSO_JUDGED = (
    "AppSearch", "Component", "Control", "ControlEvent", "CustomAction", "Directory", "Environment", "File",
    "InstallExecuteSequence", "LaunchCondition", "ODBCDataSource", "ODBCDriver", "ODBCTranslator", "Registry",
    "ServiceInstall",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Transform:
    properties: Mapping[str, str]
    """"" takes a property out."""
    others: tuple[str, ...] = ()
    """Further tables it changes that matter for the scope."""


def read_transform(read: ReadStream) -> Transform:
    """Raises Damaged."""
    pool, data = read(stored_name("_StringPool")), read(stored_name("_StringData"))
    if pool is None or data is None:
        raise Damaged("its strings are missing")
    rows = _properties(read(stored_name("Property")) or b"", Strings(pool, data))
    others = tuple(table for table in _ALSO_JUDGED if read(stored_name(table)))
    return Transform(dict(rows), others)


def _properties(rows: bytes, strings: Strings) -> Iterator[tuple[str, str]]:
    at = 0

    def number() -> int:
        nonlocal at
        part = rows[at : at + strings.number_width]
        if len(part) < strings.number_width:
            raise Damaged("its Property rows are cut off")
        at += strings.number_width
        return int.from_bytes(part, "little")

    while at + 2 <= len(rows):
        (mask,) = struct.unpack_from("<H", rows, at)
        at += 2
        name = strings.get(number())
        follows = mask >> 8 > 1 if mask & _WHOLE_ROW else bool(mask & _VALUE)
        yield name, strings.get(number()) if follows else ""
