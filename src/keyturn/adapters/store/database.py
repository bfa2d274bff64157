"""What every part of the store works with: one database, its cipher, the clock, and transactions.

SQLAlchemy takes longer to build a statement than SQLite to run it, so those of every contact and step are built once,
in cached functions.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from keyturn.adapters.store.cipher import Cipher
from keyturn.adapters.store.engine import WRITES
from keyturn.adapters.store.errors import Unavailable
from keyturn.model.accounts import AnyAccount
from keyturn.model.secret import Secret
from keyturn.operations.chain import Chain

MakeEnvelope: TypeAlias = Callable[[AnyAccount, int, Secret], bytes]


@dataclass(frozen=True)
class Database:
    """Many threads share one. `now` gives seconds since the epoch, `new_id` a name never given before."""

    engine: Engine
    cipher: Cipher
    chain: Chain
    envelope: MakeEnvelope
    now: Callable[[], float]
    new_id: Callable[[], str]
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent reading, however many statements it takes."""
        with _translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing, alone from its first statement, durable when the block ends."""
        # Threads queue here: SQLite's own waiting is a sleep that grows, and unfair.
        with _translated(), self._turn, self._writer.begin() as connection:
            yield connection

    @cached_property
    def _writer(self) -> Engine:
        return self.engine.execution_options(**{WRITES: True})

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise Unavailable(f"the store failed: {error.orig}") from error


class Part:
    """One port of the store. The parts of a store share its database."""

    def __init__(self, database: Database) -> None:
        self._database = database
