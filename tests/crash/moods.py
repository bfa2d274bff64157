"""Realms that do not behave: a mood says which calls go wrong, and what became of the change all the same.

Everything here is the realm's own, and no crash of ours resets it: what it has been asked, what lands later, and when
somebody else comes.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret
from tests.builtin import Clock
from tests.crash.memory_realm import MemoryRealm

CHANGES = frozenset({"create", "set_password", "disable", "enable", "delete", "grant", "unlock"})
QUESTIONS = frozenset({"find", "describe", "rights", "try_logon"})

THEIRS = Secret("Somebody-elses-word-7")


class Lands(Enum):
    AT_ONCE = auto()
    NEVER = auto()
    LATER = auto()


@dataclass(frozen=True, slots=True)
class Mood:
    """The verbs that fail when they are asked of an account for the first time. `after_calls`: how many calls later
    a change that lands later does so, before the call itself. `after_s`: how long the caller waits for its error."""

    fails: frozenset[str] = frozenset()
    lands: Lands = Lands.AT_ONCE
    after_calls: int = 0
    after_s: float = 0


BEHAVES = Mood()
MOODS = {
    "apply-then-fail": Mood(CHANGES),
    "fail-before": Mood(CHANGES, Lands.NEVER),
    "answer-lost": Mood(CHANGES | QUESTIONS, after_s=90),
}
"""`answer-lost` waits longer than a lease lasts, so that the worker that waited is fenced off."""

LATE = {f"apply-late-{calls}": Mood(CHANGES, Lands.LATER, after_calls=calls) for calls in range(1, 13)}
"""From before the next question about it to long after the change was sent again and proven."""


@dataclass
class MoodyRealm:
    """A `MemoryRealm` in a mood. Before call number `theirs_at` somebody else sets the password of `whose`, if there
    is such an account by then; 0 is never. Machines' logons are calls too, and never fail by a mood."""

    realm: MemoryRealm
    mood: Mood
    clock: Clock = field(compare=False)
    whose: str = ""
    theirs_at: int = 0
    calls: int = field(default=0, compare=False)
    asked: frozenset[tuple[str, str]] = frozenset()
    late: tuple[tuple[int, str, tuple[Any, ...]], ...] = ()

    def copy(self, clock: Clock) -> "MoodyRealm":
        return replace(self, realm=self.realm.copy(clock), clock=clock)

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        if verb.startswith("_"):
            raise AttributeError(verb)
        call = getattr(self.realm, verb)

        def answered(*args: Any, **kwargs: Any) -> Any:
            self._pass_on()
            subject = getattr(args[0], "name", args[0])
            if verb not in self.mood.fails or (verb, subject) in self.asked:
                return call(*args, **kwargs)
            self.asked |= {(verb, subject)}
            self._let_land(verb, args, kwargs)
            self.clock.turn(self.mood.after_s)
            raise AuthorityError(f"{self.realm.name} does not answer", permanent=False)

        return answered

    def _let_land(self, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        match self.mood.lands:
            case Lands.AT_ONCE:
                getattr(self.realm, verb)(*args, **kwargs)
            case Lands.LATER:
                self.late = (*self.late, (self.calls + self.mood.after_calls, verb, args))
            case Lands.NEVER:
                pass

    def _pass_on(self) -> None:
        """What happens in the realm before it hears the next call."""
        self.calls += 1
        due = [each for each in self.late if each[0] <= self.calls]
        self.late = tuple(each for each in self.late if each not in due)
        for _, verb, args in due:
            self._land(verb, args)
        if self.calls == self.theirs_at and (account := self.realm.find(self.whose)):
            self.realm.set_password(account, THEIRS)

    def _land(self, verb: str, args: tuple[Any, ...]) -> None:
        # A late creation finds the name taken by the one that was sent again.
        with contextlib.suppress(AuthorityError):
            getattr(self.realm, verb)(*args)
