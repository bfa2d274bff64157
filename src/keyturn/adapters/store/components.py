"""What people want of the site's components, and how they stand in each process."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, delete, insert, or_, select

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_status_messages import component_orders, component_standings
from keyturn.operations.components import Components
from keyturn.site.components import ComponentName, Order, Standing, State, Wanted

_KNOWN = frozenset(ComponentName)
"""A later release may have left others behind."""


class SqlComponents(Part, Components):
    def orders(self) -> Mapping[ComponentName, Order]:
        with self._database.reading() as connection:
            rows = connection.execute(_orders()).all()
        return {
            ComponentName(row.component): Order(Wanted(row.wanted), row.restarts, row.ordered_by)
            for row in rows
            if row.component in _KNOWN
        }

    def order(self, name: ComponentName, wanted: Wanted, by: str, *, anew: bool) -> None:
        said = component_orders.c
        with self._database.writing() as connection:
            restarts = connection.execute(select(said.restarts).where(said.component == name.value)).scalar() or 0
            connection.execute(delete(component_orders).where(said.component == name.value))
            values = {
                "component": name.value,
                "wanted": wanted.value,
                "restarts": restarts + anew,
                "ordered_by": by,
                "at": self._database.now(),
            }
            connection.execute(insert(component_orders).values(values))

    def standings(self) -> tuple[Standing, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(_standings()).all()
        return tuple(_standing(row) for row in rows if row.component in _KNOWN)

    def stand(self, process: str, standings: Sequence[Standing], *, forget_before: float) -> None:
        said = component_standings.c
        with self._database.writing() as connection:
            connection.execute(
                delete(component_standings).where(or_(said.process == process, said.heard_at < forget_before))
            )
            if standings:
                connection.execute(insert(component_standings), [_values(process, one) for one in standings])


@cache
def _orders() -> Select[Any]:
    return select(component_orders)


@cache
def _standings() -> Select[Any]:
    return select(component_standings).order_by(component_standings.c.component, component_standings.c.process)


def _values(process: str, one: Standing) -> dict[str, object]:
    return {
        "component": one.component.value,
        "process": process,
        "state": one.state.value,
        "since": one.since,
        "failures": one.failures,
        "next_start_at": one.next_start_at,
        "note": one.note.replace("\0", "␀"),
        "heard_at": one.heard_at,
    }


def _standing(row: Row[tuple[object, ...]]) -> Standing:
    return Standing(
        component=ComponentName(row.component),
        state=State(row.state),
        since=row.since,
        failures=row.failures,
        next_start_at=row.next_start_at,
        note=row.note,
        process=row.process,
        heard_at=row.heard_at,
    )
