"""What happened in one contact, as values in their order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from keyturn.agent.consumers.handing import NotHanded
from keyturn.agent.deciding import Forget, Pause
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.wire.agent import BadMessage, NoAnswer

TROUBLE = (NoAnswer, BadMessage, Refused)
"""What the other side may do to a contact. It ends there; what was written down stays."""


@dataclass(frozen=True, slots=True)
class Presented:
    account: str
    generation: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Adopted:
    account: str
    generation: int


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A sealed password that did not open: it is neither held nor presented."""

    account: str
    reason: str


Event: TypeAlias = Presented | Adopted | Spoiled | NotHanded | Pause | Forget
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Report:
    """`failure` says why the contact ended early, and `hint` what a person may do about it; `contact_s` is when the
    site wants to be asked again. `needs_none`: an advanced client to which the site gives no account, and which
    therefore presents none."""

    events: tuple[Event, ...] = ()
    failure: str = ""
    contact_s: float | None = None
    needs_none: bool = False
    hint: str = ""

    @property
    def logon(self) -> Presented | None:
        """The logon that let the client in, or else the last one tried."""
        tried = self.of(Presented)
        return next((p for p in tried if p.answer is Answer.ACCEPTED), tried[-1] if tried else None)

    @property
    def accepted(self) -> bool:
        return self.logon is not None and self.logon.answer is Answer.ACCEPTED

    @property
    def retry_s(self) -> float | None:
        return min((pause.retry_s for pause in self.of(Pause)), default=None)

    @property
    def failed(self) -> bool:
        """A client that was told to wait has not failed."""
        return bool(self.failure) or not (self.accepted or self.of(Pause) or self.needs_none)

    def of(self, kind: type[E]) -> tuple[E, ...]:
        return tuple(event for event in self.events if isinstance(event, kind))


def gather(events: Iterable[Event], contact_s: float | None = None) -> Report:
    """Everything that happens, up to the end or up to the trouble."""
    happened: list[Event] = []
    try:
        for event in events:
            happened.append(event)  # extend() would lose what came before the trouble
    except TROUBLE as error:
        return Report(tuple(happened), error.message, contact_s, hint=error.hint)
    return Report(tuple(happened), contact_s=contact_s)
