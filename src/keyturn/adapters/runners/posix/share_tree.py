"""What a program sees: `host/share/…`, and below it what the share has. The operations are those of libfuse.

Whose they are and who may do what is for the server to say; here everything looks as root's, readable and executable by
all, as on every file system that has no such things of its own.
"""

import errno
import itertools
import os
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from keyturn.adapters.runners.posix import share_files
from keyturn.adapters.runners.posix.share_errors import Shown
from keyturn.adapters.runners.posix.share_files import EITHER, EXISTING, FILE, FOLDER, FRESH, READ, WRITE, Seen
from keyturn.adapters.runners.posix.share_handle import Handle
from keyturn.adapters.runners.posix.share_link import Link

FRESH_S = 1.0
"""How long what a listing said of a file holds."""
READ_AHEAD = 1024 * 1024
"""Bytes that the kernel asks for before a program does."""
_NEVER_IN_A_NAME = frozenset('\\:*?"<>|')
"""The first would be a way down, the second another stream of the same file; the others are wildcards."""
_MOST_SEEN = 50_000

_Attributes = dict[str, int]


class SharedTree:
    """Called by libfuse, on threads of its own. Times in nanoseconds."""

    use_ns = True

    def __init__(self, links: Mapping[tuple[str, str], Link], ready: Callable[[], None]) -> None:
        """`links` by the names of host and share, in lower case."""
        self._links = links
        self._ready = ready
        self._handles: dict[int, Handle] = {}
        self._numbers = itertools.count(1)
        self._seen: dict[str, tuple[float, Seen]] = {}

    def init_with_config(self, connection: Any, _: Any) -> None:
        """Called once, before anything else. The kernel asks for no more ahead than both sides agree to."""
        connection.max_readahead = READ_AHEAD
        self._ready()

    def getattr(self, path: str, _: int | None = None) -> _Attributes:
        names = _names(path)
        if len(names) < 2:
            return self._above(names)
        link, below = self._place(path)
        if not below:
            return _FOLDER  # what is in it is found out by who goes there
        return _attributes(self._recently(path) or link.do(below, lambda at: share_files.look(at.tree, below)))

    def readdir(self, path: str, _: int) -> list[tuple[str, _Attributes, int]]:
        names = _names(path)
        if len(names) < 2:
            return [(name, _FOLDER, 0) for name in self._children(names)]
        link, below = self._place(path)
        listed = link.do(below, lambda at: share_files.listed(at.tree, below))
        self._remember(path, listed)
        return [(name, _attributes(seen), 0) for name, seen in listed.items()]

    def open(self, path: str, flags: int) -> int:
        access = {os.O_RDONLY: READ, os.O_WRONLY: WRITE | share_files.ATTRIBUTES}.get(
            flags & os.O_ACCMODE, READ | WRITE
        )
        handle = self._opened(path, access, EXISTING)
        if flags & os.O_TRUNC:
            self._handles[handle].resize(0)
        return handle

    def create(self, path: str, _: int, flags: int) -> int:
        handle = self._opened(path, READ | WRITE, FRESH if flags & os.O_EXCL else EITHER)
        self._changed(path)
        return handle

    def read(self, _: str, size: int, offset: int, fh: int) -> bytes:
        return self._handles[fh].read(offset, size)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self._seen.pop(path, None)
        return self._handles[fh].write(offset, data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        self._seen.pop(path, None)
        if fh in self._handles:
            self._handles[fh].resize(length)
        else:
            link, below = self._place(path)
            link.do(below, lambda at: share_files.resize(at.tree, below, length))
        return 0

    def fsync(self, _: str, _datasync: int, fh: int) -> int:
        self._handles[fh].flush()
        return 0

    def release(self, _: str, fh: int) -> int:
        self._handles.pop(fh).close()
        return 0

    def mkdir(self, path: str, _: int) -> int:
        link, below = self._inside(path)
        link.do(below, lambda at: share_files.make_folder(at.tree, below), twice=False)
        return self._changed(path)

    def unlink(self, path: str) -> int:
        return self._removed(path, FILE)

    def rmdir(self, path: str) -> int:
        return self._removed(path, FOLDER)

    def rename(self, old: str, new: str) -> int:
        link, below = self._inside(old)
        other, to = self._inside(new)
        if other is not link:
            raise Shown(errno.EXDEV)
        link.do(below, lambda at: share_files.rename(at.tree, below, to), twice=False)
        self._seen.clear()
        return self._changed(new)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        link, below = self._inside(path)
        read_at, written_at = times or (time.time_ns(),) * 2
        link.do(below, lambda at: share_files.date(at.tree, below, read_at, written_at))
        self._seen.pop(path, None)
        return 0

    def chmod(self, _: str, _mode: int) -> int:
        """The server's own rights stay as they are, as with cifs; an installer that wants its own would stop here."""
        return 0

    def chown(self, _: str, _uid: int, _gid: int) -> int:
        return 0

    def statfs(self, path: str) -> _Attributes:
        if len(_names(path)) < 2:
            return {"f_bsize": 4096, "f_frsize": 4096, "f_namemax": 255}
        link, _ = self._place(path)
        unit, units, free = link.do("", lambda at: share_files.space(at.tree))
        return {
            "f_bsize": unit,
            "f_frsize": unit,
            "f_blocks": units,
            "f_bfree": free,
            "f_bavail": free,
            "f_namemax": 255,
        }

    def _above(self, names: list[str]) -> _Attributes:
        if names and names[0] not in self._children([]):
            raise Shown(errno.ENOENT)
        return _FOLDER

    def _children(self, names: list[str]) -> list[str]:
        """Hosts, or the shares of one."""
        if not names:
            return sorted({host for host, _ in self._links})
        return sorted(share for host, share in self._links if host == names[0])

    def _opened(self, path: str, access: int, disposition: int) -> int:
        link, below = self._inside(path)
        number = next(self._numbers)
        self._handles[number] = Handle(link, below, access, disposition)
        return number

    def _removed(self, path: str, kind: int) -> int:
        link, below = self._inside(path)
        link.do(below, lambda at: share_files.remove(at.tree, below, kind), twice=False)
        self._seen.pop(path, None)
        return 0

    def _changed(self, path: str) -> int:
        link, below = self._place(path)
        link.made(below)
        self._seen.pop(path, None)
        return 0

    def _inside(self, path: str) -> tuple[Link, str]:
        """Not the share itself, and nothing above it: nobody changes those."""
        if len(_names(path)) < 3:
            raise Shown(errno.EACCES)
        return self._place(path)

    def _place(self, path: str) -> tuple[Link, str]:
        host, share, *below = _names(path)
        link = self._links.get((host, share))
        if link is None or any(_NEVER_IN_A_NAME.intersection(name) for name in below):
            raise Shown(errno.ENOENT)
        return link, "\\".join(below)

    def _recently(self, path: str) -> Seen | None:
        at, seen = self._seen.get(path, (0.0, None))
        return seen if time.monotonic() - at < FRESH_S else None

    def _remember(self, folder: str, listed: Mapping[str, Seen]) -> None:
        if len(self._seen) + len(listed) > _MOST_SEEN:
            self._seen.clear()
        now = time.monotonic()
        self._seen.update({f"{folder}/{name}": (now, seen) for name, seen in listed.items()})


def _names(path: str) -> list[str]:
    return list(PurePosixPath(path).parts[1:])


def _attributes(seen: Seen) -> _Attributes:
    kind = stat.S_IFDIR if seen.folder else stat.S_IFREG
    return {
        "st_mode": kind | (0o555 if seen.read_only else 0o755),
        "st_nlink": 1,
        "st_size": seen.size,
        "st_mtime": seen.written_at,
        "st_ctime": seen.written_at,
        "st_atime": seen.written_at,
    }


_FOLDER: _Attributes = {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 1}
