"""What people decide about a plan: approved, resumed, rejected, abandoned, a holder given up. Who did is kept."""

from collections.abc import Collection
from dataclasses import replace
from functools import cache

from sqlalchemy import Connection, Insert, Select, Update, bindparam, insert, select, update

from keyturn.adapters.store import account_rows, claims, holding_rows, plan_rows
from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema import approvals, decisions, marks, plans, releases
from keyturn.lifecycle.plan import Publish
from keyturn.model.accounts import canonical
from keyturn.model.errors import Refused
from keyturn.operations.ports import PlanRecord, PlanState

_UNDER_WAY = (PlanState.RUNNING, PlanState.WAITING, PlanState.STOPPED)

_MAY_BECOME: dict[PlanState, tuple[PlanState, ...]] = {
    PlanState.RUNNING: _UNDER_WAY,
    PlanState.REJECTED: (PlanState.PROPOSED,),
    PlanState.ABANDONED: (PlanState.PROPOSED, *_UNDER_WAY),
}
"""What a person may decide, and in which states of the plan."""

_INSTEAD = {PlanState.RUNNING: "approve", PlanState.REJECTED: "abandon"}
"""The verb for an open plan of which that cannot be decided."""


class SqlDecisions(Part):
    def approve(self, plan_id: str, by: str, *, needed: int) -> PlanRecord:
        """Persons count, not spellings. Nothing changes in a plan that is under way; Refused for one that has ended."""
        with self._database.writing() as connection:
            record = plan_rows.find(connection, plan_id)
            _refuse_ended(record)
            return self._approve(connection, record, by, needed) if record.state is PlanState.PROPOSED else record

    def _approve(self, connection: Connection, record: PlanRecord, by: str, needed: int) -> PlanRecord:
        person = canonical(by)
        approved = set(connection.execute(_approvers(), {"plan": record.plan_id}).scalars())
        if person not in approved:
            new = {"plan_id": record.plan_id, "person_key": person, "person": by, "at": self._database.now()}
            connection.execute(_approval(), new)
            record = replace(record, approved_by=(*record.approved_by, by))
        if len(approved | {person}) < needed:
            return record
        connection.execute(_decided(), {"which": record.plan_id, "state": PlanState.RUNNING})
        claims.bear_roles(connection, record.plan)
        return replace(record, state=PlanState.RUNNING)

    def decide(self, plan_id: str, state: PlanState, by: str, note: str = "") -> PlanRecord:
        """Ending a plan fences its worker off at once. One abandoned over a candidate of unknown fate has not ended:
        running it again is how that fate is learnt."""
        with self._database.writing() as connection:
            record = plan_rows.find(connection, plan_id)
            if state is PlanState.RUNNING and _may_return(connection, record):
                claims.claim(self._database, connection, record.plan_id, record.plan)
                claims.bear_roles(connection, record.plan)
            else:
                _refuse_decision(record, state)
            self._record(connection, record.plan_id, state, by, note)
            if state is PlanState.RUNNING:
                self._begin_anew(connection, record)
            else:
                _end(connection, record.plan_id)
            return plan_rows.find(connection, record.plan_id)

    def _record(self, connection: Connection, plan_id: str, state: PlanState, by: str, note: str) -> None:
        at = self._database.now()
        connection.execute(insert(decisions).values(plan_id=plan_id, state=state, decided_by=by, at=at, note=note))
        changed = {"state": state, "note": note, "hint": "", "missing": "[]"}
        connection.execute(_decided(), {"which": plan_id, **changed})

    def _begin_anew(self, connection: Connection, record: PlanRecord) -> None:
        """Patience starts again, and holders that were refused may try again."""
        unfinished = (marks.c.plan_id == record.plan_id, marks.c.done_at.is_(None))
        connection.execute(update(marks).where(*unfinished).values(intended_at=self._database.now()))
        for step in (planned.step for planned in record.plan.steps):
            if isinstance(step, Publish):
                row = account_rows.known(connection, step.credential.account)
                of_credential = holding_rows.of(row.key, step.credential.generation)
                holding_rows.forget_refusals(connection, self._database.now(), *of_credential)

    def release(self, plan_id: str, holders: Collection[str], by: str) -> PlanRecord:
        with self._database.writing() as connection:
            record = plan_rows.find(connection, plan_id)
            _refuse_ended(record)
            already = {canonical(name) for name in record.released}
            common = {"plan_id": record.plan_id, "released_by": by, "at": self._database.now()}
            named = {canonical(name): name for name in holders}
            for key, name in named.items():
                if key not in already:
                    connection.execute(insert(releases).values(holder_key=key, name=name, **common))
            return plan_rows.find(connection, record.plan_id)


@cache
def _approvers() -> Select[str]:
    return select(approvals.c.person_key).where(approvals.c.plan_id == bindparam("plan"))


@cache
def _approval() -> Insert:
    return insert(approvals)


@cache
def _decided() -> Update:
    return update(plans).where(plans.c.plan_id == bindparam("which"))


def _end(connection: Connection, plan_id: str) -> None:
    fenced_off = {"leased_by": None, "lease_until": None}
    connection.execute(_decided(), {"which": plan_id, **fenced_off})
    claims.close(connection, plan_id)


def _may_return(connection: Connection, record: PlanRecord) -> bool:
    return record.state is PlanState.ABANDONED and claims.resumable(connection, record.plan_id)


def _refuse_decision(record: PlanRecord, state: PlanState) -> None:
    if state not in _MAY_BECOME:
        raise ValueError(f"nobody decides that a plan is {state}")
    _refuse_ended(record)
    if record.state not in _MAY_BECOME[state]:
        raise Refused(
            f"plan {record.plan_id} is {record.state}, so it cannot become {state} by decision",
            hint=f"keyturn plan {_INSTEAD[state]} {record.plan_id}",
        )


def _refuse_ended(record: PlanRecord) -> None:
    if not record.state.open:
        raise Refused(f"plan {record.plan_id} has ended: {record.state}")
