"""Messages over a socket, each of one or more packets, in the clear or inside TLS (MS-TDS 2.2.3)."""

import socket
import ssl
import struct
from time import monotonic

PRELOGIN, LOGIN, BATCH, REPLY = 0x12, 0x10, 0x01, 0x04

_HEADER = struct.Struct("!BBHHBB")  # kind, status, length with the header, process, number, window
_LAST = 0x01
_PACKET = 4096
_LONGEST = 8 << 20
"""Bytes of one message from the server; the rights in a database of many users take some hundred thousand."""
_CHUNK = 1 << 16


class Malformed(Exception):
    """What the server sent is no TDS that it should speak to us."""


class Channel:
    """`operation_s` is how long one question and its answer may take. OSError where nobody answers in time."""

    def __init__(self, link: socket.socket, operation_s: float) -> None:
        self._link = link
        self._operation_s = operation_s
        self._until = monotonic() + operation_s
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    def ask(self, kind: int, body: bytes) -> bytes:
        """The answer to one message."""
        self._until = monotonic() + self._operation_s
        self._send(kind, body)
        return self._message(REPLY)

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """TLS's own handshake travels inside PRELOGIN packets (MS-TDS 3.2.5.2); what follows is inside TLS."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._send(PRELOGIN, self._outgoing.read())
                self._incoming.write(self._message(PRELOGIN))
            else:
                break
        self._tls = tls

    def close(self) -> None:
        self._link.close()

    def _send(self, kind: int, body: bytes) -> None:
        room = _PACKET - _HEADER.size
        parts = [body[at : at + room] for at in range(0, len(body), room)] or [b""]
        packets = bytearray()
        for number, part in enumerate(parts, 1):
            status = _LAST if number == len(parts) else 0
            packets += _HEADER.pack(kind, status, len(part) + _HEADER.size, 0, number % 256, 0) + part
        self._write(bytes(packets))

    def _message(self, wanted: int) -> bytes:
        body = bytearray()
        while True:
            kind, status, length, _, _, _ = _HEADER.unpack(self._read(_HEADER.size))
            if kind != wanted:
                raise Malformed(f"a message of kind {kind} instead of {wanted}")
            if length < _HEADER.size or len(body) + length > _LONGEST:
                raise Malformed(f"a packet of {length} bytes after {len(body)}")
            body += self._read(length - _HEADER.size)
            if status & _LAST:
                return bytes(body)

    def _write(self, sent: bytes) -> None:
        if self._tls is not None:
            self._tls.write(sent)
            sent = self._outgoing.read()
        self._in_time()
        self._link.sendall(sent)

    def _read(self, length: int) -> bytes:
        read = bytearray()
        while len(read) < length:
            read += self._some(length - len(read))
        return bytes(read)

    def _some(self, most: int) -> bytes:
        if self._tls is None:
            return self._received(most)
        while True:
            try:
                some = self._tls.read(most)
            except ssl.SSLWantReadError:
                self._incoming.write(self._received(_CHUNK))
            else:
                if not some:
                    raise ConnectionResetError("the server ended TLS")
                return some

    def _received(self, most: int) -> bytes:
        self._in_time()
        some = self._link.recv(most)
        if not some:
            raise ConnectionResetError("the server hung up")
        return some

    def _in_time(self) -> None:
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self._link.settimeout(left)
