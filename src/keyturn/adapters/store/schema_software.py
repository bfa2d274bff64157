"""The tables of software: packages, programs, collections, advertisements, consents, and what clients told.

`value` is JSON of the noun (`model.software`). Names that are compared have a second column, `..._key`.
"""

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Integer, LargeBinary, String, Table, Text

from keyturn.adapters.store.schema import METADATA


def _package() -> ForeignKey:
    return ForeignKey("packages.package_id")


software_numbers = Table(
    "software_numbers",
    METADATA,
    Column("kind", String, primary_key=True),  # "edition" too
    Column("last", BigInteger, nullable=False),
)

packages = Table(
    "packages",
    METADATA,
    Column("package_id", String, primary_key=True),
    Column("value", Text, nullable=False),
)

package_contents = Table(
    "package_contents",
    METADATA,
    Column("package_id", String, _package(), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
)

package_points = Table(
    "package_points",
    METADATA,
    Column("package_id", String, _package(), primary_key=True),
    Column("system_key", String, primary_key=True),
    Column("system", Text, nullable=False),
    Column("place", Integer, nullable=False),
)

programs = Table(
    "programs",
    METADATA,
    Column("package_id", String, _package(), primary_key=True),
    Column("name_key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

collections = Table(
    "collections",
    METADATA,
    Column("collection_id", String, primary_key=True),
    Column("name_key", String, nullable=False, unique=True),
    Column("value", Text, nullable=False),
)

advertisements = Table(
    "advertisements",
    METADATA,
    Column("advertisement_id", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("advertised_by", Text, nullable=False),
    Column("advertised_at", Double, nullable=False),
    Column("cancelled_by", Text, nullable=False),
    Column("cancelled_at", Double),
)

consents = Table(
    "consents",
    METADATA,
    Column("advertisement_id", String, ForeignKey("advertisements.advertisement_id"), primary_key=True),
    Column("digest", String, primary_key=True),
    Column("person_key", String, primary_key=True),
    Column("person", Text, nullable=False),
    Column("approves", Boolean, nullable=False),
    Column("at", Double, nullable=False),
)

client_facts = Table(
    "client_facts",
    METADATA,
    Column("name_key", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("facts", Text, nullable=False),  # JSON
    Column("signed", Boolean, nullable=False),
    Column("told_at", Double, nullable=False),
)
