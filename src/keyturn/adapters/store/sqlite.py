"""A store in a file: durable commits, one writer at a time, readers that never wait."""

import os
import sqlite3
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from keyturn.adapters.store.errors import NotAStore

_WRITES = "keyturn_writes"
"""The execution option of a connection that is going to write."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # in WAL, NORMAL loses the last commits at a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
)


def engines(url: URL, busy_s: int) -> tuple[Engine, Engine]:
    """To read and to write. A writer waits `busy_s` for one of another process.

    Raises NotAStore where no file can be made.
    """
    if not url.database or url.database == ":memory:":
        raise NotAStore("a store in memory would forget passwords", hint="sqlite:///PATH")
    _create_private(Path(url.database))
    # Readers never wait in WAL, so nothing is gained by having a thread wait for a connection.
    engine = create_engine(url, hide_parameters=True, max_overflow=-1)
    event.listen(engine, "connect", partial(_prepare, busy_s))
    event.listen(engine, "begin", _begin)
    return engine, engine.execution_options(**{_WRITES: True})


def _create_private(path: Path) -> None:
    """SQLite would make the file readable by all; its WAL takes the mode of the file. One that is there is not opened:
    to close it again would end every lock that connections of this process hold on it (sqlite.org, How To Corrupt,
    2.2)."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise NotAStore(f"no store at {path}: {error.strerror}") from None


def _prepare(busy_s: int, connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver's guess
    connection.execute(f"PRAGMA busy_timeout = {busy_s * 1000}")
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES):
        # A transaction that reads first and writes later would fail in the middle, once another has written.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    # It waits for nobody and touches no file yet, so nothing of SQLAlchemy's is needed around it: half of a reading.
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("BEGIN")
