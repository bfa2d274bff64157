"""Keyturn's own logons to the controllers: never twice with a password that was refused."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.active_directory.answers import bind_answer
from keyturn.adapters.authorities.active_directory.channel import base_of, connected
from keyturn.adapters.authorities.active_directory.domain import Domain
from keyturn.adapters.authorities.active_directory.session import Session
from keyturn.adapters.authorities.reaching import Login, Logins
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer


class Controllers:
    def __init__(self, domain: Domain, logins: Logins) -> None:
        self._domain = domain
        self._logins = logins
        self._refused: Login | None = None
        self._turn = threading.Lock()

    @contextmanager
    def session(self, host: str | None = None) -> Iterator[Session]:
        """On the pinned controller unless said."""
        host = host or self._domain.pinned
        with connected(self._domain, host) as connection:
            base = base_of(connection, host)
            self._log_on(connection, host)
            yield Session(connection, host, base)

    def _log_on(self, connection: SimpleLDAPObject, host: str) -> None:
        """One thread at a time: a password that has become wrong costs one bad attempt, not one for every thread."""
        with self._turn:
            login = self._logins()
            if login == self._refused or not login.secret.reveal():
                raise self._shut_out(login, "its password was refused before and is not sent again")
            name = self._written(login)
            doing = f"logging on to {host} as {name}"
            answer = bind_answer(doing, lambda: connection.simple_bind_s(name, login.secret.reveal()))
            if answer is Answer.WRONG_PASSWORD:
                self._refused = login
        if answer is Answer.LOCKED:
            raise AuthorityError(f"{doing}: the account is locked", permanent=False)
        if answer is not Answer.ACCEPTED:
            raise self._shut_out(login, f"{host} says {answer}")

    def _written(self, login: Login) -> str:
        """A distinguished name, `name@domain` or `DOMAIN\\name` stays as it is."""
        return login.name if set("\\@=") & set(login.name) else self._domain.logon_name(login.name)

    def _shut_out(self, login: Login, why: str) -> AuthorityError:
        return AuthorityError(
            f"{self._domain.realm} does not let Keyturn in as {login.name}: {why}",
            permanent=True,
            hint=f"keyturn account adopt '{self._domain.realm}\\{login.name}', with the password that works",
        )
