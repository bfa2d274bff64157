"""The audit log. Nothing here changes or removes a line; `operations.audit_log` finds out whether somebody else did."""

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Select, exists, insert, select, text

from keyturn.adapters.store.database import Database, Part
from keyturn.adapters.store.schema import canary, events
from keyturn.operations.ports import Chained, Event, Events


class SqlEvents(Part, Events):
    def tell(self, actor: str, kind: str, subject: str, detail: str = "") -> None:
        with self._database.writing() as connection:
            tell(self._database, connection, actor, kind, subject, detail)

    def told(self, kind: str, subject: str, detail: str = "") -> bool:
        with self._database.reading() as connection:
            return _is_told(connection, kind=kind, subject=subject, detail=detail)

    def since(self, number: int = 0, limit: int = 1000) -> tuple[Event, ...]:
        """The events after that number, oldest first."""
        newer = select(events).where(events.c.number > number).order_by(events.c.number).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(newer).all()
        return tuple(Event(row.number, row.at, row.actor, row.kind, row.subject, row.detail) for row in rows)

    def chained(self) -> Generator[Chained, None, None]:
        with self._database.reading() as connection, _undecodable_text(connection):
            # By hand, so that SQLAlchemy does not convert what an altered record holds.
            kept = text("SELECT number, at, actor, kind, subject, detail, link FROM events ORDER BY number")
            for *event, link in connection.execute(kept):
                yield Chained(Event(*event), link)

    def link_after(self, before: bytes | None, event: Event) -> bytes:
        if before is None:
            with self._database.reading() as connection:
                before = _origin(self._database, connection)
        return self._database.chain.link(before, event)


def tell(database: Database, connection: Connection, actor: str, kind: str, subject: str, detail: str) -> None:
    """In the caller's transaction, which is alone from its first statement: so nobody else follows the same event."""
    last = connection.execute(_last()).first()
    number, at = last.number + 1 if last else 1, database.now()
    line = _storable(actor=actor, kind=kind, subject=subject, detail=detail)
    link = database.chain.link(last.link if last else _origin(database, connection), Event(number, at, **line))
    connection.execute(_line(), {"number": number, "at": at, **line, "link": link})


def tell_once(database: Database, connection: Connection, actor: str, kind: str, subject: str, detail: str) -> None:
    """Add the line unless the same was told before: a step that is performed again learns the same again."""
    line = {"actor": actor, "kind": kind, "subject": subject, "detail": detail}
    if not _is_told(connection, **line):
        tell(database, connection, **line)


def _is_told(connection: Connection, **line: str) -> bool:
    same = exists().where(*(events.c[name] == value for name, value in _storable(**line).items()))
    return bool(connection.execute(select(same)).scalar_one())


def _storable(**line: str) -> dict[str, str]:
    """No text in PostgreSQL holds the character NUL; a log line shows that there was one."""
    return {name: value.replace("\0", "␀") for name, value in line.items()}


@cache
def _last() -> Select[Any]:
    return select(events.c.number, events.c.link).order_by(events.c.number.desc()).limit(1)


@cache
def _line() -> Insert:
    return insert(events)


def _origin(database: Database, connection: Connection) -> bytes:
    """The record that tells the right key is sealed anew for each store, and so tells this store from any other."""
    return database.chain.origin(connection.execute(select(canary.c.sealed)).scalar_one())


@contextmanager
def _undecodable_text(connection: Connection) -> Iterator[None]:
    """SQLite keeps bytes that are no text where text belongs, and would fail at reading them, not say where."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    usual, driver.text_factory = driver.text_factory, lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = usual
