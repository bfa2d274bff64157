"""Keyturn's own way in: one short connection a call."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from keyturn.adapters.authorities.databases.hosts import CONNECT_S
from keyturn.adapters.authorities.databases.own_login import OwnLogin
from keyturn.adapters.authorities.reaching import Login, Logins
from keyturn.adapters.authorities.sql_server.errors import FOREIGN, LOCKED_OUT, LOGIN_FAILED, told, translated
from keyturn.adapters.authorities.sql_server.servers import Server
from keyturn.adapters.authorities.sql_server.tds.session import Denied, Session

_NOT_LET_IN = (LOGIN_FAILED, LOCKED_OUT)
_SETTINGS = f"SET XACT_ABORT ON; SET LOCK_TIMEOUT {CONNECT_S * 1000};"
"""So that a transaction lands whole or not at all, and nobody is waited for as long as we wait for an answer."""


class Door:
    """Nothing is left behind that a lost answer could wait on."""

    def __init__(self, logins: Logins, server: Server) -> None:
        self._own = OwnLogin(logins, str(server), time.monotonic)
        self._server = server

    @contextmanager
    def open(self, what: str) -> Iterator[Session]:
        """`what` begins every message."""
        try:
            with self._connect() as session:
                session.rows(_SETTINGS)
                yield session
        except FOREIGN as error:
            raise translated(error, f"{what} at {self._server}") from None

    def _connect(self) -> Session:
        where = str(self._server)

        def right(login: Login) -> bool:
            try:
                self._server.connect(login).close()
            except Denied as error:
                if told(error) in _NOT_LET_IN:
                    return False
                raise
            return True

        login = self._own.proven(where, right)
        try:
            return self._server.connect(login)
        except Denied as error:
            if told(error) in _NOT_LET_IN:
                raise self._own.refused(where, login) from None
            raise
