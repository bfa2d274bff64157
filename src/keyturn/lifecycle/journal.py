"""The journal of a plan, and the loop that carries the plan forward. Read this first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from keyturn.lifecycle.plan import Plan, Step


class Mark(StrEnum):
    INTENDED = "intended"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Marked:
    mark: Mark
    since: float
    """When the mark was written; for a step that waits, when the waiting began (a resume begins it anew)."""


@dataclass(frozen=True, slots=True)
class Done:
    pass


@dataclass(frozen=True, slots=True)
class Waiting:
    """The world is not there yet. `missing` names whom or what for; look again after `retry_s` at the latest."""

    note: str
    missing: tuple[str, ...] = ()
    retry_s: float = 5


@dataclass(frozen=True, slots=True)
class Stopped:
    """A person must decide. Nothing goes on by itself."""

    question: str
    hint: str = ""


Outcome: TypeAlias = Done | Waiting | Stopped


class Journal(Protocol):
    """Held under a lease with a fencing number: every write raises FencedOff once another worker holds it."""

    def marks(self, plan_id: str) -> Mapping[int, Marked]: ...

    def write(self, plan_id: str, number: int, mark: Mark) -> float:
        """Durable when it returns; returns the moment written."""

    def go_on(self, plan_id: str, done: int) -> float:
        """DONE for this step and INTENDED for the one after it, together: as two writes, with one to wait for."""


Perform: TypeAlias = Callable[[Step, float], Outcome]
"""Carries out one step, given since when it is under way. Resolves before it replays: safe to call again."""


def advance(plan_id: str, plan: Plan, journal: Journal, perform: Perform) -> Outcome:
    """Carry the plan as far as it goes now. INTENDED is for people; what a replay needs is sealed with the
    candidate itself."""
    marks, since = journal.marks(plan_id), None
    for number, planned in enumerate(plan.steps):
        marked = marks.get(number)
        if marked and marked.mark is Mark.DONE:
            continue
        if since is None:
            since = marked.since if marked else journal.write(plan_id, number, Mark.INTENDED)
        outcome = perform(planned.step, since)
        if not isinstance(outcome, Done):
            return outcome
        if number + 1 < len(plan.steps):
            since = journal.go_on(plan_id, number)
        else:
            journal.write(plan_id, number, Mark.DONE)
    return Done()
