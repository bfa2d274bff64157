"""The audit log: shown, checked from its first event to its last, and compared with checkpoints kept elsewhere."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, pairwise

from keyturn.model.accounts import same_name
from keyturn.model.errors import Refused
from keyturn.operations.ports import Chained, Event, Events

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class AuditLog:
    site: str
    events: Events


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log was up to one event. Whoever has no seal key can make none that fits, so it needs no signature; what
    it proves, it proves because it was kept where whoever changes the log does not get."""

    site: str
    number: int
    at: float
    """The moment of that event."""
    link: bytes

    def __str__(self) -> str:
        return f"{_LABEL} {self.site} {self.number} {_moment(self.at)} {self.link.hex()}"


@dataclass(frozen=True, slots=True)
class Fault:
    """`number` is that of the first event that does not fit."""

    number: int
    wrong: str

    def __str__(self) -> str:
        return f"event {self.number}: {self.wrong}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`events` fit, counted from the first; `last` is the newest of them; `checkpoints` were compared and fit."""

    events: int
    last: Checkpoint | None
    checkpoints: int
    fault: Fault | None


def verify(log: AuditLog, checkpoints: Sequence[Checkpoint] = ()) -> Verdict:
    """Read the whole log, in one consistent reading. Refused for a checkpoint of another site."""
    for checkpoint in checkpoints:
        if checkpoint.site != log.site:
            raise Refused(f"this is site {log.site}, and the checkpoint is of site {checkpoint.site}")
    with closing(log.events.chained()) as records:
        return _walked(log, records, checkpoints)


def take_checkpoint(log: AuditLog) -> Checkpoint:
    """The end of the log as it is now. Refused where the log does not fit: its checkpoint would be worth nothing."""
    verdict = verify(log)
    if verdict.fault:
        raise Refused(f"the audit log does not fit: {verdict.fault}", hint="keyturn audit-log verify")
    if verdict.last is None:
        raise Refused("the audit log is empty")
    return verdict.last


def read_checkpoints(text: str) -> tuple[Checkpoint, ...]:
    """One a line, beside empty lines and those that begin with `#`. Refused by the number of a line that is none."""
    return tuple(
        _read(number, line.strip())
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.strip().startswith("#")
    )


def shown(
    log: AuditLog, *, since: int = 0, limit: int = _PAGE, actor: str | None = None, account: str | None = None
) -> list[Event]:
    """At most `limit` events after the one numbered `since`, oldest first: those of an actor, or that name an account
    (`REALM\\name`, or the name alone)."""
    found: list[Event] = []
    while len(found) < limit and (page := log.events.since(since, _PAGE)):
        found += (e for e in page if (not actor or same_name(e.actor, actor)) and (not account or _names(e, account)))
        since = page[-1].number
    return found[:limit]


def _walked(log: AuditLog, records: Iterable[Chained], checkpoints: Sequence[Checkpoint]) -> Verdict:
    ahead = sorted(checkpoints, key=lambda checkpoint: checkpoint.number)
    last: Checkpoint | None = None
    compared = 0
    for record, following in _with_following(records):
        fault = _fault_of(log.events, last, record, following)
        while not fault and ahead and ahead[0].number <= record.event.number:
            fault = _fault_against(ahead.pop(0), record)
            compared += not fault
        if fault:
            return Verdict(last.number if last else 0, last, compared, fault)
        last = Checkpoint(log.site, record.event.number, record.event.at, record.link)
    count = last.number if last else 0
    return Verdict(count, last, compared, _cut_off(count, ahead[0]) if ahead else None)


def _with_following(records: Iterable[Chained]) -> Iterator[tuple[Chained, Chained | None]]:
    for record, following in pairwise(chain(records, [None])):
        assert record is not None
        yield record, following


def _fault_of(events: Events, last: Checkpoint | None, record: Chained, following: Chained | None) -> Fault | None:
    expected = last.number + 1 if last else 1
    if record.event.number != expected:
        return Fault(expected, _out_of_turn(expected, record.event.number))
    fitting = events.link_after(last.link if last else None, record.event)
    if record.link == fitting:
        return None
    if following and following.link == events.link_after(record.link, following.event):
        return Fault(expected, "its content was altered")
    if following and following.link == events.link_after(fitting, following.event):
        return Fault(expected, "its hash was altered, and nothing else of it")
    return Fault(
        expected,
        "it was altered, or put in the place of another: inserted, moved, or moved up after others were taken out",
    )


def _out_of_turn(expected: int, number: object) -> str:
    if isinstance(number, int) and number > expected:
        missing = f"events {expected} to {number - 1} are" if number - 1 > expected else "it is"
        return f"{missing} missing; the log goes on with event {number}"
    return f"in its place stands a record with the number {number!r}, inserted or moved"


def _fault_against(checkpoint: Checkpoint, record: Chained) -> Fault | None:
    if checkpoint.link == record.link:
        return None
    return Fault(
        checkpoint.number,
        f"it is not the event of {_moment(checkpoint.at)} that the checkpoint is of: the log was written anew with the "
        "seal key, or goes on from an older backup",
    )


def _cut_off(count: int, checkpoint: Checkpoint) -> Fault:
    seen = f"the checkpoint is of event {checkpoint.number}, of {_moment(checkpoint.at)}"
    return Fault(count + 1, f"the log was cut off before it, or is an older backup; {seen}")


def _names(event: Event, account: str) -> bool:
    """As a whole name: KtClient is not KtClient_2."""
    whole = re.compile(rf"(?<![\w.&$-]){re.escape(account)}(?![\w.&$-])", re.IGNORECASE)
    return any(whole.search(text) for text in (event.subject, event.detail))


_LABEL = "keyturn-checkpoint-1"
_LINE = re.compile(
    rf"{_LABEL} (?P<site>\S+) (?P<number>[1-9]\d{{0,17}}) "
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?P<link>[0-9a-f]{64})",
    re.ASCII,
)
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def _read(number: int, line: str) -> Checkpoint:
    found = _LINE.fullmatch(line)
    try:
        if not found:
            raise ValueError
        at = datetime.strptime(found["at"], _MOMENT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refused(
            f"line {number} of the checkpoints is not one", hint="keyturn audit-log checkpoint prints them"
        ) from None
    return Checkpoint(found["site"], int(found["number"]), at, bytes.fromhex(found["link"]))


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(_MOMENT)
