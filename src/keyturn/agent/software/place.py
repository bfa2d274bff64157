"""The part of the agent's folder that is about software: its files by name, and one process at work in it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from keyturn.agent.disk import Disk, PosixDisk, keep, make_readable
from keyturn.agent.home import Home
from keyturn.agent.records import decode, encode
from keyturn.agent.software.records import Remembered

HISTORY, POLICY, LOCK, LOGS = "history.json", "policy.json", "lock", "logs"
EMPTY = "empty"
"""The folder that a program without files runs in."""


class Place:
    """`software` in the agent's folder."""

    def __init__(self, home: Home, disk: Disk | None = None) -> None:
        self.path = home.path.absolute() / "software"
        self.logs = home.path.absolute() / LOGS
        self._disk = disk or PosixDisk()

    def make(self) -> None:
        for folder in (self.path, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no other process of this agent runs programs; until the end of the block none will."""
        opened = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            got = True
        except BlockingIOError:
            got = False
        try:
            yield got
        finally:
            os.close(opened)

    def remembered(self) -> Remembered | None:
        """Damaged for a file that cannot be read: what has run here is then unknown, so nothing may run."""
        data = self._read(HISTORY)
        hint = f"move {self.path / HISTORY} away: what is mandatory then runs again"
        return None if data is None else decode(Remembered, data, HISTORY, hint)

    def remember(self, remembered: Remembered) -> None:
        keep(self._disk, self.path / HISTORY, encode(remembered))

    def policy(self) -> bytes | None:
        return self._read(POLICY)

    def keep_policy(self, content: bytes) -> None:
        keep(self._disk, self.path / POLICY, content)

    def empty(self) -> Path:
        folder = self.path / EMPTY
        make_readable(folder)
        return folder

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None
