"""Plans: proposed, shown, and taken by a worker."""

import json
from functools import cache

from sqlalchemy import BindParameter, Insert, Select, bindparam, insert, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from keyturn.adapters.store import account_rows, claims, generation_rows, plan_rows
from keyturn.adapters.store.decisions import SqlDecisions
from keyturn.adapters.store.lease import SqlLease
from keyturn.adapters.store.plan_json import to_json
from keyturn.adapters.store.schema import plans
from keyturn.adapters.store.tenure import Tenure
from keyturn.lifecycle.plan import PlanKind, SetPassword
from keyturn.model.accounts import AnyAccount, Credential
from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.operations.ports import Lease, PlanRecord, Plans, PlanState
from keyturn.operations.site_works import components_are_stopped

_OPEN = [state for state in PlanState if state.open]
_WORK_LEFT = [PlanState.RUNNING, PlanState.WAITING]


class SqlPlans(SqlDecisions, Plans):
    def propose(self, record: PlanRecord, given: tuple[Credential, Secret] | None) -> None:
        if record.state is not PlanState.PROPOSED:
            raise ValueError(f"a new plan is proposed, not {record.state}")
        row = {
            "plan_id": record.plan_id,
            "plan": to_json(record.plan),
            "forecast": to_json(record.forecast),
            "state": record.state,
            "proposed_by": record.proposed_by,
            "proposed_at": record.proposed_at,
            "note": record.note,
            "hint": record.hint,
            "missing": json.dumps(record.missing),
            "fence": 0,
        }
        with self._database.writing() as connection:
            if connection.execute(_same(), {"which": record.plan_id}).first():
                raise Refused(f"there is a plan {record.plan_id} already")
            connection.execute(_new(), row)
            claims.claim(self._database, connection, record.plan_id, record.plan)
            if given:
                claims.keep_given(connection, self._database.cipher, record.plan_id, *given)

    def plan(self, plan_id: str) -> PlanRecord:
        with self._database.reading() as connection:
            return plan_rows.find(connection, plan_id)

    def plans(self, *, only_open: bool = False) -> tuple[PlanRecord, ...]:
        which = [plans.c.state.in_(_OPEN)] if only_open else []
        with self._database.reading() as connection:
            return plan_rows.records(connection, *which)

    def changing(self, account: AnyAccount) -> bool:
        with self._database.reading() as connection:
            row = account_rows.find(connection, account)
            if row is None:
                return False
            if generation_rows.undecided(connection, row.key):
                return True
            claimant = claims.claimed_by(connection, row.key)
            if claimant is None:
                return False
            record = plan_rows.find(connection, claimant)
        return record.state is not PlanState.PROPOSED and _changes(record, account)

    def lease(self, plan_id: str, worker: str, lease_s: float) -> Lease | None:
        """A worker takes its own plan back at once, as after a restart, and fences its earlier self off: so the names
        of workers that run at the same time must differ."""
        with self._database.writing() as connection:
            now = self._database.now()
            taking = {"which": plan_id, "worker": worker, "now": now, "until": now + lease_s}
            fence = connection.execute(_take(), taking).scalar_one_or_none()
        return None if fence is None else SqlLease(Tenure(self._database, plan_id, fence, lease_s))


def _changes(record: PlanRecord, account: AnyAccount) -> bool:
    """A site reset changes several accounts, and only while components are stopped; others it holds as they are."""
    if record.plan.kind is not PlanKind.SITE_RESET:
        return record.plan.account == account
    steps = (planned.step for planned in record.plan.steps)
    sets = any(isinstance(step, SetPassword) and step.credential.account == account for step in steps)
    return sets and components_are_stopped(record)


@cache
def _same() -> Select[str]:
    return select(plans.c.plan_id).where(plans.c.plan_id == bindparam("which"))


@cache
def _new() -> Insert:
    return insert(plans)


@cache
def _take() -> ReturningUpdate[int]:
    """Gives the number of the fence."""
    worker: BindParameter[str] = bindparam("worker")
    free = or_(plans.c.lease_until.is_(None), plans.c.lease_until <= bindparam("now"), plans.c.leased_by == worker)
    return (
        update(plans)
        .where(plans.c.plan_id == bindparam("which"), free, plans.c.state.in_(_WORK_LEFT))
        .values(fence=plans.c.fence + 1, leased_by=worker, lease_until=bindparam("until"))
        .returning(plans.c.fence)
    )
