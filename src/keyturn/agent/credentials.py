"""What the agent holds, and every way in which that changes. Each change is durable when the call returns."""

from collections.abc import Callable

import msgspec

from keyturn.agent.home import Home
from keyturn.agent.records import Copy, Damaged, Letters, Standing, State
from keyturn.model.errors import NotFound
from keyturn.model.logon import Answer
from keyturn.wire.agent import Held

BLOCK = 1000
"""Request numbers reserved by one write."""

BEFORE_LOGON = {
    Standing.FRESH: Standing.PRESENTING,
    Standing.PRESENTING: Standing.REFUSED,
    Standing.PROVEN: Standing.PROVEN,
    Standing.REFUSED: Standing.REFUSED,
}
"""Written before a password is presented. Whoever dies meanwhile finds it as one attempt of unknown end; the
second time it is as good as refused, so that an agent dying again and again cannot lock an account."""

AFTER_LOGON = {Answer.ACCEPTED: Standing.PROVEN, Answer.WRONG_PASSWORD: Standing.REFUSED}
"""Every other answer says nothing about the password: the standing from before the logon returns."""


class Credentials:
    """Used under the folder's lock; `refresh` sees what another process did since."""

    def __init__(self, home: Home, now: Callable[[], float]) -> None:
        """`now` starts the request numbers of an agent that remembers none: the clock in microseconds is above every
        number used before, as long as an agent reserves fewer than a thousand blocks a second."""
        self._home = home
        self._now = now
        self._last = 0
        self._state = State(reserved=0)

    def refresh(self) -> None:
        kept = self._home.state() or self._first()
        if kept.reserved != self._state.reserved:
            self._last = kept.reserved
        self._state = kept

    def number(self) -> int:
        """Higher than any before, also across crashes."""
        if self._last >= self._state.reserved:
            self._keep(msgspec.structs.replace(self._state, reserved=self._state.reserved + BLOCK))
        self._last += 1
        return self._last

    def held(self) -> tuple[Copy, ...]:
        """In the order of adoption: the newest is the last."""
        return self._state.copies

    def holds(self) -> tuple[Held, ...]:
        return tuple(Held(copy.account, copy.generation) for copy in self._state.copies)

    def copy(self, account: str) -> Copy:
        for copy in self._state.copies:
            if copy.account == account:
                return copy
        raise NotFound(f"this agent does not hold {account}")

    @property
    def orphaned(self) -> bool:
        return self._state.orphaned

    def adopt(self, account: str, generation: int, sealed: bytes, succeeds: tuple[str, ...] = ()) -> None:
        """In place of an older generation of the account, if there is one."""
        self._keep_copies((*self._others(account), Copy(account, generation, sealed, succeeds=succeeds)))

    def has_successor(self, account: str) -> bool:
        """Whether another account that is held takes this one's place."""
        return any(account in copy.succeeds for copy in self._state.copies)

    def begin(self, account: str) -> Copy:
        """Call before the password leaves. Returns the copy as it was, for `settle`."""
        before = self.copy(account)
        self._put(msgspec.structs.replace(before, standing=BEFORE_LOGON[before.standing]))
        return before

    def unanswered(self) -> tuple[Copy, ...]:
        """Those that count as refused though no realm called them wrong: twice the answer was lost."""
        lost = (copy for copy in self._state.copies if copy.standing is Standing.REFUSED)
        return tuple(copy for copy in lost if copy.answer is not Answer.WRONG_PASSWORD)

    def take_up(self, copy: Copy) -> None:
        """An unanswered one may be presented once more; if that answer is lost too, it is unanswered again."""
        self._put(msgspec.structs.replace(copy, standing=Standing.PRESENTING))

    def settle(self, before: Copy, answer: Answer, *, tell: bool) -> None:
        """What the realm said. The site will be told if `tell`, and whenever the answer is another one than before;
        but not of a lock, which others brought about and which passes."""
        told = answer is Answer.LOCKED or (not tell and before.told and before.answer is answer)
        standing = AFTER_LOGON.get(answer, before.standing)
        self._put(msgspec.structs.replace(before, standing=standing, answer=answer, told=told))

    def handed(self, account: str, to: str) -> None:
        self._put(msgspec.structs.replace(self.copy(account), handed=to))

    def untold(self) -> tuple[Copy, ...]:
        return tuple(copy for copy in self._state.copies if not copy.told)

    def told(self, account: str) -> None:
        self._put(msgspec.structs.replace(self.copy(account), told=True))

    def forget(self, account: str) -> None:
        self._keep_copies(self._others(account))

    @property
    def letters(self) -> Letters:
        return self._state.letters

    def left_letter(self, **changed: object) -> None:
        """The next one bears another number."""
        before = self._state.letters
        letters = msgspec.structs.replace(before, number=before.number + 1, **changed)
        self._keep(msgspec.structs.replace(self._state, letters=letters))

    def wipe(self) -> None:
        self._keep_copies(())

    def start_over(self) -> None:
        """Like `refresh`, for an agent that is to be put right: a damaged file is taken for an empty one."""
        try:
            self.refresh()
        except Damaged:
            self._keep(self._first())
            self._last = self._state.reserved

    def orphan(self, orphaned: bool) -> None:
        self._keep(msgspec.structs.replace(self._state, orphaned=orphaned))

    def _first(self) -> State:
        return State(reserved=int(self._now() * 1_000_000))

    def _others(self, account: str) -> tuple[Copy, ...]:
        return tuple(copy for copy in self._state.copies if copy.account != account)

    def _put(self, changed: Copy) -> None:
        self._keep_copies(tuple(changed if c.account == changed.account else c for c in self._state.copies))

    def _keep_copies(self, copies: tuple[Copy, ...]) -> None:
        self._keep(msgspec.structs.replace(self._state, copies=copies))

    def _keep(self, state: State) -> None:
        if state != self._state:
            self._home.keep_state(state)
            self._state = state
