"""What happened, line by line. Nothing here changes or removes a line."""

from sqlalchemy import Connection, exists, insert, select

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema import events
from keyturn.operations.ports import Event, Events


class SqlEvents(Part, Events):
    def tell(self, actor: str, kind: str, subject: str, detail: str = "") -> None:
        line = {"at": self._database.now(), "actor": actor, "kind": kind, "subject": subject, "detail": detail}
        with self._database.writing() as connection:
            connection.execute(insert(events).values(line))

    def tell_once(self, actor: str, kind: str, subject: str, detail: str = "") -> None:
        with self._database.writing() as connection:
            tell_once(connection, self._database.now(), actor, kind, subject, detail)

    def since(self, number: int = 0, limit: int = 1000) -> tuple[Event, ...]:
        """The events after that number, oldest first."""
        newer = select(events).where(events.c.number > number).order_by(events.c.number).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(newer).all()
        return tuple(Event(row.number, row.at, row.actor, row.kind, row.subject, row.detail) for row in rows)


def tell_once(connection: Connection, at: float, actor: str, kind: str, subject: str, detail: str) -> None:
    """Add the line unless the same was told before: a step that is performed again learns the same again."""
    line = {"actor": actor, "kind": kind, "subject": subject, "detail": detail}
    told = select(exists().where(*(events.c[name] == value for name, value in line.items())))
    if not connection.execute(told).scalar_one():
        connection.execute(insert(events).values(at=at, **line))
