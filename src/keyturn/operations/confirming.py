"""Holders without an agent: a person has given them the new password, and says that they work with it."""

from collections.abc import Collection

from keyturn.lifecycle.journal import Mark
from keyturn.lifecycle.plan import AwaitCanary, AwaitUptake, Withdraw
from keyturn.model.accounts import Credential
from keyturn.model.errors import Refused
from keyturn.model.estate import Proof
from keyturn.operations.parts import Parts
from keyturn.operations.ports import PlanRecord


def confirm(parts: Parts, plan_id: str, holders: Collection[str], *, by: str) -> PlanRecord:
    """The plan waits for them no longer, as if they had logged on; who said so is kept. All of them or none.

    Refused where the plan waits for no holder now, or not for one of these.
    """
    record = parts.store.plan(plan_id)
    credential = awaited(record)
    if credential is None:
        raise Refused(f"plan {record.plan_id} waits for no holder now", hint=f"keyturn plan show {record.plan_id}")
    with parts.store.whole():
        for holder in holders:
            if not parts.store.prove(holder, credential, Proof.CONFIRMED, parts.now()):
                raise Refused(
                    f"plan {record.plan_id} does not wait for {holder}", hint=f"keyturn plan show {record.plan_id}"
                )
        parts.store.tell(by, "holders-confirmed", record.plan_id, f"{credential}: {', '.join(sorted(holders))}")
    parts.wake()
    return parts.store.plan(record.plan_id)


def awaited(record: PlanRecord) -> Credential | None:
    """What the holders are to prove at the step that is under way."""
    for number, planned in enumerate(record.plan.steps):
        marked = record.marks.get(number)
        if marked is None or marked.mark is Mark.DONE:
            continue
        match planned.step:
            case AwaitCanary(credential) | AwaitUptake(credential):
                return credential
            case Withdraw(_, in_favour_of):
                return in_favour_of
            case _:
                pass
    return None
