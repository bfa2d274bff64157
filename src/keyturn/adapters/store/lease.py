"""What a worker writes for the one plan it holds."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Select, Update, bindparam, insert, select, update

from keyturn.adapters.store import claims, plan_rows
from keyturn.adapters.store.holdings import LeasedHoldings
from keyturn.adapters.store.schema import marks, plans
from keyturn.adapters.store.tenure import LeasedPart
from keyturn.adapters.store.vault import LeasedVault
from keyturn.lifecycle.journal import Journal, Mark, Marked
from keyturn.operations.ports import Lease, PlanState


class LeasedJournal(LeasedPart, Journal):
    def marks(self, plan_id: str) -> Mapping[int, Marked]:
        self._own(plan_id)
        with self._database.reading() as connection:
            return plan_rows.marks_of(connection, plan_id)

    def write(self, plan_id: str, number: int, mark: Mark) -> float:
        """A mark that stands already keeps its moment, and DONE is never taken back."""
        self._own(plan_id)
        with self._tenure.writing() as connection:
            return self._write(connection, number, mark, self._database.now())

    def go_on(self, plan_id: str, done: int) -> float:
        self._own(plan_id)
        with self._tenure.writing() as connection:
            now = self._database.now()
            self._write(connection, done, Mark.DONE, now)
            return self._write(connection, done + 1, Mark.INTENDED, now)

    def _write(self, connection: Connection, number: int, mark: Mark, now: float) -> float:
        row = connection.execute(_mark(), {"plan": self._plan_id, "number": number}).one_or_none()
        if row is None:
            done_at = now if mark is Mark.DONE else None
            new = {"plan_id": self._plan_id, "step": number, "intended_at": now, "done_at": done_at}
            connection.execute(_new_mark(), new)
        elif mark is Mark.INTENDED or row.done_at is not None:
            return plan_rows.marked(row).since
        else:
            connection.execute(_done(), {"plan": self._plan_id, "number": number, "now": now})
        return now

    def _own(self, plan_id: str) -> None:
        if plan_id != self._plan_id:
            raise ValueError(f"a lease on plan {self._plan_id} is none on plan {plan_id}")


@cache
def _mark() -> Select[Any]:
    return select(marks).where(marks.c.plan_id == bindparam("plan"), marks.c.step == bindparam("number"))


@cache
def _new_mark() -> Insert:
    return insert(marks)


@cache
def _done() -> Update:
    this = (marks.c.plan_id == bindparam("plan"), marks.c.step == bindparam("number"))
    return update(marks).where(*this).values(done_at=bindparam("now"))


class SqlLease(LeasedJournal, LeasedVault, LeasedHoldings, Lease):
    def check(self) -> None:
        """Extends the lease too, so that the change in the realm has all of it."""
        with self._tenure.writing():
            pass

    def finish(self, state: PlanState, note: str = "", hint: str = "", missing: Sequence[str] = ()) -> None:
        left = {"state": state, "note": note, "hint": hint, "missing": json.dumps(list(missing))}
        with self._tenure.writing() as connection:
            connection.execute(_left(), {"which": self._plan_id, **left})
            if not state.open:
                claims.close(connection, self._plan_id)


@cache
def _left() -> Update:
    """Where the plan stands, held by nobody."""
    return update(plans).where(plans.c.plan_id == bindparam("which")).values(leased_by=None, lease_until=None)
