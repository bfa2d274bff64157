"""The tables of the hierarchy: sites that are known, bundles on their way, passwords that other sites gave.

Sites are told by their codes, which have one spelling.
"""

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, LargeBinary, String, Table, Text

from keyturn.adapters.store.schema import METADATA

site_keys = Table(
    "site_keys",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)

known_sites = Table(
    "known_sites",
    METADATA,
    Column("code", String, primary_key=True),
    Column("card", LargeBinary, nullable=False),
    Column("introduced_by", String, nullable=False),
)

links = Table(
    "links",
    METADATA,
    Column("code", String, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("next_try_at", Double, nullable=False),
    Column("last_sent_at", Double),
    Column("trouble", Text, nullable=False),
)

told_sites = Table(
    "told_sites",
    METADATA,
    Column("code", String, primary_key=True),
    Column("account", String, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("answered", Boolean, nullable=False),
)

streams = Table(
    "streams",
    METADATA,
    Column("source", String, primary_key=True),
    Column("destination", String, primary_key=True),
    Column("lane", String, primary_key=True),
    Column("last", BigInteger, nullable=False),  # given out, passed on, or opened: whichever this site does
)

outbox = Table(
    "outbox",
    METADATA,
    Column("source", String, primary_key=True),
    Column("destination", String, primary_key=True),
    Column("lane", String, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("created", Double, nullable=False),
    Column("bundle", LargeBinary, nullable=False),
)

arrivals = Table(
    "arrivals",
    METADATA,
    Column("source", String, primary_key=True),
    Column("destination", String, primary_key=True),
    Column("lane", String, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("created", Double, nullable=False),
    Column("opened_at", Double),
    Column("bundle", LargeBinary, nullable=False),
)

held_credentials = Table(
    "held_credentials",
    METADATA,
    Column("account_key", String, primary_key=True),
    Column("account", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("owner", String, nullable=False),
    Column("standing", String, nullable=False),
    Column("retry_at", Double, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
