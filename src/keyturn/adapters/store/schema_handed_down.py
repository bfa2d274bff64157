"""The tables of software between sites: what was handed to those below, what came from those above, what clients said
of it."""

from sqlalchemy import BigInteger, Column, Double, String, Table, Text

from keyturn.adapters.store.schema import METADATA

handed_down = Table(
    "handed_down",
    METADATA,
    Column("site", String, primary_key=True),
    Column("digest", String, nullable=False),
)

from_above = Table(
    "from_above",
    METADATA,
    Column("site", String, primary_key=True),
    Column("awaited", Text, nullable=False),  # JSON
    Column("asked", Text, nullable=False),  # JSON
    Column("asked_at", Double, nullable=False),
)

reports_for_above = Table(
    "reports_for_above",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("owner", String, nullable=False),
    Column("report", Text, nullable=False),  # JSON
)
