"""A package's source in a folder of the site server.

Nothing is followed out of the folder: what is no file and no folder is refused with its name, also where it took a
file's place after the folder was listed.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from keyturn.distribution.content import BadContent
from keyturn.model.errors import NotFound, Refused
from keyturn.operations.content_ports import SETTLED_S, Found, Source

PIECE = 1024 * 1024


class FolderSource(Source):
    def __init__(self, root: str, now: Callable[[], float] = time.time) -> None:
        """Refused for a relative path: the server's own working directory is nobody's business."""
        self._root = Path(root)
        self._now = now
        if not self._root.is_absolute():
            raise Refused(f"{root} is no absolute path", hint="write the whole path of the folder on the site server")

    def files(self) -> Iterator[Found]:
        if not self._root.is_dir():
            raise NotFound(
                f"there is no folder {self._root} on the site server",
                hint="put it there, or keyturn package update ID --source FOLDER",
            )
        yield from self._below("")

    def read(self, path: str) -> Iterator[bytes]:
        try:
            descriptor = _opened(self._root, path.split("/"))
        except FileNotFoundError:
            raise NotFound(f"{self._root / path} has gone") from None
        except OSError as error:
            raise _trouble(self._root / path, error) from None
        with open(descriptor, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise BadContent(f"{self._root / path} is no file any more")
            while piece := file.read(PIECE):
                yield piece

    def _below(self, folder: str) -> Iterator[Found]:
        try:
            with os.scandir(self._root / folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise _trouble(self._root / folder, error) from None
        for entry in listed:
            yield from self._found(f"{folder}/{entry.name}" if folder else entry.name, entry)

    def _found(self, path: str, entry: os.DirEntry[str]) -> Iterator[Found]:
        looked_at = self._now()
        try:
            state = entry.stat(follow_symlinks=False)
        except OSError as error:
            raise _trouble(self._root / path, error) from None
        if stat.S_ISDIR(state.st_mode):
            yield from self._below(path)
        elif stat.S_ISREG(state.st_mode):
            mark = f"{state.st_dev}/{state.st_ino}/{state.st_size}/{state.st_mtime_ns}/{state.st_ctime_ns}"
            settled = max(state.st_mtime, state.st_ctime) + SETTLED_S < looked_at
            yield Found(path, state.st_size, mark, bool(state.st_mode & 0o111), settled)
        else:
            what = "a link" if stat.S_ISLNK(state.st_mode) else "neither a file nor a folder"
            raise BadContent(
                f"{ascii(str(self._root / path))[1:-1]} is {what}",
                hint="a package holds files and folders alone: put the file itself there",
            )


def _opened(root: Path, names: Sequence[str]) -> int:
    """Step by step, so that no link on the way is followed."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for number, name in enumerate(names, 1):
        kind = os.O_DIRECTORY if number < len(names) else os.O_NONBLOCK
        try:
            inner = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


def _trouble(path: Path, error: OSError) -> Refused:
    if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENOTDIR):
        return BadContent(f"{path} is no file any more")
    return Refused(f"{path} cannot be read: {error.strerror}", hint="the account of the server must be able to read it")
