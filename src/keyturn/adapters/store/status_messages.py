"""Status messages, numbered as they come."""

from functools import cache

from sqlalchemy import Insert, Row, Select, delete, func, insert, or_, select

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_status_messages import status_messages
from keyturn.model.accounts import canonical
from keyturn.operations.status_messages import Asked, StatusMessages
from keyturn.site.status_messages import Severity, StatusMessage


class SqlStatusMessages(Part, StatusMessages):
    def keep_message(self, message: StatusMessage) -> None:
        values = {
            "at": message.at,
            "site": message.site,
            "machine": message.machine,
            "component_key": canonical(message.component),
            "component": message.component,
            "message_id": int(message.message_id),
            "severity": message.severity.value,
            "text": message.text.replace("\0", "␀"),  # no text in PostgreSQL holds it
        }
        with self._database.writing() as connection:
            connection.execute(_kept(), values)

    def messages(self, asked: Asked, limit: int, *, newest: bool = False) -> tuple[StatusMessage, ...]:
        number = status_messages.c.number
        wanted = _wanted(asked).order_by(number.desc() if newest else number).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return tuple(map(_message, reversed(rows) if newest else rows))

    def last_messages(self) -> dict[str, StatusMessage]:
        last = select(func.max(status_messages.c.number)).group_by(status_messages.c.component_key)
        with self._database.reading() as connection:
            rows = connection.execute(select(status_messages).where(status_messages.c.number.in_(last))).all()
        return {row.component: _message(row) for row in rows}

    def forget_messages(self, keep: int, before: float) -> int:
        number = status_messages.c.number
        beyond = select(number).order_by(number.desc()).offset(keep).limit(1).scalar_subquery()
        with self._database.writing() as connection:
            old = delete(status_messages).where(or_(status_messages.c.at < before, number <= beyond))
            return connection.execute(old).rowcount


@cache
def _kept() -> Insert:
    return insert(status_messages)


def _wanted(asked: Asked) -> Select[tuple[object, ...]]:
    worse = [severity.value for severity in Severity if severity.rank >= asked.severity.rank]
    wanted = select(status_messages).where(
        status_messages.c.number > asked.after,
        status_messages.c.at >= asked.since,
        status_messages.c.severity.in_(worse),
    )
    if asked.component is not None:
        wanted = wanted.where(status_messages.c.component_key == canonical(asked.component))
    return wanted


def _message(row: Row[tuple[object, ...]]) -> StatusMessage:
    return StatusMessage(
        at=row.at,
        site=row.site,
        component=row.component,
        message_id=row.message_id,
        severity=Severity(row.severity),
        text=row.text,
        machine=row.machine,
        number=row.number,
    )
