"""Keyturn's own way in: one short connection a call."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg

from keyturn.adapters.authorities.databases.own_login import OwnLogin
from keyturn.adapters.authorities.postgresql.errors import translated
from keyturn.adapters.authorities.postgresql.logon import try_scram
from keyturn.adapters.authorities.postgresql.servers import Server
from keyturn.adapters.authorities.reaching import Login, Logins
from keyturn.model.logon import Answer

Session: TypeAlias = psycopg.Connection[tuple[Any, ...]]


class Door:
    """A login is proven by `try_scram` first, whose verdict is exact, and used by libpq from then on. One connection
    a call costs some milliseconds, and leaves nothing behind that a lost answer could be waiting on."""

    def __init__(self, logins: Logins, pinned: Server) -> None:
        self._own = OwnLogin(logins, str(pinned), time.monotonic)

    @contextmanager
    def open(self, server: Server, what: str, database: str | None = None) -> Iterator[Session]:
        """Commits at the end. `what` begins every message."""
        try:
            with self._connect(server, database) as session:
                yield session
        except psycopg.Error as error:
            raise translated(error, f"{what} at {server}") from None

    def _connect(self, server: Server, database: str | None) -> Session:
        def right(login: Login) -> bool:
            return try_scram(server, login.name, login.secret) is Answer.ACCEPTED

        login = self._own.proven(str(server), right)
        how = server.libpq() | ({"dbname": database} if database else {})
        try:
            return psycopg.connect(**how, user=login.name, password=login.secret.reveal())  # type: ignore[arg-type]
        except psycopg.OperationalError:
            self._own.doubt(str(server))  # libpq says why in the server's language only
            raise
