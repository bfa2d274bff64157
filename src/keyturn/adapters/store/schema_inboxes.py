"""The tables of inboxes and access points."""

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, LargeBinary, String, Table, Text

from keyturn.adapters.store.schema import METADATA

_Number = BigInteger().with_variant(Integer(), "sqlite")

inbox_files = Table(
    "inbox_files",
    METADATA,
    Column("number", _Number, primary_key=True),
    Column("receipt", String, nullable=False, unique=True),  # so a file is taken once, whoever takes it
    Column("inbox", String, nullable=False),
    Column("box", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("signed", Boolean, nullable=False),
    Column("arrived_at", Double, nullable=False),
    Column("state", String, nullable=False),
    Column("note", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),  # empty once it is done
    Index("files_of_an_inbox", "inbox", "state", "number"),
    sqlite_autoincrement=True,
)

access_points = Table(
    "access_points",
    METADATA,
    Column("system_key", String, primary_key=True),
    Column("tried_at", Double, nullable=False),
    Column("reached_at", Double),
    Column("trouble", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("refused", Text, nullable=False),
    Column("lying", Text, nullable=False),
)

published_files = Table(
    "published_files",
    METADATA,
    Column("system_key", String, primary_key=True),
    Column("path", String, primary_key=True),
    Column("mark", String, nullable=False),
)

granted_identities = Table(
    "granted_identities",
    METADATA,
    Column("system_key", String, primary_key=True),
    Column("sid", String, primary_key=True),
    Column("account", Text, nullable=False),
)

seen_clients = Table(
    "seen_clients",
    METADATA,
    Column("name_key", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("accounts", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("signed", Boolean, nullable=False),
    Column("seen_at", Double, nullable=False),
)
