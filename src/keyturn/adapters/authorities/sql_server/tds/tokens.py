"""A server's answer, read token by token (MS-TDS 2.2.7), as far as our statements bring them about."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from keyturn.adapters.authorities.sql_server.tds.channel import Malformed

Value: TypeAlias = str | int | None
Row: TypeAlias = tuple[Value, ...]

_MOST_COLUMNS = 64


@dataclass(frozen=True, slots=True)
class Told:
    """`text` is the server's, in its language."""

    number: int
    state: int
    severity: int
    text: str


@dataclass(slots=True)
class Reply:
    """`moved`: the server wants us to log on at another one."""

    rows: list[Row] = field(default_factory=list)
    errors: list[Told] = field(default_factory=list)
    let_in: bool = False
    moved: bool = False


def read(message: bytes) -> Reply:
    """Rows of all the statements in one, after another. Malformed for what is cut off, or unknown."""
    reply, stream, columns = Reply(), _Stream(message), list[_Column]()
    while not stream.ended:
        token = stream.number(1)
        if token in (_ERROR, _INFO):
            told = _told(_Stream(stream.piece(stream.number(2))))
            if token == _ERROR:
                reply.errors.append(told)
        elif token == _COLUMNS:
            columns = list(_columns(stream))
        elif token in (_ROW, _ROW_WITH_NULLS) and not columns:
            raise Malformed("a row without columns")
        elif token == _ROW:
            reply.rows.append(tuple([column(stream) for column in columns]))
        elif token == _ROW_WITH_NULLS:
            nulls = int.from_bytes(stream.piece((len(columns) + 7) // 8), "little")
            reply.rows.append(tuple([None if nulls >> at & 1 else c(stream) for at, c in enumerate(columns)]))
        elif token == _LOGIN_ACK:
            stream.piece(stream.number(2))
            reply.let_in = True
        elif token == _CHANGE:
            reply.moved |= stream.piece(stream.number(2))[:1] == _ROUTING
        elif token in _PASSED_OVER:
            stream.piece(_PASSED_OVER[token])
        elif token == _ORDER:
            stream.piece(stream.number(2))
        else:
            raise Malformed(f"a token {token:#04x}")
    return reply


_COLUMNS, _ORDER, _ERROR, _INFO, _LOGIN_ACK = 0x81, 0xA9, 0xAA, 0xAB, 0xAD
_ROW, _ROW_WITH_NULLS, _CHANGE = 0xD1, 0xD2, 0xE3
_PASSED_OVER = {0x79: 4, 0xFD: 12, 0xFE: 12, 0xFF: 12}
"""RETURNSTATUS, DONE, DONEPROC and DONEINPROC, and how many bytes each has."""
_ROUTING = b"\x14"

_FIXED_NUMBERS = {0x30: 1, 0x32: 1, 0x34: 2, 0x38: 4, 0x7F: 8}
"""tinyint, bit, smallint, int and bigint that cannot be null, and their bytes."""
_NUMBER, _BIT, _TEXT = 0x26, 0x68, 0xE7
_COLLATION = 5
_NO_TEXT = _UNBOUNDED = 0xFFFF


class _Stream:
    def __init__(self, message: bytes) -> None:
        self._message = message
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._message)

    def piece(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._message):
            raise Malformed("an answer that is cut off")
        found = self._message[self._at : end]
        self._at = end
        return found

    def number(self, length: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.piece(length), "little", signed=signed)

    def text(self, length: int) -> str:
        """`length` in code units of two bytes."""
        return self.piece(2 * length).decode("utf-16-le", "replace")


_Column: TypeAlias = Callable[[_Stream], Value]


def _columns(stream: _Stream) -> Iterator[_Column]:
    count = stream.number(2)
    if count == _UNBOUNDED:
        return
    if not 0 < count <= _MOST_COLUMNS:
        raise Malformed(f"{count} columns")
    for _ in range(count):
        stream.piece(6)  # user type, flags
        yield _column(stream)
        stream.text(stream.number(1))  # its name


def _column(stream: _Stream) -> _Column:
    kind = stream.number(1)
    if kind in _FIXED_NUMBERS:
        length = _FIXED_NUMBERS[kind]
        return lambda row: row.number(length, signed=length > 1)
    if kind in (_NUMBER, _BIT):
        stream.piece(1)
        return _nullable_number
    if kind == _TEXT:
        if stream.number(2) == _UNBOUNDED:
            raise Malformed("a text without bounds")
        stream.piece(_COLLATION)
        return _nullable_text
    raise Malformed(f"a column of type {kind:#04x}")


def _nullable_number(row: _Stream) -> int | None:
    length = row.number(1)
    if length not in (0, 1, 2, 4, 8):
        raise Malformed(f"a number of {length} bytes")
    return row.number(length, signed=length > 1) if length else None


def _nullable_text(row: _Stream) -> str | None:
    length = row.number(2)
    if length == _NO_TEXT:
        return None
    if length % 2:
        raise Malformed(f"a text of {length} bytes")
    return row.text(length // 2)


def _told(body: _Stream) -> Told:
    number, state, severity = struct.unpack("<iBB", body.piece(6))
    return Told(number, state, severity, body.text(body.number(2)))
