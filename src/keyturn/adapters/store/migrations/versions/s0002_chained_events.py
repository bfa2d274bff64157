"""The audit log becomes a chain. Events that are there already are chained as they stand, and one more says so."""

import sqlalchemy as sa
from alembic import context, op

from keyturn.adapters.store.database import Database
from keyturn.operations.ports import Event

revision = "0002"
down_revision = "0001"

BATCH = 1000


def upgrade() -> None:
    # A column of a full table needs a default; this one fits no event.
    op.add_column("events", sa.Column("link", sa.LargeBinary(), nullable=False, server_default=sa.text("''")))
    chain(context.config.attributes["database"], op.get_bind())


def chain(database: Database, connection: sa.Connection) -> None:
    """Nothing for a new store: its log begins with its first event."""
    found, number, link = 0, 0, b""
    while rows := connection.execute(_AFTER, {"number": number, "batch": BATCH}).all():
        link = link or database.chain.origin(connection.execute(_CANARY).scalar_one())
        links = []
        for row in rows:
            link, number = database.chain.link(link, Event(*row)), row.number
            links.append({"number": number, "link": link})
        connection.execute(_CHAIN, links)
        found += len(rows)
    if found:
        detail = f"{found} events that were here before were chained as they stood"
        event = Event(number + 1, database.now(), "keyturn", "audit-log-begun", "audit log", detail)
        connection.execute(_ADD, {**_values(event), "link": database.chain.link(link, event)})


def _values(event: Event) -> dict[str, object]:
    return {name: getattr(event, name) for name in Event.__slots__}


_CANARY = sa.text("SELECT sealed FROM canary")
_AFTER = sa.text(
    "SELECT number, at, actor, kind, subject, detail FROM events WHERE number > :number ORDER BY number LIMIT :batch"
)
_CHAIN = sa.text("UPDATE events SET link = :link WHERE number = :number")
_ADD = sa.text(
    "INSERT INTO events (number, at, actor, kind, subject, detail, link) "
    "VALUES (:number, :at, :actor, :kind, :subject, :detail, :link)"
)
