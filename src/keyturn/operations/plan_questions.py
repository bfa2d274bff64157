"""What stopped plans ask, each question once: one wrong bind password stops a thousand plans with the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from keyturn.model.errors import Refused
from keyturn.operations.parts import Parts
from keyturn.operations.plans import resume
from keyturn.operations.ports import PlanRecord, PlanState

_PLACE = "…"


@dataclass(frozen=True, slots=True)
class Question:
    """Of plans that differ in their accounts and generations alone. `text` has `…` in the place of those, where there
    are several."""

    text: str
    hint: str
    plans: tuple[PlanRecord, ...]


@dataclass(frozen=True, slots=True)
class Resumed:
    plans: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    """By plan, why it was not."""


def questions(parts: Parts) -> tuple[Question, ...]:
    """Those asked most often first."""
    alike: dict[tuple[str, str], list[PlanRecord]] = {}
    for record in _stopped(parts):
        alike.setdefault(_asked(record), []).append(record)
    found = [_question(asked, records) for asked, records in alike.items()]
    return tuple(sorted(found, key=lambda question: -len(question.plans)))


def resume_alike(parts: Parts, plan_id: str, *, by: str) -> Resumed:
    """Resume the plan and every other that stopped with the same question, each as if by itself: one that cannot be
    holds up no other."""
    record = parts.store.plan(plan_id)
    if record.state is not PlanState.STOPPED:
        raise Refused(f"plan {record.plan_id} is {record.state}; only a stopped one has others alike")
    alike = [other for other in _stopped(parts) if _asked(other) == _asked(record)]
    refused = []
    for other in alike:
        try:
            resume(parts, other.plan_id, by=by)
        except Refused as error:
            refused.append((other.plan_id, error.message))
    without = {plan for plan, _ in refused}
    return Resumed(tuple(r.plan_id for r in alike if r.plan_id not in without), tuple(refused))


def _stopped(parts: Parts) -> list[PlanRecord]:
    return [record for record in parts.store.plans(only_open=True) if record.state is PlanState.STOPPED]


def _asked(record: PlanRecord) -> tuple[str, str]:
    return _without_names(record, record.note), _without_names(record, record.hint)


def _without_names(record: PlanRecord, text: str) -> str:
    """Longest first: the name alone is part of the name with its realm."""
    for name in sorted(_names(record), key=len, reverse=True):
        text = text.replace(name, _PLACE)
    return text


def _names(record: PlanRecord) -> set[str]:
    steps = (p.step for p in record.plan.steps)
    credentials = [step.credential for step in steps if hasattr(step, "credential")]
    accounts = {record.plan.account, *(credential.account for credential in credentials)}
    names = {name for account in accounts for name in (str(account), account.name)}
    return names | {str(credential) for credential in credentials}


def _question(asked: tuple[str, str], records: Sequence[PlanRecord]) -> Question:
    if len(records) == 1:
        return Question(records[0].note, records[0].hint, tuple(records))
    return Question(*asked, tuple(records))
