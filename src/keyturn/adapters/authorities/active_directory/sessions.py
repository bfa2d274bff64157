"""Sessions that one verb after another may use, each by one thread at a time and not for long.

A session in which anything has failed is closed, so that nothing is ever sent again where an answer was lost. Nor is
one used again after Keyturn's own login has changed, or where something came that nobody had asked for: the end, or
a controller's notice of it.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from keyturn.adapters.authorities.active_directory.session import Session
from keyturn.adapters.authorities.reaching import Login, Logins

LONGEST_S = 30
"""From its logon on. A directory lets a session go on with the groups and the password of its logon."""
AT_ONCE = 8
"""Unused ones that are kept for each controller: as many as plans are carried forward at the same time."""


@dataclass(frozen=True, slots=True)
class Opened:
    """`silent` says that nothing has come since the last answer; `close` may be called twice."""

    session: Session
    login: Login
    since: float
    silent: Callable[[], bool]
    close: Callable[[], None]


class Sessions:
    """`now` only ever rises."""

    def __init__(self, logins: Logins, open_one: Callable[[str], Opened], now: Callable[[], float]) -> None:
        self._logins = logins
        self._open_one = open_one
        self._now = now
        self._unused: dict[str, deque[Opened]] = defaultdict(deque)
        self._turn = threading.Lock()

    @contextmanager
    def one(self, host: str) -> Iterator[Session]:
        opened = self._kept(host) or self._open_one(host)
        try:
            yield opened.session
        except BaseException:
            opened.close()
            raise
        self._keep(host, opened)

    def _kept(self, host: str) -> Opened | None:
        """The oldest first, so that none is kept past its time while others are used."""
        while opened := self._oldest(host):
            if self._is_young(opened) and opened.login == self._logins() and opened.silent():
                return opened
            opened.close()
        return None

    def _oldest(self, host: str) -> Opened | None:
        with self._turn:
            return self._unused[host].popleft() if self._unused[host] else None

    def _keep(self, host: str, opened: Opened) -> None:
        with self._turn:
            if self._is_young(opened) and len(self._unused[host]) < AT_ONCE:
                self._unused[host].append(opened)
                return
        opened.close()

    def _is_young(self, opened: Opened) -> bool:
        return self._now() - opened.since < LONGEST_S
