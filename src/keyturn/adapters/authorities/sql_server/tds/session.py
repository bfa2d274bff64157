"""One connection: logged on once, then asked."""

import ssl

from keyturn.adapters.authorities.databases.hosts import OPERATION_S, Host
from keyturn.adapters.authorities.reaching import Login
from keyturn.adapters.authorities.sql_server.tds import login as login7
from keyturn.adapters.authorities.sql_server.tds import prelogin
from keyturn.adapters.authorities.sql_server.tds.channel import BATCH, LOGIN, PRELOGIN, Channel, Malformed
from keyturn.adapters.authorities.sql_server.tds.tokens import Reply, Row, Told, read


class Denied(Exception):
    """The server's errors, in its order, to a logon or to statements."""

    def __init__(self, errors: tuple[Told, ...]) -> None:
        super().__init__(*(error.number for error in errors))
        self.errors = errors


class NoEncryption(Exception):
    """The server would let the password be seen. It has not been sent."""


class Session:
    """Statements are one batch. No transaction of theirs outlives the connection."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def rows(self, statements: str) -> list[Row]:
        """Denied if any of them fails; those before it may have been carried out."""
        return _undenied(read(self._channel.ask(BATCH, _NO_HEADERS_BUT_ONE + statements.encode("utf-16-le")))).rows

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def log_on(host: Host, context: ssl.SSLContext, login: Login) -> Session:
    """Exactly one attempt, in `master`, which everybody may enter: an answer about another database would hide
    whether the password was right. Denied, NoEncryption, Malformed or OSError otherwise."""
    channel = Channel(host.link(host.name), OPERATION_S)
    try:
        if not prelogin.encrypts(channel.ask(PRELOGIN, prelogin.offer())):
            raise NoEncryption
        channel.secure(context, host.name)
        reply = _undenied(read(channel.ask(LOGIN, login7.request(login, database="master", server=host.name))))
        if reply.moved or not reply.let_in:
            raise Malformed("the server sends us elsewhere" if reply.moved else "the server does not say who it let in")
    except BaseException:
        channel.close()
        raise
    return Session(channel)


def _undenied(reply: Reply) -> Reply:
    if reply.errors:
        raise Denied(tuple(reply.errors))
    return reply


_NO_HEADERS_BUT_ONE = bytes.fromhex("16000000 12000000 0200 0000000000000000 01000000")
"""All headers: 22 bytes, of which 18 say that no transaction of ours is open (MS-TDS 2.2.5.3)."""
