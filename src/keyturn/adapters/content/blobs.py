"""The site's own copy of every file, each once, in a folder named by what is in it.

    sha256/ab/ab34…   whole, read-only
    new/              being written; what a kill leaves there is swept

A file is made durable and then moved into place, so a name that is there has its bytes.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from keyturn.model.errors import NotFound, Unavailable
from keyturn.operations.content_ports import Blobs, Kept

PIECE = 1024 * 1024

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FolderBlobs(Blobs):
    """Any number of threads and processes may share one. The folder is made when something is first kept."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def size(self, sha256: str) -> int | None:
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def keep(self, pieces: Iterable[bytes]) -> Kept:
        try:
            return self._kept(pieces)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise Unavailable(f"{self._root} is full", hint="make room, then ask again") from None
            raise Unavailable(f"{self._root} cannot be written: {error.strerror}") from None

    def renew(self, sha256: str, size: int) -> bool:
        try:
            with self._turn(fcntl.LOCK_SH):
                if self.size(sha256) != size:
                    return False
                os.utime(self._path(sha256))
                return True
        except FileNotFoundError:  # nothing was kept yet
            return False

    def read(self, sha256: str, offset: int = 0) -> Iterator[bytes]:
        try:
            file = self._path(sha256).open("rb")
        except FileNotFoundError:
            raise NotFound(f"content {sha256} is not in {self._root}", hint="keyturn package update") from None
        with file:
            file.seek(offset)
            while piece := file.read(PIECE):
                yield piece

    def place(self, sha256: str) -> str:
        return str(self._path(sha256))

    def sweep(self, used: Collection[str], before: float) -> int:
        swept = 0
        for path in (*self._root.glob("sha256/*/*"), *self._root.glob("new/*")):
            if path.name not in used:
                with self._turn(fcntl.LOCK_EX), contextlib.suppress(FileNotFoundError):  # another process sweeps too
                    if path.stat().st_mtime < before:
                        path.unlink()
                        swept += 1
        return swept

    @contextlib.contextmanager
    def _turn(self, kind: int) -> Iterator[None]:
        """Nothing is swept between the look at it and its being taken for there."""
        opened = os.open(self._root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(opened, kind)
            yield
        finally:
            os.close(opened)

    def _path(self, sha256: str) -> Path:
        return self._root / "sha256" / sha256[:2] / sha256

    def _kept(self, pieces: Iterable[bytes]) -> Kept:
        fresh = self._root / "new"
        fresh.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=fresh)
        try:
            with open(descriptor, "wb", buffering=0) as file:
                kept = _written(file.fileno(), pieces)
                with self._turn(fcntl.LOCK_SH):
                    self._settle(file.fileno(), Path(name), kept)
        finally:
            Path(name).unlink(missing_ok=True)
        return kept

    def _settle(self, descriptor: int, fresh: Path, kept: Kept) -> None:
        """In place of one that is there: that one may be damaged, and as an old one it might be swept before a manifest
        names it."""
        path = self._path(kept.sha256)
        os.fchmod(descriptor, 0o444)
        os.fsync(descriptor)
        made = not path.parent.exists()  # the folders above change with a new one alone, and every sync is a wait
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.replace(path)
        for folder in (path.parent, path.parent.parent, self._root) if made else (path.parent,):
            _sync(folder)


def _written(descriptor: int, pieces: Iterable[bytes]) -> Kept:
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        left = memoryview(piece)
        while left:
            left = left[os.write(descriptor, left) :]
    return Kept(digest.hexdigest(), size)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
