"""Files replaced so that a crash at any moment leaves the old content or the new one, whole."""

import os
from pathlib import Path
from typing import Protocol


class Disk(Protocol):
    """The four steps of a durable replacement, so that a test can stop between any two."""

    def write(self, path: Path, data: bytes) -> None:
        """Readable by the owner alone from the first byte on."""

    def sync(self, path: Path) -> None:
        """What was written, or for a folder which names it holds, is on the medium when this returns."""

    def replace(self, source: Path, target: Path) -> None: ...

    def remove(self, path: Path) -> None:
        """Removing what is gone already is no error."""


def keep(disk: Disk, path: Path, data: bytes) -> None:
    """Durable when it returns. The folder is the agent's own, so the temporary name needs no guessing."""
    fresh = path.with_name(f".{path.name}.new")
    disk.write(fresh, data)
    disk.sync(fresh)
    disk.replace(fresh, path)
    disk.sync(path.parent)


def show(disk: Disk, path: Path, data: bytes) -> None:
    """Whole for whoever reads it, but not durable: for what can be told again."""
    fresh = path.with_name(f".{path.name}.new")
    disk.write(fresh, data)
    disk.replace(fresh, path)


class PosixDisk:
    def write(self, path: Path, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(path, flags, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)

    def sync(self, path: Path) -> None:
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)


def make_readable(folder: Path) -> None:
    """With everything above it that is missing. Others may look into it, whatever the umask says: the agent's own unit
    has one that lets nobody."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
