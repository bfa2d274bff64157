"""The tables of a package. A table's rows are stored by column; `_Columns` says which it has, and of which type.

Numbers are stored with their highest bit turned over, so that 0 can mean "no value".
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from keyturn.distribution.msi.damage import Damaged
from keyturn.distribution.msi.stream_names import stored_name
from keyturn.distribution.msi.strings import Strings

MOST_ROWS = 250_000
"""Of one table. The largest packages known stay below; what claims more would only cost time."""

ReadStream: TypeAlias = Callable[[str], bytes | None]
"""The stream of a stored name; None where there is none. May raise Damaged."""

_STRING, _KEY, _NULLABLE = 0x0800, 0x2000, 0x1000
_BINARY = 0x0900


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: int
    """As in `_Columns`: flags, and the size in the low byte."""

    @property
    def is_text(self) -> bool:
        return bool(self.kind & _STRING) and self.kind & ~_NULLABLE & 0x0F00 != _BINARY

    @property
    def is_key(self) -> bool:
        return bool(self.kind & _KEY)

    def width(self, of_a_string: int) -> int:
        if self.is_text:
            return of_a_string
        return 4 if not self.kind & _STRING and self.kind & 0xFF > 2 else 2


class Tables:
    """Each column is read when it is first asked for, and kept."""

    def __init__(self, read: ReadStream) -> None:
        self._read = read
        self.strings = Strings(self._required("_StringPool"), self._required("_StringData"))
        self._schema = self._read_schema()
        self._columns: dict[tuple[str, str], Sequence[int]] = {}
        self._data: dict[str, bytes] = {}

    def __contains__(self, table: str) -> bool:
        return table in self._schema

    def texts(self, table: str, column: str) -> Iterator[str]:
        """Row by row; nothing for a table that the package does not have."""
        if table not in self._schema:
            return iter(())
        if not self._find(table, column).is_text:
            raise Damaged(f"column {column} of table {table} is no text")
        return map(self.strings.get, self._column(table, column))

    def numbers(self, table: str, column: str) -> Iterator[int]:
        """Row by row, no value as 0."""
        if table not in self._schema:
            return iter(())
        found = self._find(table, column)
        if found.is_text:
            raise Damaged(f"column {column} of table {table} is no number")
        turned = 1 << 8 * found.width(0) - 1
        return (stored - turned if stored else 0 for stored in self._column(table, column))

    def key(self, table: str, row: int) -> str:
        """The row's primary key for people, its parts joined by a slash."""
        parts = [column for column in self._schema[table] if column.is_key]
        return "/".join(self._shown(table, column, row) for column in parts)

    def _shown(self, table: str, column: Column, row: int) -> str:
        stored = self._column(table, column.name)[row]
        if column.is_text:
            return self.strings.get(stored)
        return str(stored - (1 << 8 * column.width(0) - 1))

    def _column(self, table: str, name: str) -> Sequence[int]:
        if table not in self._schema:
            return ()
        if (table, name) not in self._columns:
            self._columns[table, name] = self._load(table, self._find(table, name))
        return self._columns[table, name]

    def _load(self, table: str, wanted: Column) -> Sequence[int]:
        text = self.strings.number_width
        widths = {column.name: column.width(text) for column in self._schema[table]}
        data = self._stored(table)
        rows = _row_count(table, data, sum(widths.values()))
        before = list(widths)[: list(widths).index(wanted.name)]
        start = rows * sum(widths[name] for name in before)
        return _integers(data[start : start + rows * widths[wanted.name]], widths[wanted.name])

    def _stored(self, table: str) -> bytes:
        if table not in self._data:
            self._data[table] = self._read(stored_name(table)) or b""
        return self._data[table]

    def _find(self, table: str, name: str) -> Column:
        for column in self._schema[table]:
            if column.name == name:
                return column
        raise Damaged(f"table {table} has no column {name}")

    def _read_schema(self) -> dict[str, list[Column]]:
        """`_Columns` itself is fixed: the table, the column's place from 1, its name, its type."""
        text = self.strings.number_width
        data = self._required("_Columns")
        rows = _row_count("_Columns", data, 2 * text + 4)
        ends = [rows * width for width in (text, text + 2, 2 * text + 2, 2 * text + 4)]
        parts = [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        tables, places, names, kinds = (
            _integers(part, width) for part, width in zip(parts, (text, 2, text, 2), strict=True)
        )
        schema: dict[str, dict[str, tuple[int, Column]]] = {}
        for table, place, name, kind in zip(tables, places, names, kinds, strict=True):
            column = Column(self.strings.get(name), kind ^ 0x8000)
            schema.setdefault(self.strings.get(table), {})[column.name] = (place, column)
        return {
            table: [column for _, column in sorted(columns.values(), key=lambda placed: placed[0])]
            for table, columns in schema.items()
        }

    def _required(self, table: str) -> bytes:
        stream = self._read(stored_name(table))
        if stream is None:
            raise Damaged(f"{table} is missing")
        return stream


def _row_count(table: str, data: bytes, width: int) -> int:
    rows, left = divmod(len(data), width)
    if left:
        raise Damaged(f"table {table} is cut off within a row")
    if rows > MOST_ROWS:
        raise Damaged(f"table {table} has more than {MOST_ROWS} rows")
    return rows


def _integers(data: bytes, width: int) -> Sequence[int]:
    if width == 3:
        return [low | middle << 8 | high << 16 for low, middle, high in struct.iter_unpack("3B", data)]
    return struct.unpack(f"<{len(data) // width}{'H' if width == 2 else 'I'}", data)
