"""The tables of package sources: readings that are under way, and what was learnt of each file."""

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Integer, String, Table, Text

from keyturn.adapters.store.schema import METADATA


def _package() -> ForeignKey:
    return ForeignKey("packages.package_id")


source_readings = Table(
    "source_readings",
    METADATA,
    Column("package_id", String, _package(), primary_key=True),
    Column("reading_id", String, nullable=False),
    Column("read_by", Text, nullable=False),
    Column("begun_at", Double, nullable=False),
    Column("told_at", Double, nullable=False),
    Column("files", Integer, nullable=False),
    Column("of_files", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("of_size", BigInteger, nullable=False),
    Column("unchanged", Integer, nullable=False),
)

source_files = Table(
    "source_files",
    METADATA,
    Column("package_id", String, _package(), primary_key=True),
    Column("path", String, primary_key=True),
    Column("mark", String, nullable=False),
    Column("sha256", String, nullable=False),
)
