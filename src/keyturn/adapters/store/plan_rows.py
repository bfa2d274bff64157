"""Plans as they are kept: the record, and the marks, approvals and releases beside it."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select

from keyturn.adapters.store.plan_json import from_json
from keyturn.adapters.store.schema import approvals, holders, marks, plans, releases
from keyturn.lifecycle.journal import Mark, Marked
from keyturn.lifecycle.plan import Plan
from keyturn.lockout.changes import Forecast
from keyturn.model.errors import NotFound
from keyturn.operations.ports import PlanRecord, PlanState


def find(connection: Connection, plan_id: str) -> PlanRecord:
    """By its id, or the beginning of it where that is unique. NotFound else."""
    whole = _read(connection, _of_one(), {"plan": plan_id})
    return whole[0] if whole else _read(connection, _of_one(), {"plan": _id_of(connection, plan_id)})[0]


def _id_of(connection: Connection, beginning: str) -> str:
    begins = func.substr(plans.c.plan_id, 1, len(beginning)) == beginning
    few = select(plans.c.plan_id).where(begins).order_by(plans.c.plan_id).limit(5)
    ids = connection.execute(few).scalars().all() if beginning else []
    if not ids:
        raise NotFound(f"no plan {beginning}", hint="keyturn plan list")
    if len(ids) > 1:
        raise NotFound(f"more than one plan begins with {beginning}", hint="write " + " or ".join(ids))
    return str(ids[0])


def records(connection: Connection, *which: ColumnElement[bool]) -> tuple[PlanRecord, ...]:
    """Oldest first. `which` are conditions on `plans`."""
    return _read(connection, _queries(*which), {})


@dataclass(frozen=True, slots=True)
class _Queries:
    """All that is kept of some plans, however many."""

    plans: Select[Any]
    marks: Select[Any]
    approved: Select[Any]
    released: Select[Any]


def _queries(*which: ColumnElement[bool]) -> _Queries:
    ids = select(plans.c.plan_id).where(*which)
    return _Queries(
        select(plans).where(*which).order_by(plans.c.proposed_at, plans.c.plan_id),
        select(marks).where(marks.c.plan_id.in_(ids)).order_by(marks.c.step),
        _APPROVED.where(approvals.c.plan_id.in_(ids)),
        _RELEASED.where(releases.c.plan_id.in_(ids)),
    )


@cache
def _of_one() -> _Queries:
    return _queries(plans.c.plan_id == bindparam("plan"))


def _read(connection: Connection, queries: _Queries, whose: Mapping[str, str]) -> tuple[PlanRecord, ...]:
    rows = connection.execute(queries.plans, whose).all()
    if not rows:
        return ()
    marks_by_plan = _marks(connection, queries.marks, whose)
    approved = _names(connection, queries.approved, whose)
    released = _names(connection, queries.released, whose)
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
    return _marks(connection, _of_one().marks, {"plan": plan_id})[plan_id]


def marked(row: Row[Any]) -> Marked:
    return Marked(Mark.INTENDED, row.intended_at) if row.done_at is None else Marked(Mark.DONE, row.done_at)


def released_from(connection: Connection, plan_id: str) -> list[str]:
    return _names(connection, _of_one().released, {"plan": plan_id})[plan_id]


_APPROVED = select(approvals.c.plan_id, approvals.c.person).order_by(approvals.c.at)
_RELEASED = (
    # Whoever released them may have typed the name otherwise than it was published.
    select(releases.c.plan_id, func.coalesce(holders.c.name, releases.c.name))
    .select_from(releases.outerjoin(holders, releases.c.holder_key == holders.c.holder_key))
    .order_by(releases.c.at, releases.c.holder_key)
)


def _marks(connection: Connection, query: Select[Any], whose: Mapping[str, str]) -> defaultdict[str, dict[int, Marked]]:
    found = defaultdict[str, dict[int, Marked]](dict)
    for row in connection.execute(query, whose):
        found[row.plan_id][row.step] = marked(row)
    return found


def _names(connection: Connection, pairs: Select[Any], whose: Mapping[str, str]) -> defaultdict[str, list[str]]:
    """`pairs` selects plan ids and names."""
    found = defaultdict[str, list[str]](list)
    for plan_id, name in connection.execute(pairs, whose):
        found[plan_id].append(name)
    return found
