"""Keyturn's own way in: one short connection a call."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql

from keyturn.adapters.authorities.databases.own_login import OwnLogin
from keyturn.adapters.authorities.mariadb.errors import ACCESS_DENIED, BLOCKED, number, translated
from keyturn.adapters.authorities.mariadb.servers import ClearPasswordWanted, Server, Session
from keyturn.adapters.authorities.reaching import Login, Logins

_NOT_LET_IN = (ACCESS_DENIED, BLOCKED)


class Door:
    """One connection a call costs some milliseconds, and leaves nothing behind that a lost answer could wait on."""

    def __init__(self, logins: Logins, pinned: Server) -> None:
        self._own = OwnLogin(logins, str(pinned), time.monotonic)

    @contextmanager
    def open(self, server: Server, what: str) -> Iterator[Session]:
        """`what` begins every message."""
        try:
            with self._connect(server) as session:
                yield session
        except (pymysql.err.Error, OSError, ClearPasswordWanted) as error:
            raise translated(error, f"{what} at {server}") from None

    def _connect(self, server: Server) -> Session:
        def right(login: Login) -> bool:
            try:
                server.connect(login).close()
            except pymysql.err.OperationalError as error:
                if number(error) in _NOT_LET_IN:
                    return False
                raise
            return True

        login = self._own.proven(str(server), right)
        try:
            return server.connect(login)
        except pymysql.err.OperationalError as error:
            if number(error) in _NOT_LET_IN:
                raise self._own.refused(str(server), login) from None
            raise
