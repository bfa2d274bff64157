"""The tables of the site control file."""

from sqlalchemy import BigInteger, Column, Double, Integer, LargeBinary, String, Table, Text

from keyturn.adapters.store.schema import METADATA

_Number = BigInteger().with_variant(Integer(), "sqlite")

control_deltas = Table(
    "control_deltas",
    METADATA,
    Column("number", _Number, primary_key=True),
    Column("at", Double, nullable=False),
    Column("delta", Text, nullable=False),
    Column("status", String, nullable=False),
    Column("said", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("serial", Integer, unique=True),  # of the document it made; NULL: it was refused
    Column("document", Text),
    sqlite_autoincrement=True,
)

control_copies = Table(
    "control_copies",
    METADATA,
    Column("site_key", String, primary_key=True),
    Column("at", Double, nullable=False),
    Column("document", Text, nullable=False),
)

control_texts = Table(
    "control_texts",
    METADATA,
    Column("number", _Number, primary_key=True),
    Column("at", Double, nullable=False),
    Column("imported_by", Text, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("text", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
