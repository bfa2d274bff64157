"""How a database is opened: durable commits, one writer at a time, and no values in error messages."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from keyturn.adapters.store.errors import NotAStore

BUSY_S = 10
"""How long a writer waits for a writer of another process."""

WRITES = "keyturn_writes"
"""The execution option of a connection that is going to write."""

_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_S * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # in WAL, NORMAL loses the last commits at a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
)


def open_engine(url: str) -> Engine:
    """Raises NotAStore for a kind of database no store can be kept in."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise NotAStore("that is no address of a store", hint="sqlite:///PATH") from None  # it may hold a password
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return _sqlite(parsed, Path(parsed.database))
        case "sqlite":
            raise NotAStore("a store in memory would forget passwords", hint="sqlite:///PATH")
        case other:
            raise NotAStore(f"no store over {other}", hint="sqlite:///PATH")


def _sqlite(url: URL, path: Path) -> Engine:
    _create_private(path)
    # Readers never wait in WAL, so nothing is gained by having a thread wait for a connection.
    engine = create_engine(url, hide_parameters=True, max_overflow=-1)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _create_private(path: Path) -> None:
    """SQLite would make the file readable by all; its WAL takes the mode of the file."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise NotAStore(f"no store at {path}: {error.strerror}") from None


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver's guess
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail in the middle, once another has written.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITES) else "BEGIN")
