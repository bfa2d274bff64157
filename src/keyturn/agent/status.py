"""What an agent shows of itself after every contact: `status.json`, and one line each for people and programs."""

import msgspec

from keyturn.agent.client import Client
from keyturn.agent.consumers.handing import NotHanded
from keyturn.agent.deciding import Forget, Pause
from keyturn.agent.records import Standing
from keyturn.agent.report import Adopted, Event, Presented, Report, Spoiled
from keyturn.model.logon import Answer
from keyturn.wire.agent import Held


class Known(msgspec.Struct, frozen=True):
    account: str
    generation: int
    standing: Standing
    proven: bool


class Status(msgspec.Struct, frozen=True):
    """`at` is the last contact, in seconds since the epoch; account, generation and answer are of its logon, null
    where none was made. `failures` counts contacts failed in a row; `failed_logons` every logon not accepted."""

    agent: str
    site: str
    gated: bool
    at: float
    account: str | None
    generation: int | None
    answer: Answer | None
    note: str
    orphaned: bool
    contacts: int
    failures: int
    failed_logons: int
    credentials: tuple[Known, ...]
    hint: str = ""
    """What a person may do about the note."""


class ContactLine(msgspec.Struct, frozen=True):
    """What `keyturn agent run --json` prints for every contact."""

    at: float
    agent: str
    account: str | None
    generation: int | None
    answer: Answer | None
    adopted: tuple[Held, ...]


def status_after(report: Report, client: Client, before: Status | None, *, gated: bool, at: float) -> Status:
    logon = report.logon
    rejected = sum(presented.answer is not Answer.ACCEPTED for presented in report.of(Presented))
    return Status(
        agent=client.name,
        site=client.installation.site,
        gated=gated,
        at=at,
        account=logon.account if logon else None,
        generation=logon.generation if logon else None,
        answer=logon.answer if logon else None,
        note=report.failure,
        orphaned=client.credentials.orphaned,
        contacts=(before.contacts if before else 0) + 1,
        failures=(before.failures if before else 0) + 1 if report.failed else 0,
        failed_logons=(before.failed_logons if before else 0) + rejected,
        credentials=tuple(
            Known(copy.account, copy.generation, copy.standing, copy.standing is Standing.PROVEN)
            for copy in client.credentials.held()
        ),
        hint=report.hint,
    )


def read_status(data: bytes | None) -> Status | None:
    """None as well for a file that cannot be read: nothing rests on it."""
    try:
        return msgspec.json.decode(data, type=Status) if data else None
    except (ValueError, RecursionError):
        return None


def contact_line(report: Report, status: Status) -> ContactLine:
    adopted = tuple(Held(event.account, event.generation) for event in report.of(Adopted))
    return ContactLine(status.at, status.agent, status.account, status.generation, status.answer, adopted)


def in_words(report: Report) -> str:
    """One line for a log."""
    parts = [_words(event) for event in report.events]
    if report.failure:
        parts.append(report.failure)
    return "; ".join(parts) or "nothing to present"


def _words(event: Event) -> str:
    match event:
        case Presented(account, generation, answer):
            return f"{account} generation {generation}: {answer}"
        case Adopted(account, generation):
            return f"adopted {account} generation {generation}"
        case Spoiled(_, reason):
            return reason
        case NotHanded(account, consumer, reason):
            return f"{account} is not proven, for {consumer} does not work with it: {reason}"
        case Pause(account, retry_s, reason):
            return f"{account} waits {retry_s:g} s: {reason}"
        case Forget(account):
            return f"forgot {account}"
