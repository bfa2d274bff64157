"""What a worker writes for the one plan it holds."""

import json
from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import Connection, Insert, Update, bindparam, insert, update

from keyturn.adapters.store import claims, plan_rows
from keyturn.adapters.store.holdings import LeasedHoldings
from keyturn.adapters.store.schema import marks, plans
from keyturn.adapters.store.tenure import LeasedPart
from keyturn.adapters.store.vault import LeasedVault
from keyturn.lifecycle.journal import Journal, Mark, Marked
from keyturn.operations.ports import Lease, PlanState


class LeasedJournal(LeasedPart, Journal):
    _marks: "dict[int, Marked] | None" = None
    """As read once and written since: nobody else writes marks of the plan while the lease holds."""

    def marks(self, plan_id: str) -> Mapping[int, Marked]:
        self._own(plan_id)
        if self._marks is None:
            with self._database.reading() as connection:
                self._marks = plan_rows.marks_of(connection, plan_id)
        return dict(self._marks)

    def write(self, plan_id: str, number: int, mark: Mark) -> float:
        """A mark that stands already keeps its moment, and DONE is never taken back."""
        return self._write(plan_id, {number: mark})[number].since

    def go_on(self, plan_id: str, done: int) -> float:
        return self._write(plan_id, {done: Mark.DONE, done + 1: Mark.INTENDED})[done + 1].since

    def _write(self, plan_id: str, wanted: Mapping[int, Mark]) -> Mapping[int, Marked]:
        """In one commit. How they stand then."""
        before = self.marks(plan_id)
        with self._tenure.writing() as connection:
            now = self._database.now()
            after = {
                number: self._marked(connection, before.get(number), number, wanted[number], now) for number in wanted
            }
        self._marks = {**before, **after}
        return after

    def _marked(self, connection: Connection, before: Marked | None, number: int, mark: Mark, now: float) -> Marked:
        if before is None:
            done_at = now if mark is Mark.DONE else None
            new = {"plan_id": self._plan_id, "step": number, "intended_at": now, "done_at": done_at}
            connection.execute(_new_mark(), new)
        elif mark is Mark.INTENDED or before.mark is Mark.DONE:
            return before
        else:
            connection.execute(_done(), {"plan": self._plan_id, "number": number, "now": now})
        return Marked(mark, now)

    def _own(self, plan_id: str) -> None:
        if plan_id != self._plan_id:
            raise ValueError(f"a lease on plan {self._plan_id} is none on plan {plan_id}")


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
