"""Logs in files of their own: opened as a server does, and changed by whoever has the file without the key."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Protocol

from keyturn.adapters.store.seal_key import SealKey
from keyturn.adapters.store.store import open_store
from keyturn.operations.audit_log import AuditLog
from tests.contract.store.setting import KEY, paper
from tests.contract.store.world import Clock


class Opened(Protocol):
    def __call__(self, path: Path, key: SealKey = KEY) -> AuditLog: ...


@contextmanager
def opening() -> Iterator[Opened]:
    """Whatever was opened is closed at the end."""
    with ExitStack() as stores:

        def opened(path: Path, key: SealKey = KEY) -> AuditLog:
            url = f"sqlite:///{path}"
            store = open_store(url, seal_key=key, envelope=paper, now=Clock(), new_id=lambda: "id")
            stores.callback(store.close)
            return AuditLog("PHX", store)

        yield opened


def by_hand(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
