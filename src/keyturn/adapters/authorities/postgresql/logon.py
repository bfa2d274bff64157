"""One logon by SCRAM, as far as the server's verdict, over a connection of its own.

The verdict is read from the order of messages and their SQLSTATE, never from their words, which the server may write
in any language (PostgreSQL 15 manual, 55.2.1 and 55.7).
"""

import secrets
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from keyturn.adapters.authorities.databases.hosts import OPERATION_S
from keyturn.adapters.authorities.postgresql.errors import transient
from keyturn.adapters.authorities.postgresql.scram import MECHANISM, Exchange, Malformed
from keyturn.adapters.authorities.postgresql.servers import Server
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret

_PROTOCOL = 3 << 16
_TLS_WANTED = 80877103
_OK, _SASL, _CHALLENGE, _FINAL = 0, 10, 11, 12
_METHODS = {_OK: "nothing", 3: "the clear password", 5: "an MD5 hash", 7: "GSSAPI", 9: "SSPI"}
_LONGEST = 1 << 16

_WRONG_PASSWORD = "28P01"
_NO_LOGIN = "28000"
_NOT_ITS_DATABASE = frozenset({"3D000", "42501"})


def try_scram(server: Server, name: str, secret: Secret) -> Answer:
    """A role that may log on but not enter this database is ACCEPTED: its password was proven before that was said.

    AuthorityError where the server gives no verdict; permanent where it would take a logon by something else.
    """
    try:
        with _connection(server) as link:
            return _Talk(link, server, name).logon(secret)
    except _Denied as denied:
        raise AuthorityError(f"{name} at {server}: {denied.words}", permanent=not transient(denied.state)) from None
    except (OSError, EOFError) as error:
        unproven = isinstance(error, ssl.SSLCertVerificationError)
        raise AuthorityError(f"{name} at {server}: {error}", permanent=unproven) from None
    except Malformed as error:
        raise AuthorityError(f"{name} at {server}: {error}", permanent=True) from None


class _Talk:
    def __init__(self, link: socket.socket, server: Server, name: str) -> None:
        self._link = link
        self._where = f"{name} at {server}"
        self._until = monotonic() + OPERATION_S
        said = f"user\0{name}\0database\0{server.database}\0client_encoding\0UTF8\0\0".encode()
        link.sendall(struct.pack("!II", len(said) + 8, _PROTOCOL) + said)

    def logon(self, secret: Secret) -> Answer:
        code, offered = self._authentication()
        if code != _SASL or MECHANISM not in offered.decode("latin-1").split("\0"):
            asked = _METHODS.get(code, f"method {code}")
            raise AuthorityError(
                f"{self._where} would be let in by {asked}, which proves no password",
                permanent=True,
                hint=f"pg_hba.conf says scram-sha-256 for it, and its password is stored as {MECHANISM}",
            )
        exchange = Exchange(secrets.token_urlsafe(18))
        self._send(MECHANISM.encode() + struct.pack("!xI", len(exchange.first)) + exchange.first)
        answer, expected = exchange.final(self._expect(_CHALLENGE), secret)
        self._send(answer)
        try:
            proof = self._expect(_FINAL)
        except _Denied as denied:
            if denied.state == _WRONG_PASSWORD:
                return Answer.WRONG_PASSWORD
            raise
        if not secrets.compare_digest(proof, expected):
            raise Malformed("the server does not know the verifier of the password it accepted")
        self._expect(_OK)
        return self._admission()

    def _admission(self) -> Answer:
        """The password is right; whether the role is let in is said only now."""
        try:
            while self._message()[0] != b"Z":
                pass
        except _Denied as denied:
            if denied.state == _NO_LOGIN:
                return Answer.DISABLED
            if denied.state not in _NOT_ITS_DATABASE:
                raise
        return Answer.ACCEPTED

    def _expect(self, wanted: int) -> bytes:
        code, rest = self._authentication()
        if code != wanted:
            raise Malformed(f"an answer of kind {code} instead of {wanted}")
        return rest

    def _authentication(self) -> tuple[int, bytes]:
        kind, body = self._message()
        if kind != b"R" or len(body) < 4:
            raise Malformed(f"a message {kind!r} while logging on")
        return struct.unpack("!I", body[:4])[0], body[4:]

    def _message(self) -> tuple[bytes, bytes]:
        head = self._read(5)
        length = struct.unpack("!I", head[1:])[0] - 4
        if not 0 <= length <= _LONGEST:
            raise Malformed(f"a message of {length} bytes")
        kind, body = head[:1], self._read(length)
        if kind == b"E":
            fields = {field[:1]: field[1:].decode("utf-8", "replace") for field in body.split(b"\0") if field}
            raise _Denied(fields.get(b"C", ""), fields.get(b"M", ""))
        return kind, body

    def _send(self, body: bytes) -> None:
        self._link.sendall(b"p" + struct.pack("!I", len(body) + 4) + body)

    def _read(self, length: int) -> bytes:
        read = b""
        while len(read) < length:
            left = self._until - monotonic()
            if left <= 0:
                raise TimeoutError("no verdict in time")
            self._link.settimeout(left)
            some = self._link.recv(length - len(read))
            if not some:
                raise EOFError("the server hung up")
            read += some
        return read


class _Denied(Exception):
    """An ErrorResponse."""

    def __init__(self, state: str, words: str) -> None:
        super().__init__(state)
        self.state = state
        self.words = words


@contextmanager
def _connection(server: Server) -> Iterator[socket.socket]:
    link = server.at.link(server.socket)
    try:
        link.settimeout(OPERATION_S)
        context = server.tls()
        if context is not None:
            link = _encrypted(link, context, server)
        yield link
    finally:
        link.close()


def _encrypted(link: socket.socket, context: ssl.SSLContext, server: Server) -> ssl.SSLSocket:
    link.sendall(struct.pack("!II", 8, _TLS_WANTED))
    if link.recv(1) != b"S":
        raise AuthorityError(f"{server} has no TLS, and clear text is not used", permanent=True)
    return context.wrap_socket(link, server_hostname=server.at.name)
