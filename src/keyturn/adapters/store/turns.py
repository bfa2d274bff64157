"""Writers take turns in one transaction, and share its commit.

A commit waits for the disk, far longer than most writers need for their statements. So a writer that has ended while
others wait hands the open transaction on, and the last of them commits for all. Nobody waits for company: who is alone
commits at once. Nobody is answered before that commit, not even a writer that was refused, since what it was refused
for may stand in the same transaction.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from keyturn.adapters.store.translation import translated, unavailable

MOST = 32
"""Writers in one transaction, so that the first is not kept waiting by ever new ones."""

VANISHED_S = 1.0
"""How long to wait for a commit before looking whether whoever was to make it is still there."""


class Turns:
    def __init__(self, engine: Engine, vanished_s: float = VANISHED_S) -> None:
        self._engine = engine
        self._vanished_s = vanished_s
        # SQLite's own waiting is a sleep that grows, and unfair; PostgreSQL's costs a connection.
        self._turn = threading.Lock()
        self._open: _Shared | None = None
        """Handed on. Only for whoever has the turn."""
        self.waiting: set[object] = set()
        """Writers that wait for the turn."""

    @contextmanager
    def take(self) -> Iterator[Connection]:
        """Alone from its first statement until the block ends; durable when this returns. A block that raises leaves
        nothing behind and does no harm to others. Raises Unavailable to all who share a commit that fails."""
        this = object()
        shared: _Shared | None = None
        self.waiting.add(this)
        try:
            with self._turn:
                self.waiting.discard(this)
                try:
                    with translated():
                        shared, self._open = self._open or _Shared(self._engine), None
                        with shared.writer():
                            yield shared.connection
                finally:
                    if shared is not None:
                        self._hand_on(shared)
        except Exception:
            if shared is not None:
                self._wait(shared)
            raise
        finally:
            self.waiting.discard(this)
        self._wait(shared)

    def _hand_on(self, shared: "_Shared") -> None:
        if self.waiting and not shared.over and shared.writers < MOST:
            self._open = shared
        else:
            shared.end()

    def _wait(self, shared: "_Shared") -> None:
        while not shared.ended.wait(self._vanished_s):
            with self._turn:  # a signal may have taken the next writer away
                if self._open is shared:
                    self._open = None
                    shared.end()
        if shared.failure:
            raise unavailable(shared.failure) from shared.failure


class _Shared:
    """One transaction, for whoever has the turn. The others wait until it has `ended`."""

    def __init__(self, engine: Engine) -> None:
        self.connection = engine.connect()
        try:
            self._transaction = self.connection.begin()
        except BaseException:
            self.connection.close()
            raise
        self.writers = 0
        self.over = False
        """Nothing of it is left to be committed, or can be."""
        self.failure: BaseException | None = None
        """What kept all of it from being kept."""
        self.ended = threading.Event()

    @contextmanager
    def writer(self) -> Iterator[None]:
        self.writers += 1
        if self.writers == 1:  # needs no savepoint: there is nothing before it to be kept
            try:
                yield
            except BaseException:
                self.over = True
                raise
            return
        try:
            self._say("SAVEPOINT writer")
            yield
            self._say("RELEASE SAVEPOINT writer")
        except BaseException as error:
            self._take_back(error)
            raise

    def _take_back(self, error: BaseException) -> None:
        """The database may have ended the whole transaction, as SQLite does when its disk is full."""
        try:
            self._say("ROLLBACK TO SAVEPOINT writer")
            self._say("RELEASE SAVEPOINT writer")
        except Exception as gone:
            self.over = True
            self.failure = error if isinstance(error, DBAPIError) else gone

    def _say(self, statement: str) -> None:
        self.connection.exec_driver_sql(statement)

    def end(self) -> None:
        """Does not raise what the database says: every writer is told, this one too."""
        try:
            with self.connection, self._transaction:  # rolled back too if it cannot be committed
                if self.over:
                    self._transaction.rollback()
        except BaseException as error:
            self.failure = self.failure or error
            if not isinstance(error, Exception):
                raise
        finally:
            self.ended.set()
