"""Files that come from another site in pieces, until they are whole.

arriving/ab34…   named by what it is to be; as long as what has arrived
"""

import contextlib
import errno
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from keyturn.model.errors import Unavailable
from keyturn.operations.content_ports import Arriving, Blobs

PIECE = 1024 * 1024


class FolderArriving(Arriving):
    """Beside the blobs that it ends in. The folder is made with the first piece.

    No piece is waited for to be on the disk, as there may be thousands in one transaction: after a power cut a file may
    be shorter than was told, or wrong, and both are found and asked for again. Whole files are made durable by the
    blobs.
    """

    def __init__(self, root: Path, blobs: Blobs) -> None:
        self._folder = root / "arriving"
        self._blobs = blobs

    def there(self, sha256: str) -> int:
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, sha256: str, offset: int, piece: bytes) -> None:
        if self.there(sha256) != offset:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._path(sha256).open("ab", buffering=0) as file:
                try:
                    _write_all(file.fileno(), piece)
                except OSError:
                    file.truncate(offset)
                    raise
        except OSError as error:
            said = "is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "cannot be written"
            raise Unavailable(f"{self._folder} {said}", hint="make room; it goes on by itself") from None

    def settle(self, sha256: str) -> bool:
        kept = self._blobs.keep(self._pieces(sha256))
        self._path(sha256).unlink(missing_ok=True)
        return kept.sha256 == sha256

    def sweep(self, used: Collection[str], before: float) -> None:
        for path in self._folder.glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.name not in used and path.stat().st_mtime < before:
                    path.unlink()

    def _pieces(self, sha256: str) -> Iterator[bytes]:
        """Nothing where nothing has arrived: so comes a file without content."""
        try:
            file = self._path(sha256).open("rb")
        except FileNotFoundError:
            return
        with file:
            while piece := file.read(PIECE):
                yield piece

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256


def _write_all(descriptor: int, piece: bytes) -> None:
    left = memoryview(piece)
    while left:
        left = left[os.write(descriptor, left) :]
