"""Streams of a package, written by hand: what no tool would make, and what one would, without waiting for it."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keyturn.distribution.msi.stream_names import SUMMARY, stored_name
from keyturn.distribution.msi.tables import ReadStream

Row = Sequence[str | int | None]

SCHEMA: dict[str, str] = {
    "Property": "Property=s72* Value=l0",
    "CustomAction": "Action=s72* Type=i2 Source=S72 Target=S255",
    "InstallExecuteSequence": "Action=s72* Condition=S255 Sequence=I2",
    "ServiceInstall": "ServiceInstall=s72* Name=s255 ServiceType=i4",
    "ODBCDriver": "Driver=s72* Component_=s72 Description=s255",
    "ODBCDataSource": "DataSource=s72* Component_=s72 Description=s255 Registration=i2",
    "Registry": "Registry=s72* Root=i2 Key=l255",
    "Environment": "Environment=s72* Name=l255 Value=L255",
    "Directory": "Directory=s72* Directory_Parent=S72",
    "Component": "Component=s72* Directory_=s72",
    "File": "File=s72* Component_=s72",
    "LaunchCondition": "Condition=s255* Description=l255",
    "AppSearch": "Property=s72* Signature_=s72*",
    "Control": "Dialog_=s72* Control=s50* Property=S50",
    "ControlEvent": "Dialog_=s72* Control_=s50* Event=s50* Argument=s255* Condition=S255*",
}


@dataclass
class Streams:
    """`tables` in the columns of SCHEMA; `replaced` stands for whole streams, by table, None for one taken out."""

    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    word_count: int = 2
    wide: bool = False
    """Numbers of strings in three bytes."""
    code_page: int = 65001
    replaced: Mapping[str, bytes | None] = field(default_factory=dict)

    def reader(self) -> ReadStream:
        return self.made().get

    def made(self) -> dict[str, bytes]:
        strings = _StringTable(3 if self.wide else 2, self.code_page)
        streams = {stored_name(name): self._table(name, rows, strings) for name, rows in self.tables.items()}
        streams[stored_name("_Columns")] = self._columns(strings)
        streams[stored_name("_StringPool")], streams[stored_name("_StringData")] = strings.written()
        streams[SUMMARY] = summary((15, self.word_count))
        for name, stream in self.replaced.items():
            if stream is None:
                del streams[stored_name(name)]
            else:
                streams[stored_name(name)] = stream
        return streams

    def _columns(self, strings: "_StringTable") -> bytes:
        rows = [
            (table, place, name, kind)
            for table in self.tables
            for place, (name, kind) in enumerate(schema(table), start=1)
        ]
        text = strings.width
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        return b"".join(
            _packed(column, kind, strings, text) for column, kind in zip(columns, (0x0D40, 0x0502) * 2, strict=True)
        )

    def _table(self, table: str, rows: Sequence[Row], strings: "_StringTable") -> bytes:
        columns = list(zip(*rows, strict=True))
        kinds = [kind for _, kind in schema(table)]
        return b"".join(_packed(c, kind, strings, strings.width) for c, kind in zip(columns, kinds, strict=True))


def schema(table: str) -> list[tuple[str, int]]:
    """Names and types as in `_Columns`: `s` string, `l` localizable, `i` number; capitals may be empty; `*` a key."""
    found = []
    for column in SCHEMA[table].split():
        name, _, spec = column.partition("=")
        key, size = spec.endswith("*"), int(spec.strip("*")[1:])
        base = {"s": 0x0D00, "l": 0x0F00, "i": 0x0500 if size == 2 else 0x0100}[spec[0].lower()]
        found.append((name, base | size | (0x1000 if spec[0].isupper() else 0) | (0x2000 if key else 0)))
    return found


def summary(*entries: tuple[int, int]) -> bytes:
    """A property set of 32-bit numbers."""
    head = struct.pack("<HHI16xI16sI", 0xFFFE, 0, 2, 1, bytes(16), 48)
    places = b"".join(
        struct.pack("<II", number, 8 + 8 * len(entries) + 8 * at) for at, (number, _) in enumerate(entries)
    )
    values = b"".join(struct.pack("<Hxxi", 3, value) for _, value in entries)
    return head + struct.pack("<II", 8 + len(places) + len(values), len(entries)) + places + values


class _StringTable:
    def __init__(self, width: int, code_page: int) -> None:
        self.width = width
        self._code_page = code_page
        self._strings: list[str] = []

    def number(self, text: str) -> int:
        if text not in self._strings:
            self._strings.append(text)
        return self._strings.index(text) + 1

    def written(self) -> tuple[bytes, bytes]:
        codec = "utf-8" if self._code_page == 65001 else f"cp{self._code_page}"
        stored = [text.encode(codec) for text in self._strings]
        pool = struct.pack("<I", self._code_page | (0x8000_0000 if self.width == 3 else 0))
        for text in stored:
            long = len(text) > 0xFFFF
            pool += struct.pack("<HHI", 0, 1, len(text)) if long else struct.pack("<HH", len(text), 1)
        return pool, b"".join(stored)


def _packed(column: Sequence[str | int | None], kind: int, strings: _StringTable, text: int) -> bytes:
    if kind & 0x0800:
        return b"".join((strings.number(str(value)) if value else 0).to_bytes(text, "little") for value in column)
    width = 2 if kind & 0xFF == 2 else 4
    turned = 1 << 8 * width - 1
    return b"".join((int(v) + turned if v is not None else 0).to_bytes(width, "little") for v in column)
