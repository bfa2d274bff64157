"""Keyturn's own logons to the controllers: never twice with a password that was refused."""

import select
import threading
import time
from contextlib import AbstractContextManager, ExitStack

from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.active_directory.domain import Domain
from keyturn.adapters.authorities.active_directory.lines import Line, line_to
from keyturn.adapters.authorities.active_directory.session import Session, base_of
from keyturn.adapters.authorities.active_directory.sessions import Opened, Sessions
from keyturn.adapters.authorities.active_directory.strong import is_strong, named
from keyturn.adapters.authorities.reaching import Login, Logins
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.logon import Answer
from keyturn.operations.delegation import ACCEPTED, STRONG

_REFUSED = "its password was refused and is not sent again"
"""In the same words for whoever learnt it and for all who come after, so that many plans ask people one question."""


class Controllers:
    def __init__(self, domain: Domain, logins: Logins) -> None:
        self._domain = domain
        self._logins = logins
        self._sessions = Sessions(logins, self._open, time.monotonic)
        self._refused: Login | None = None
        self._weak = ""
        self._turn = threading.Lock()

    def session(self, host: str | None = None) -> AbstractContextManager[Session]:
        """On the pinned controller unless said."""
        return self._sessions.one(host or self._domain.pinned)

    def _open(self, host: str) -> Opened:
        with ExitStack() as stack:
            line = stack.enter_context(line_to(self._domain, host))
            login = self._log_on(line, host)
            connection = line.connection
            session = Session(connection, host, base_of(connection, host))
            self._refuse_strong(session, login)
            return Opened(session, login, time.monotonic(), lambda: _silent(connection), stack.pop_all().close)

    def _log_on(self, line: Line, host: str) -> Login:
        """One thread at a time: a password that has become wrong costs one bad attempt, not one for every thread."""
        with self._turn:
            login = self._logins()
            if login == self._refused or not login.secret.reveal():
                raise self._shut_out(login, _REFUSED)
            doing = f"logging on to {host} as {self._domain.written(login.name)}"
            answer = line.log_on(doing, login.name, login.secret)
            if answer is Answer.WRONG_PASSWORD:
                self._refused = login
                raise self._shut_out(login, _REFUSED)
        if answer is Answer.LOCKED:
            raise AuthorityError(f"{doing}: the account is locked", permanent=False)
        if answer is not Answer.ACCEPTED:
            raise self._shut_out(login, f"{host} says {answer}")
        return login

    def _refuse_strong(self, session: Session, login: Login) -> None:
        """Whoever takes this server over would have the domain. Each login is looked at once."""
        if self._domain.strong_accepted or login.name == self._weak:
            return
        strong = [named(sid) for sid in session.identities() if is_strong(sid)]
        if strong:
            raise Refused(
                f"Keyturn does not work in {self._domain.realm} as {login.name}, which is in {', '.join(strong)}",
                hint="give it an account with the rights of docs/how-to/realm-active-directory.md; or, if you must, "
                f'write {STRONG} = "{ACCEPTED}" into the [realm.connection] of {self._domain.realm}',
            )
        self._weak = login.name

    def _shut_out(self, login: Login, why: str) -> AuthorityError:
        return AuthorityError(
            f"{self._domain.realm} does not let Keyturn in as {login.name}: {why}",
            permanent=True,
            hint=f"keyturn account adopt '{self._domain.realm}\\{login.name}', with the password that works",
        )


def _silent(connection: SimpleLDAPObject) -> bool:
    arrived = select.poll()
    arrived.register(connection.fileno(), select.POLLIN)
    return not arrived.poll(0)
