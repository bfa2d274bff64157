"""One share of a run: who was let in there, and the connection that lasts as long as it can.

Nobody is presented before the program reaches for the share. Identities are tried in their order, each once; the one
that was let in is presented again when its connection was lost, until the realm or the share says no. After that, and
where nobody is let in, everything is denied for the rest of the run and nothing is presented any more.
"""

import errno
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.tree import TreeConnect

from keyturn.adapters.runners.posix.share_errors import SESSION_ENDED, Shown, shown
from keyturn.adapters.runners.posix.share_telling import Telling
from keyturn.adapters.shares.smb_answers import FILE
from keyturn.adapters.shares.smb_entering import let_in
from keyturn.adapters.shares.smb_reading import widen, width
from keyturn.adapters.shares.smb_session import Unreached, close, open_connection, place_of
from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import NotLetIn, Presentable
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.wire.agent import NoAnswer

ANSWER_S = 20
"""For each answer of the server; a program waits for two of them at most, and a new connection in between."""
AWAY_S = 10
"""A server that was not reached is not looked for again meanwhile."""
_NOBODY = "nobody"
_ACCESS_DENIED = 0xC0000022

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Entered:
    """`reads` may be on their way at once, of `piece` bytes each."""

    connection: Connection
    tree: TreeConnect
    number: int
    """Of the identity, from 1."""
    reads: int
    piece: int


class Link:
    """Used by many threads. `spoiled` is shared by all links of a run: passwords called wrong at one of them."""

    def __init__(
        self,
        share: str,
        identities: tuple[Presentable, ...],
        telling: Telling,
        spoiled: set[str],
        protocol: LogonProtocol,
        now: Callable[[], float] = time.monotonic,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._place = place_of(share)
        self._identities = dict(enumerate(identities, start=1))
        self._telling = telling
        self._spoiled = spoiled
        self._protocol = protocol
        self._now = now
        self._answer_s = answer_s
        self._turn = threading.Lock()
        self._entered: Entered | None = None
        self._untried = dict(self._identities)
        self._unknown: set[int] = set()
        """Presented, and nobody knows whether it was counted: once more, and never again."""
        self._away_until = 0.0

    def do(self, path: str, act: Callable[[Entered], T], *, twice: bool = True) -> T:
        """Shown, where it cannot be done. `twice`: may be done again where nobody knows whether it was done."""
        for last in (False, True):
            entered = self._enter()
            began = self._now()
            try:
                return act(entered)
            except Shown:
                raise
            except SMBResponseException as error:
                if error.status in SESSION_ENDED:
                    self._lost(entered)
                    if not last:
                        continue
                self._tell_of(path, entered, error.status)
                raise shown(error.status) from None
            except (SMBException, OSError, ValueError):
                self._lost(entered)
                if last or not twice:
                    in_time = self._now() - began < self._answer_s
                    raise Shown(errno.EIO if in_time else errno.ETIMEDOUT) from None
        raise AssertionError("the second time is the last")

    def made(self, path: str) -> None:
        self._telling.made(self._unc(path))

    def _enter(self) -> Entered:
        with self._turn:
            if self._entered is None:
                self._entered = self._log_on()
            return self._entered

    def _log_on(self) -> Entered:
        if self._now() < self._away_until:
            raise Shown(errno.EHOSTUNREACH)
        if not self._identities:
            self._telling.refused(Access(self._place.root, _NOBODY, 1, Answer.NO_SHARE_ACCESS, _ACCESS_DENIED, 0.0))
        for number, identity in list(self._untried.items()):
            if str(identity.identity) not in self._spoiled and (entered := self._present(number, identity)):
                self._untried = {number: identity}
                self._unknown.clear()
                return entered
            self._untried.pop(number)
        raise Shown(errno.EACCES)

    def _present(self, number: int, identity: Presentable) -> Entered | None:
        """None where it is not let in. OSError where the server is not reached: it may be tried later."""
        began = self._now()
        try:
            connection = open_connection(self._place.host, self._answer_s)
        except Unreached:
            unseen = Access(self._place.root, str(identity.identity), number, None, 0, self._now() - began)
            self._telling.presented(unseen)
            self._away_until = self._now() + AWAY_S
            raise Shown(errno.EHOSTUNREACH) from None
        try:
            tree = let_in(connection, self._place, identity, number, self._telling.presented, self._protocol)
            widen(connection, tree.session.session_id)
            return Entered(connection, tree, number, *width(connection))
        except NotLetIn as refused:
            if refused.access.answer is Answer.WRONG_PASSWORD:
                self._spoiled.add(str(identity.identity))
        except (NoAnswer, SMBException, OSError):
            self._away_until = self._now() + AWAY_S
            if number in self._unknown:
                self._untried.pop(number)
            self._unknown.add(number)
            close(connection)
            raise Shown(errno.ETIMEDOUT) from None
        close(connection)
        return None

    def _lost(self, entered: Entered) -> None:
        with self._turn:
            if self._entered is entered:
                self._entered = None
        close(entered.connection)

    def _tell_of(self, path: str, entered: Entered, status: int) -> None:
        answer = FILE.get(status)
        identity = str(self._identities[entered.number].identity)
        access = Access(self._unc(path), identity, entered.number, answer, status, 0.0)
        if answer is Answer.NO_FILE_ACCESS:
            self._telling.refused(access)
        elif answer is Answer.NO_FILE:
            self._telling.missing(access)

    def _unc(self, path: str) -> str:
        return f"{self._place.root}\\{path}" if path else self._place.root
