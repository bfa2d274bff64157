"""The realm's own SQLite file, entered by one transaction at a time.

A commit is on the disk when it returns (write-ahead log, `synchronous=FULL`), so a process may die at any moment.
Any number of threads and processes may use one file.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from keyturn.adapters.authorities.builtin.directory import Directory
from keyturn.adapters.authorities.builtin.replication import deliver
from keyturn.model.accounts import RealmName
from keyturn.model.errors import AuthorityError


class Database:
    def __init__(self, path: Path, realm: RealmName, now: Callable[[], float], patience_s: float) -> None:
        """`patience_s`: how long to wait for another process's transaction before giving up."""
        self._path = path
        self._realm = realm
        self._now = now
        self._turn = threading.Lock()
        with translated(path):
            # One connection under one lock: SQLite's own waiting between connections is neither fair nor quick.
            self._rows = sqlite3.connect(path, timeout=patience_s, isolation_level=None, check_same_thread=False)
            self._rows.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything or nothing. A transaction that only reads takes the write lock too, as reading may find
        something to deliver."""
        with self._turn, translated(self._path):
            self._rows.execute("BEGIN IMMEDIATE")
            try:
                yield self._rows
                self._rows.execute("COMMIT")
            finally:
                if self._rows.in_transaction:
                    self._rows.execute("ROLLBACK")

    @contextmanager
    def directory(self) -> Iterator[Directory]:
        with self.transaction() as rows:
            now = self._now()  # read when the lock is held, so that later transactions have later moments
            deliver(rows, now)
            yield Directory(rows, self._realm, now)

    def close(self) -> None:
        with self._turn:
            self._rows.close()


_PASSING = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM}
)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """The one place where SQLite's errors become ours. Its messages name tables and columns, never values."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        passing = code is not None and code & 0xFF in _PASSING
        raise AuthorityError(f"{path}: {error}", permanent=not passing) from error
