"""The table of how packages stand at distribution points."""

from sqlalchemy import BigInteger, Column, Double, Integer, String, Table, Text

from keyturn.adapters.store.schema import METADATA

content_states = Table(
    "content_states",
    METADATA,
    Column("package_id", String, primary_key=True),  # it may be gone while its files still lie there
    Column("system_key", String, primary_key=True),
    Column("system", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("there", Integer, nullable=False),
    Column("there_since", Double, nullable=False),
    Column("copied", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("access", String, nullable=False),
    Column("swept", Integer, nullable=False),
)
