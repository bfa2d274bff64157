"""The tables of what clients were told to do, and of what they say has become of it."""

from sqlalchemy import BigInteger, Column, Double, Index, String, Table, Text

from keyturn.adapters.store.schema import METADATA

policy_issues = Table(
    "policy_issues",
    METADATA,
    Column("client_key", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("issued_at", Double, nullable=False),
)

advertisement_reports = Table(
    "advertisement_reports",
    METADATA,
    Column("site", String, primary_key=True),
    Column("client_key", String, primary_key=True),
    Column("enrolled_at", Double, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("advertisement", String, nullable=False),
    Column("arrived_at", Double, nullable=False),
    Column("report", Text, nullable=False),  # JSON
    Index("reports_of_an_advertisement", "advertisement", "client_key"),
    Index("reports_in_time", "arrived_at"),
)

advertisement_standings = Table(
    "advertisement_standings",
    METADATA,
    Column("advertisement", String, primary_key=True),
    Column("site", String, primary_key=True),
    Column("client_key", String, primary_key=True),
    Column("user_key", String, primary_key=True),  # empty: not for one user alone
    Column("enrolled_at", Double, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("arrived_at", Double, nullable=False),
    Column("report", Text, nullable=False),  # JSON
)
