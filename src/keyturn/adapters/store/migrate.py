"""Brings a database to the schema of this release, in one transaction: a power cut leaves the old schema or the new."""

import threading

from sqlalchemy import Connection, inspect, text

from keyturn.adapters.store import schema
from keyturn.adapters.store.database import Database
from keyturn.adapters.store.errors import NewerSchema, NotAStore
from keyturn.adapters.store.key_check import renew_canary

_UNCHAINED = "0001"
_ONE_AT_A_TIME = threading.Lock()  # alembic keeps its context in module globals


def migrate(database: Database) -> None:
    """Raises NewerSchema, NotAStore for a database that holds something else, or WrongSealKey before a store of an
    earlier release is chained with it."""
    with database.reading() as connection:
        if _revision(connection) == schema.REVISION:
            return
    with _ONE_AT_A_TIME, database.writing() as connection:
        # Another process may have done it since.
        found = _revision(connection)
        if found > schema.REVISION:
            raise NewerSchema(
                f"the store has schema {found}, and this Keyturn knows {schema.REVISION} at most",
                hint="use the Keyturn that wrote it, or a later one",
            )
        if found == _UNCHAINED:
            renew_canary(database, connection)
        _upgrade(database, connection)


def _revision(connection: Connection) -> str:
    """Empty for an empty database."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return ""
    if "alembic_version" not in tables:
        raise NotAStore("the database holds something else than a store of Keyturn")
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def _upgrade(database: Database, connection: Connection) -> None:
    # Alembic takes longer to import than everything else here, and is needed once a release.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "keyturn.adapters.store:migrations")
    config.attributes["connection"] = connection
    config.attributes["database"] = database
    command.upgrade(config, schema.REVISION)
