"""The lease on a plan: while it holds, its worker alone writes for the plan; after that, none of its writes land."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, Update, bindparam, update

from keyturn.adapters.store.database import Database
from keyturn.adapters.store.schema import plans
from keyturn.model.errors import FencedOff


@dataclass(frozen=True, slots=True)
class Tenure:
    """One taking of a plan. `fence` rises with each, so that a worker of an earlier one is told by its number."""

    database: Database
    plan_id: str
    fence: int
    lease_s: float

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that first proves the lease, and extends it. Raises FencedOff."""
        with self.database.writing() as connection:
            now = self.database.now()
            mine = {"held_plan": self.plan_id, "held_fence": self.fence, "now": now, "until": now + self.lease_s}
            if connection.execute(_hold(), mine).rowcount != 1:
                raise FencedOff(f"the lease on plan {self.plan_id} has ended; another worker may hold it")
            yield connection


@cache
def _hold() -> Update:
    mine = (plans.c.plan_id == bindparam("held_plan"), plans.c.fence == bindparam("held_fence"))
    return update(plans).where(*mine, plans.c.lease_until > bindparam("now")).values(lease_until=bindparam("until"))


class LeasedPart:
    """One port of a lease."""

    def __init__(self, tenure: Tenure) -> None:
        self._tenure = tenure
        self._database = tenure.database
        self._plan_id = tenure.plan_id
