"""What has become of envelopes, derived from the events that tell of them. Pure: events in, histories out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from keyturn.model.accounts import canonical
from keyturn.operations.ports import Event

CUSTODY = "custody"
"""The subject of the events that tell who the custodians are."""


class Told(StrEnum):
    """The kinds of events. Their subject is the account, their detail an `About`."""

    SEALED = "envelope-sealed"
    COPIED = "envelope-copied"
    PRINTED = "envelope-printed"
    OPENED = "envelope-opened"
    PAPER_VOID = "paper-void"
    DRILL_BEGUN = "drill-begun"
    DRILL_PASSED = "drill-passed"
    DRILL_FAILED = "drill-failed"


@dataclass(frozen=True, slots=True)
class About:
    """What such an event is about. `digest` is the SHA-256 of a sealed envelope; `drill` the challenge that tells one
    drill from another; `serial` that of a paper; `why` a drill failed."""

    account: str
    generation: int
    serial: str = ""
    digest: str = ""
    drill: str = ""
    why: str = ""

    def __str__(self) -> str:
        """`generation=3; serial=k7qd-2m9x; account=CORP\\svc web`: the name, which may hold anything, comes last."""
        said = [f"{name}={value}" for name in _OPTIONAL if (value := getattr(self, name))]
        return "; ".join([f"generation={self.generation}", *said, f"account={self.account}"])


_OPTIONAL = ("serial", "digest", "drill", "why")


def read_about(detail: str) -> About | None:
    """None for a detail of another form."""
    front, found, account = detail.partition("; account=")
    fields = dict(part.partition("=")[::2] for part in front.split("; "))
    generation = fields.pop("generation", "")
    if not found or not generation.isdecimal() or not fields.keys() <= set(_OPTIONAL):
        return None
    return About(account, int(generation), **fields)


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody had the envelope of a generation: `by` whom, `at` which moment."""

    generation: int
    at: float
    by: str


@dataclass(frozen=True, slots=True)
class Paper:
    """`confirmed_at`: a drill was passed with it."""

    serial: str
    generation: int
    at: float
    by: str
    confirmed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Drill:
    generation: int
    at: float
    by: str
    passed: bool
    serial: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """Of one account's envelopes, oldest first. `digests` are by generation, of the envelope sealed last."""

    digests: dict[int, str]
    openings: tuple[Act, ...] = ()
    copies: tuple[Act, ...] = ()
    papers: tuple[Paper, ...] = ()
    drills: tuple[Drill, ...] = ()
    begun: tuple[tuple[str, Act], ...] = ()
    """Drills without an end yet, by their challenge."""

    def opened(self, live: int | None) -> Act | None:
        """The last opening of the live generation: from then on somebody knows the password."""
        return next((act for act in reversed(self.openings) if act.generation == live), None)

    def out_of_sight(self, live: int | None) -> int:
        """How many sealed copies of the live generation left Keyturn, papers among them, and those handed out for a
        drill that nobody ended. Whether one was opened cannot be known."""
        left = [act.generation for act in (*self.copies, *(act for _, act in self.begun))]
        return (left + [paper.generation for paper in self.papers]).count(live or 0)

    def void(self, live: int | None) -> tuple[Paper, ...]:
        """The papers that no longer hold the live password. Whoever finds one in the safe may burn it."""
        return tuple(paper for paper in self.papers if paper.generation != live)


NOTHING_TOLD = History({})


def histories(events: Iterable[Event]) -> dict[str, History]:
    """By the canonical name of the account. Events that tell of something else are passed over."""
    found: dict[str, History] = {}
    for event in events:
        about = read_about(event.detail) if event.kind in set(Told) else None
        if about:
            key = canonical(about.account)
            found[key] = _after(found.get(key, NOTHING_TOLD), event, about)
    return found


def _after(history: History, event: Event, about: About) -> History:
    act = Act(about.generation, event.at, event.actor)
    match Told(event.kind):
        case Told.SEALED:
            return replace(history, digests=history.digests | {about.generation: about.digest})
        case Told.COPIED:
            return replace(history, copies=(*history.copies, act))
        case Told.PRINTED:
            paper = Paper(about.serial, about.generation, event.at, event.actor)
            return replace(history, papers=(*history.papers, paper))
        case Told.OPENED:
            return replace(history, openings=(*history.openings, act))
        case Told.PAPER_VOID:
            return history  # told for people; it follows from the generations
        case Told.DRILL_BEGUN:
            return replace(history, begun=(*history.begun, (about.drill, act)))
        case Told.DRILL_PASSED:
            return _ended(history, event, about, passed=True)
        case Told.DRILL_FAILED:
            return _ended(history, event, about, passed=False)


def _ended(history: History, event: Event, about: About, *, passed: bool) -> History:
    drill = Drill(about.generation, event.at, event.actor, passed, about.serial, about.why)
    confirms = passed and bool(about.serial)
    papers = tuple(
        replace(paper, confirmed_at=event.at) if confirms and paper.serial == about.serial else paper
        for paper in history.papers
    )
    begun = tuple(each for each in history.begun if each[0] != about.drill)
    return replace(history, papers=papers, drills=(*history.drills, drill), begun=begun)
