"""What a person at this machine has asked to run: a file each, taken in by the process that runs programs."""

import re
from contextlib import suppress
from pathlib import Path

from keyturn.agent.disk import PosixDisk, keep

FOLDER = "requests"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Requests:
    def __init__(self, software: Path) -> None:
        self._folder = software / FOLDER

    def put(self, advertisement: str, at: float) -> None:
        assert _NAME.fullmatch(advertisement)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        keep(PosixDisk(), self._folder / advertisement, repr(at).encode())

    def all(self) -> dict[str, float]:
        """Advertisement to moment."""
        found = {}
        if self._folder.is_dir():
            for file in self._folder.iterdir():
                with suppress(OSError, ValueError):
                    if _NAME.fullmatch(file.name):
                        found[file.name] = float(file.read_bytes())
        return found

    def forget(self, advertisement: str) -> None:
        (self._folder / advertisement).unlink(missing_ok=True)
