"""The tables of status messages and of components."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table, Text

from keyturn.adapters.store.schema import METADATA

_Number = BigInteger().with_variant(Integer(), "sqlite")

status_messages = Table(
    "status_messages",
    METADATA,
    Column("number", _Number, primary_key=True),
    Column("at", Double, nullable=False),
    Column("site", String, nullable=False),
    Column("machine", Text, nullable=False),
    Column("component_key", String, nullable=False),
    Column("component", Text, nullable=False),
    Column("message_id", Integer, nullable=False),
    Column("severity", String, nullable=False),
    Column("text", Text, nullable=False),
    Index("messages_of_a_component", "component_key", "number"),
    Index("messages_in_time", "at"),
    sqlite_autoincrement=True,
)

component_orders = Table(
    "component_orders",
    METADATA,
    Column("component", String, primary_key=True),
    Column("wanted", String, nullable=False),
    Column("restarts", Integer, nullable=False),
    Column("ordered_by", Text, nullable=False),
    Column("at", Double, nullable=False),
)

component_standings = Table(
    "component_standings",
    METADATA,
    Column("component", String, primary_key=True),
    Column("process", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("since", Double, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_start_at", Double),
    Column("note", Text, nullable=False),
    Column("heard_at", Double, nullable=False),
)
