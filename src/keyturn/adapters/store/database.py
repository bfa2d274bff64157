"""What every part of the store works with: one database, its cipher, the clock, and transactions.

SQLAlchemy takes longer to build a statement than SQLite to run it, so those of every contact and step are built once,
in cached functions.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import Connection

from keyturn.adapters.store.cipher import Cipher
from keyturn.adapters.store.engine import Engines
from keyturn.adapters.store.translation import translated
from keyturn.adapters.store.turns import Turns
from keyturn.model.accounts import AnyAccount
from keyturn.model.secret import Secret
from keyturn.operations.chain import Chain

MakeEnvelope: TypeAlias = Callable[[AnyAccount, int, Secret], bytes]


class _Mine(threading.local):
    """The connection on which this thread is writing now."""

    connection: Connection | None = None


@dataclass(frozen=True)
class Database:
    """Many threads share one. `now` gives seconds since the epoch, `new_id` a name never given before."""

    engines: Engines
    cipher: Cipher
    chain: Chain
    envelope: MakeEnvelope
    now: Callable[[], float]
    new_id: Callable[[], str]
    _turns: Turns = field(init=False)
    _mine: _Mine = field(default_factory=_Mine)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_turns", Turns(self.engines.writing))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent reading, however many statements it takes. Inside `writing` it sees what was written."""
        if self._mine.connection is not None:
            yield self._mine.connection
            return
        with translated(), self.engines.reading.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing, alone from its first statement, durable when the outermost block of the thread ends."""
        if self._mine.connection is not None:
            yield self._mine.connection
            return
        with self._turns.take() as connection:
            self._mine.connection = connection
            try:
                yield connection
            finally:
                self._mine.connection = None

    def close(self) -> None:
        self.engines.dispose()


class Part:
    """One port of the store. The parts of a store share its database."""

    def __init__(self, database: Database) -> None:
        self._database = database
