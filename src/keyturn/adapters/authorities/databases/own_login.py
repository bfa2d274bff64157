"""Keyturn's own login to the servers of a realm, so that no refused password is tried again and again."""

import threading
from collections import defaultdict
from collections.abc import Callable

from keyturn.adapters.authorities.reaching import Login, Logins
from keyturn.model.errors import AuthorityError

REPLICATION_S = 60
"""How long a replica is left in peace that has refused a login: it may not know the newest password yet."""


class OwnLogin:
    """Servers go by their names. `now` in seconds, from anywhere."""

    def __init__(self, logins: Logins, pinned: str, now: Callable[[], float]) -> None:
        self._logins = logins
        self._pinned = pinned
        self._now = now
        self._proven: dict[str, Login] = {}
        self._refused: dict[str, tuple[Login, float]] = {}
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def proven(self, where: str, prove: Callable[[Login], bool]) -> Login:
        """The login that works there now. `prove` tries one that has not been, and says False for a wrong password."""
        login = self._logins()
        if login == self._proven.get(where):
            return login
        with self._turns[where]:  # of many threads, one tries
            if login != self._proven.get(where):
                if self._barred(where, login):
                    raise self._refusal(where, login)
                if not prove(login):
                    raise self.refused(where, login)
                self._proven[where] = login
        return login

    def doubt(self, where: str) -> None:
        """Prove it again before it is used."""
        self._proven.pop(where, None)

    def refused(self, where: str, login: Login) -> AuthorityError:
        """Remembers it, and says so."""
        self.doubt(where)
        self._refused[where] = (login, self._now())
        return self._refusal(where, login)

    def _barred(self, where: str, login: Login) -> bool:
        if where not in self._refused:
            return False
        refused, at = self._refused[where]
        return refused == login and (where == self._pinned or self._now() < at + REPLICATION_S)

    def _refusal(self, where: str, login: Login) -> AuthorityError:
        if where != self._pinned:
            return AuthorityError(f"{where} does not know the newest password of {login.name} yet", permanent=False)
        return AuthorityError(
            f"{where} does not let Keyturn in as {login.name}, and its password is not tried again",
            permanent=True,
            hint=f"keyturn account adopt {login.name}",
        )
