"""Carries a store from one database to another, whole or not at all.

At any moment one of the two at most opens. Killed anywhere, the same command goes on. The last line of each audit log
says how far it came:

    old                 new
    (anything)          (nothing)           the old one is the store
    (anything)          store-copied        the same; the copy is made anew
    store-moved         store-copied        neither opens
    store-moved         store-taken-over    the new one is the store; its address is not in the settings yet
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, text, update

from keyturn.adapters.store.database import Database
from keyturn.adapters.store.errors import Moved, NotAStore
from keyturn.adapters.store.events import tell
from keyturn.adapters.store.key_check import try_key
from keyturn.adapters.store.migrate import migrate
from keyturn.adapters.store.schema import METADATA, accounts, canary, events
from keyturn.model.errors import Refused
from keyturn.operations.chain import canonical_bytes

COPIED, MOVED, TAKEN_OVER = "store-copied", "store-moved", "store-taken-over"

_ROWS = 1000
"""Read and written at a time."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Rows of each table that has any."""

    rows: dict[str, int]


def refuse_moved(database: Database) -> None:
    """Raises Moved for a store that is one no longer, or not yet."""
    with database.reading() as connection:
        last = _last(connection)
    if last is not None and last.kind == MOVED:
        raise Moved(
            f"this store was moved to {last.subject}",
            hint=f"keyturn store move '{last.subject}' ends a move that was cut off; else set `store` in keyturn.toml",
        )
    if last is not None and last.kind == COPIED:
        raise Moved("this is a copy of a store, from a move that was cut off", hint="run that keyturn store move again")


def move(old: Database, new: Database, *, address: str, by: str) -> Copied:
    """`address` is the new one's. No other process may have the old one open. Ends a move that was cut off.

    Raises Refused where the new database holds a store that may be in use, or the old one was moved elsewhere.
    """
    migrate(new)
    with old.writing() as connection:
        _take_time(connection)
        _refuse_company(connection)
        last = _last(connection)
        if last is None or last.kind != MOVED:
            copied = _copy_anew(connection, new, address, by)
            tell(old, connection, by, MOVED, address, "")
        elif last.subject != address:
            raise Refused(f"this store was moved to {last.subject}", hint="that one is the store now")
        else:
            copied = Copied(_counts(connection))
    _take_over(new, by)
    return copied


def _copy_anew(old: Connection, new: Database, address: str, by: str) -> Copied:
    """Read and compared inside the old one's transaction: nobody writes to it meanwhile."""
    with new.writing() as connection:
        _take_time(connection)
        _refuse_in_use(connection)
        for table in reversed(METADATA.sorted_tables):
            connection.execute(delete(table))
        for table in METADATA.sorted_tables:
            _copy(old, connection, table)
        _number_on(connection)
        _refuse_difference(old, connection)
        tell(new, connection, by, COPIED, address, "")
    try_key(new)
    return Copied(_counts(old))


def _take_time(connection: Connection) -> None:
    """Each waits in its transaction while the other is read."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def _refuse_company(old: Connection) -> None:
    """They would go on writing to the old one. A file is guarded by the lock on its site's directory."""
    if old.dialect.name == "postgresql" and (others := old.execute(_OTHERS).scalar_one()):
        raise Refused(
            f"{others} other connections to the store are open", hint="stop every keyturn serve, keyturn work and up"
        )


_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND application_name LIKE 'keyturn%'"
)


def _refuse_in_use(connection: Connection) -> None:
    last = _last(connection)
    if last is not None and last.kind == COPIED:
        return
    if any(
        connection.execute(select(table).limit(1)).first() for table in METADATA.sorted_tables if table is not canary
    ):
        raise Refused("there is a store already where this one should go", hint="name an empty database")


def _copy(old: Connection, new: Connection, table: Table) -> None:
    for rows in _portions(old, table):
        if table is accounts:
            # A successor may stand in a later row than the account it follows.
            new.execute(insert(table), [{**row, "successor_id": None} for row in rows])
        else:
            new.execute(insert(table), rows)
    if table is accounts:
        for rows in _portions(old, table):
            for row in rows:
                if row["successor_id"] is not None:
                    this = accounts.c.account_id == row["account_id"]
                    new.execute(update(accounts).where(this).values(successor_id=row["successor_id"]))


def _portions(connection: Connection, table: Table) -> Iterator[Sequence[dict[str, Any]]]:
    found = connection.execute(select(table).execution_options(yield_per=_ROWS))
    for rows in found.mappings().partitions():
        yield [dict(row) for row in rows]


def _number_on(connection: Connection) -> None:
    """PostgreSQL counts on from where its own counter stands, not from the highest number there is."""
    if connection.dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            highest = connection.execute(select(func.max(column))).scalar()
            counter = text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)")
            if highest is not None:
                connection.execute(counter, {"table": table.name, "column": column.name, "highest": highest})


def _refuse_difference(old: Connection, new: Connection) -> None:
    for table in METADATA.sorted_tables:
        if _fingerprint(old, table) != _fingerprint(new, table):
            raise NotAStore(f"the copy of the table {table.name} is not like the original", hint="nothing was moved")


def _fingerprint(connection: Connection, table: Table) -> tuple[int, int]:
    """How many rows, and a sum over all: databases do not agree on the order of text."""
    count, total = 0, 0
    for rows in _portions(connection, table):
        for row in rows:
            count += 1
            total += int.from_bytes(sha256(canonical_bytes(*row.values())).digest(), "big")
    return count, total


def _counts(connection: Connection) -> dict[str, int]:
    counted = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in METADATA.sorted_tables
    }
    return {name: rows for name, rows in counted.items() if rows}


def _take_over(new: Database, by: str) -> None:
    with new.writing() as connection:
        last = _last(connection)
        if last is None:
            raise NotAStore("the store was moved here, and is not here", hint="restore the database it was moved to")
        if last.kind == COPIED:
            tell(new, connection, by, TAKEN_OVER, last.subject, "")


def _last(connection: Connection) -> Any:
    newest = select(events.c.kind, events.c.subject).order_by(events.c.number.desc()).limit(1)
    return connection.execute(newest).one_or_none()
