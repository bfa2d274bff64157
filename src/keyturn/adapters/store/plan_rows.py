"""Plans as they are kept: the record, and the marks, approvals and releases beside it."""

import json
from collections import defaultdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from keyturn.adapters.store.plan_json import from_json
from keyturn.adapters.store.schema import approvals, holders, marks, plans, releases
from keyturn.lifecycle.journal import Mark, Marked
from keyturn.lifecycle.plan import Plan
from keyturn.lockout.changes import Forecast
from keyturn.model.errors import NotFound
from keyturn.operations.ports import PlanRecord, PlanState


def find(connection: Connection, plan_id: str) -> PlanRecord:
    """By its id, or the beginning of it where that is unique. NotFound else."""
    begins = func.substr(plans.c.plan_id, 1, len(plan_id)) == plan_id
    few = select(plans.c.plan_id).where(begins).order_by(plans.c.plan_id).limit(5)
    ids = connection.execute(few).scalars().all() if plan_id else []
    if not ids:
        raise NotFound(f"no plan {plan_id}", hint="keyturn plan list")
    if len(ids) > 1 and ids[0] != plan_id:
        raise NotFound(f"more than one plan begins with {plan_id}", hint="write " + " or ".join(ids))
    return records(connection, plans.c.plan_id == ids[0])[0]


def records(connection: Connection, *which: ColumnElement[bool]) -> tuple[PlanRecord, ...]:
    """Oldest first; four queries, however many plans. `which` are conditions on `plans`."""
    ids = select(plans.c.plan_id).where(*which)
    marks_by_plan = _marks(connection, ids)
    approved = _names(connection, select(approvals.c.plan_id, approvals.c.person).order_by(approvals.c.at), ids)
    released = _names(connection, _RELEASED, ids)
    rows = connection.execute(select(plans).where(*which).order_by(plans.c.proposed_at, plans.c.plan_id))
    return tuple(
        PlanRecord(
            plan_id=row.plan_id,
            plan=from_json(row.plan, Plan, f"plan {row.plan_id}"),
            forecast=from_json(row.forecast, Forecast, f"the forecast of plan {row.plan_id}"),
            state=PlanState(row.state),
            proposed_by=row.proposed_by,
            proposed_at=row.proposed_at,
            approved_by=tuple(approved[row.plan_id]),
            released=tuple(released[row.plan_id]),
            note=row.note,
            hint=row.hint,
            missing=tuple(json.loads(row.missing)),
            marks=marks_by_plan[row.plan_id],
        )
        for row in rows
    )


def plan_of(connection: Connection, plan_id: str) -> Plan:
    text = connection.execute(select(plans.c.plan).where(plans.c.plan_id == plan_id)).scalar_one()
    return from_json(text, Plan, f"plan {plan_id}")


def marks_of(connection: Connection, plan_id: str) -> dict[int, Marked]:
    return _marks(connection, select(plans.c.plan_id).where(plans.c.plan_id == plan_id))[plan_id]


def marked(row: Row[Any]) -> Marked:
    return Marked(Mark.INTENDED, row.intended_at) if row.done_at is None else Marked(Mark.DONE, row.done_at)


def released_from(connection: Connection, plan_id: str) -> list[str]:
    return _names(connection, _RELEASED, select(plans.c.plan_id).where(plans.c.plan_id == plan_id))[plan_id]


_RELEASED = (
    # Whoever released them may have typed the name otherwise than it was published.
    select(releases.c.plan_id, func.coalesce(holders.c.name, releases.c.name))
    .select_from(releases.outerjoin(holders, releases.c.holder_key == holders.c.holder_key))
    .order_by(releases.c.at, releases.c.holder_key)
)


def _marks(connection: Connection, ids: Select[tuple[str]]) -> defaultdict[str, dict[int, Marked]]:
    found = defaultdict[str, dict[int, Marked]](dict)
    for row in connection.execute(select(marks).where(marks.c.plan_id.in_(ids)).order_by(marks.c.step)):
        found[row.plan_id][row.step] = marked(row)
    return found


def _names(connection: Connection, pairs: Select[Any], ids: Select[tuple[str]]) -> defaultdict[str, list[str]]:
    """`pairs` selects plan ids and names."""
    found = defaultdict[str, list[str]](list)
    for plan_id, name in connection.execute(pairs.where(pairs.selected_columns[0].in_(ids))):
        found[plan_id].append(name)
    return found
