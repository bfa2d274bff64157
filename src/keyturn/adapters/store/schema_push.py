"""The tables of client push and of logon-installation keys."""

from sqlalchemy import Column, Double, ForeignKey, Integer, LargeBinary, String, Table, Text

from keyturn.adapters.store.schema import METADATA

push_requests = Table(
    "push_requests",
    METADATA,
    Column("name_key", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("work", String, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer),
    Column("accounts", Text, nullable=False),  # JSON
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Double, nullable=False),
    Column("state", String, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("installed_at", Double),
    Column("note", Text, nullable=False),
    Column("hint", Text, nullable=False),
)

push_logons = Table(
    "push_logons",
    METADATA,
    Column("account_id", String, ForeignKey("accounts.account_id"), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("machine_key", String, primary_key=True),
    Column("machine", Text, nullable=False),
    Column("answer", String, nullable=False),
    Column("at", Double, nullable=False),
)

logon_keys = Table(
    "logon_keys",
    METADATA,
    Column("name_key", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("issued_by", Text, nullable=False),
    Column("issued_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("revoked_at", Double),
    Column("used", Integer, nullable=False),
)
