"""Which kind of database a store is kept in, told by its address."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from keyturn.adapters.store.errors import NotAStore
from keyturn.adapters.store.login import StoreLogins

BUSY_S = 10
"""How long a writer waits for a writer of another process."""

_FORMS = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"


@dataclass(frozen=True, slots=True)
class Engines:
    """A transaction of `reading` sees one moment, however many statements it takes. One of `writing` is alone from its
    first statement, sees all that was committed before, and is durable when it has committed."""

    reading: Engine
    writing: Engine

    def dispose(self) -> None:
        self.reading.dispose()


def open_engines(url: str, logins: StoreLogins | None = None) -> Engines:
    """`logins` is asked for each new connection to a server. Raises NotAStore for a kind of database no store can be
    kept in, and for an address that would show a password or reach a server unproven."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise NotAStore("that is no address of a store", hint=_FORMS) from None  # it may hold a password
    match parsed.get_backend_name():
        case "sqlite":
            from keyturn.adapters.store import sqlite

            return Engines(*sqlite.engines(parsed, BUSY_S))
        case "postgresql":
            from keyturn.adapters.store import postgresql

            return Engines(*postgresql.engines(parsed, BUSY_S, logins))
        case other:
            raise NotAStore(f"no store over {other}", hint=_FORMS)


def reached_as(connection: Connection) -> str | None:
    """The identity of the account that is logged on, as the authority of its realm has it. None for a file."""
    if connection.dialect.name != "postgresql":
        return None
    from keyturn.adapters.store import postgresql

    return postgresql.reached_as(connection)
