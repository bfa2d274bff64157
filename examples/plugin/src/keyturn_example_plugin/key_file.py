"""The file of accounts: a JSON list, replaced whole, by one writer at a time. Times are seconds since the epoch."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from keyturn.model.errors import AuthorityError


@dataclass(frozen=True, slots=True)
class Entry:
    """`sid` is never given twice; `version` is one more after every set of the password."""

    sid: str
    name: str
    hashed: str = field(repr=False)
    set_at: float
    version: int = 1
    enabled: bool = True
    groups: list[str] = field(default_factory=list)


class KeyFile:
    """AuthorityError for a file that cannot be read or written now, permanent for one that holds something else."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def entries(self) -> dict[str, Entry]:
        """By sid."""
        with self._told():
            kept = self._path.read_bytes()
        try:
            return {fields["sid"]: Entry(**fields) for fields in json.loads(kept)}
        except (ValueError, TypeError, KeyError):
            raise AuthorityError(f"{self._path} is no list of accounts", permanent=True) from None

    @contextmanager
    def changing(self) -> Iterator[dict[str, Entry]]:
        """What is done to these entries is durable when the context ends, and undone when it raises."""
        with self._told(), self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = self.entries()
            yield entries
            self._replace(json.dumps([asdict(entry) for entry in entries.values()], indent=2))

    def _replace(self, text: str) -> None:
        beside = self._path.with_suffix(".new")
        with open(beside, "w", opener=_private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AuthorityError(f"{self._path}: {error.strerror}", permanent=False) from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
