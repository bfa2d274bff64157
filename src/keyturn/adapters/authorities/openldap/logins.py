"""Keyturn's own login: a wrong password is presented once, so that we never lock ourselves out."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from keyturn.adapters.authorities.reaching import Login, Logins
from keyturn.model.accounts import RealmName
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer

REPLICATION_S = 60.0
"""A consumer may not have our own new password yet: it is asked once more after this time, and no third time."""
_TRIES_AT_A_CONSUMER = 2


@dataclass(frozen=True, slots=True)
class _Refusal:
    login: Login
    times: int
    at: float


class OwnLogin:
    """`now` counts seconds from anywhere."""

    def __init__(self, realm: RealmName, pinned: str, logins: Logins, now: Callable[[], float]) -> None:
        self._realm = realm
        self._pinned = pinned
        self._logins = logins
        self._now = now
        self._refusals: dict[str, _Refusal] = {}
        self._turn = threading.Lock()

    def log_on(self, host: str, bind: Callable[[Login], Answer]) -> None:
        """AuthorityError where the server says no, and at once where it has said no to this very login before."""
        login = self._logins()
        refusal = self._refusals.get(host)
        before = refusal.times if refusal and refusal.login == login else 0
        if refusal and before:
            self._refuse_again(host, refusal)
        answer = bind(login)
        if answer is Answer.WRONG_PASSWORD:
            with self._turn:
                self._refusals[host] = _Refusal(login, before + 1, self._now())
            raise self._refused(host, login, answer)
        if answer is not Answer.ACCEPTED:
            raise self._refused(host, login, answer)
        with self._turn:
            self._refusals.pop(host, None)

    def _refuse_again(self, host: str, refusal: _Refusal) -> None:
        if host == self._pinned or refusal.times >= _TRIES_AT_A_CONSUMER:
            raise self._refused(host, refusal.login, Answer.WRONG_PASSWORD)
        left = refusal.at + REPLICATION_S - self._now()
        if left > 0:
            raise AuthorityError(
                f"{host} has refused Keyturn's login {refusal.login.name}, whose password it may not have yet; "
                f"it is asked once more in {left:.0f} s",
                permanent=False,
            )

    def _refused(self, host: str, login: Login, answer: Answer) -> AuthorityError:
        return AuthorityError(
            f"{host} refuses Keyturn's own login {login.name} to realm {self._realm} ({answer}); "
            "the same password is not tried again",
            permanent=answer is not Answer.LOCKED,
            hint=f"keyturn account adopt '{self._realm}\\{login.name}' --password-stdin",
        )
