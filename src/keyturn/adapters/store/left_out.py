"""The access points that site resets went on without."""

from sqlalchemy import delete, insert, select

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_left_out import left_out_systems
from keyturn.model.accounts import canonical
from keyturn.operations.left_out import LeftOut, LeftOutSystems


class SqlLeftOutSystems(Part, LeftOutSystems):
    def leave_out(self, system: str, plan_id: str) -> None:
        this = left_out_systems.c.system_key == canonical(system)
        values = {"system_key": canonical(system), "system": system, "plan_id": plan_id, "at": self._database.now()}
        with self._database.writing() as connection:
            if connection.execute(select(left_out_systems).where(this)).first() is None:
                connection.execute(insert(left_out_systems).values(values))

    def take_back(self, system: str) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(left_out_systems).where(left_out_systems.c.system_key == canonical(system)))

    def left_out(self) -> tuple[LeftOut, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(left_out_systems).order_by(left_out_systems.c.system_key)).all()
        return tuple(LeftOut(row.system, row.plan_id, row.at) for row in rows)
