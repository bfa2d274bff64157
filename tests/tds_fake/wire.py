"""The server's side of TDS 7.4: packets, TLS inside them, what a logon says, and tokens."""

import socket
import ssl
import struct
from collections.abc import Iterable, Sequence

PRELOGIN, LOGIN7, SQL_BATCH, TABULAR = 18, 16, 1, 4
DONE_ERROR, DONE_COUNT = 0x02, 0x10


class Gone(Exception):
    """The client is, or speaks no TDS."""


class Wire:
    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self._tls: ssl.SSLObject | None = None
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()

    def receive(self) -> tuple[int, bytes]:
        whole = b""
        while True:
            head = self._exactly(8)
            length = int.from_bytes(head[2:4], "big")
            if length < 8:
                raise Gone
            whole += self._exactly(length - 8)
            if head[1] & 1:
                return head[0], whole

    def send(self, payload: bytes, kind: int = TABULAR, size: int = 4096) -> None:
        chunk = size - 8
        pieces = [payload[i : i + chunk] for i in range(0, len(payload), chunk)] or [b""]
        for number, piece in enumerate(pieces):
            last = number + 1 == len(pieces)
            packet = bytes([kind, last]) + (len(piece) + 8).to_bytes(2, "big") + bytes([0, 51, number & 255, 0]) + piece
            if self._tls:
                self._tls.write(packet)
                packet = self._out.read()
            self.link.sendall(packet)

    def start_tls(self, context: ssl.SSLContext) -> None:
        tls = context.wrap_bio(self._in, self._out, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                if self._out.pending:
                    self.send(self._out.read(), PRELOGIN)
                kind, body = self.receive()
                if kind != PRELOGIN:
                    raise Gone from None
                self._in.write(body)
        if self._out.pending:
            self.send(self._out.read(), PRELOGIN)
        self._tls = tls

    def _exactly(self, wanted: int) -> bytes:
        got = b""
        while len(got) < wanted:
            if self._tls:
                try:
                    piece = self._tls.read(wanted - len(got))
                except ssl.SSLWantReadError:
                    self._in.write(self._raw(65536))
                    continue
            else:
                piece = self._raw(wanted - len(got))
            if not piece:
                raise Gone
            got += piece
        return got

    def _raw(self, most: int) -> bytes:
        data = self.link.recv(most)
        if not data:
            raise Gone
        return data


def asked_encryption(prelogin: bytes) -> int:
    at = 0
    while prelogin[at] != 0xFF:
        kind, offset, length = struct.unpack(">BHH", prelogin[at : at + 5])
        if kind == 1:
            assert length == 1
            return prelogin[offset]
        at += 5
    return 2


def prelogin_answer(encryption: int) -> bytes:
    version = bytes([16, 0, 0x10, 0x2D, 0, 0])
    return b"\x00\x00\x0b\x00\x06" + b"\x01\x00\x11\x00\x01" + b"\xff" + version + bytes([encryption])


def logon_of(login7: bytes) -> tuple[str, str, str]:
    """User, password, database."""
    assert int.from_bytes(login7[:4], "little") == len(login7)

    def field(at: int, password: bool = False) -> str:
        offset, count = struct.unpack("<HH", login7[at : at + 4])
        raw = login7[offset : offset + 2 * count]
        if password:
            raw = bytes(((b ^ 0xA5) >> 4) | (((b ^ 0xA5) << 4) & 0xF0) for b in raw)
        return raw.decode("utf-16-le")

    return field(40), field(44, password=True), field(68)


def error(number: int, severity: int, text: str) -> bytes:
    return _message(0xAA, number, severity, text)


def info(number: int, text: str) -> bytes:
    return _message(0xAB, number, 0, text)


def _message(token: int, number: int, severity: int, text: str) -> bytes:
    body = struct.pack("<iBB", number, 1, severity) + _us(text) + _b("FAKE") + _b("") + struct.pack("<I", 1)
    return bytes([token]) + len(body).to_bytes(2, "little") + body


def welcome(database: str) -> bytes:
    """What follows a logon: the database, the collation, the packet size, and who answers."""
    changes = _change(1, _b(database) + _b("master"))
    changes += info(5701, f"Changed database context to '{database}'.")
    changes += _change(7, b"\x05\x09\x04\xd0\x00\x34" + b"\x00")
    changes += _change(4, _b("4096") + _b("4096"))
    ack = b"\x01" + b"\x74\x00\x00\x04" + _b("Microsoft SQL Server") + bytes([16, 0, 0x10, 0x2D])
    return changes + b"\xad" + len(ack).to_bytes(2, "little") + ack + done()


def changed_database(name: str) -> bytes:
    return _change(1, _b(name) + _b("master")) + info(5701, f"Changed database context to '{name}'.")


def routed(host: str) -> bytes:
    place = b"\x00" + (1433).to_bytes(2, "little") + _us(host)
    return _change(20, len(place).to_bytes(2, "little") + place + b"\x00\x00")


def _change(kind: int, values: bytes) -> bytes:
    return b"\xe3" + (len(values) + 1).to_bytes(2, "little") + bytes([kind]) + values


def done(status: int = 0, rows: int = 0) -> bytes:
    return b"\xfd" + struct.pack("<HHQ", status, 0, rows)


_SIZES = {"int": 4, "bigint": 8}


def table(kinds: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """`kinds`: text, int or bigint. Rows with a null are written as the server does, with a bitmap."""
    columns = b"".join(struct.pack("<IH", 0, 9) + _type(kind) + b"\x00" for kind in kinds)
    written = b"\x81" + len(kinds).to_bytes(2, "little") + columns
    count = 0
    for row in rows:
        count += 1
        assert len(row) == len(kinds)
        cells = [_cell(kind, value) for kind, value in zip(kinds, row, strict=True) if value is not None]
        if len(cells) == len(row):
            written += b"\xd1" + b"".join(cells)
        else:
            bits = sum(1 << at for at, value in enumerate(row) if value is None)
            written += b"\xd2" + bits.to_bytes((len(row) + 7) // 8, "little") + b"".join(cells)
    return written + done(DONE_COUNT, count)


def _type(kind: str) -> bytes:
    if kind == "text":
        return b"\xe7" + (600).to_bytes(2, "little") + b"\x09\x04\xd0\x00\x34"
    return bytes([0x26, _SIZES[kind]])


def _cell(kind: str, value: object) -> bytes:
    if kind == "text":
        raw = str(value).encode("utf-16-le")
        return len(raw).to_bytes(2, "little") + raw
    assert isinstance(value, int)
    return bytes([_SIZES[kind]]) + value.to_bytes(_SIZES[kind], "little", signed=True)


def _b(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("utf-16-le")


def _us(text: str) -> bytes:
    return len(text).to_bytes(2, "little") + text.encode("utf-16-le")
