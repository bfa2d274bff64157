"""What is on disk of a run before anything of it is elsewhere, so that a start after a crash finds the rest of it."""

import errno
import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from keyturn.adapters.runners.posix import kernel

_RECORD, _TEMP = "record.json", "tmp"
_PATIENCE_S = 30
_IN_USE = frozenset({errno.ENOTEMPTY, errno.ENOENT})
"""What a folder says that others write to, or delete from, while it is removed."""
_MIFS, _MIF_BYTES = 16, 64 * 1024


class Record(msgspec.Struct, frozen=True):
    """Of the process that holds a run's namespaces: what names it until the machine starts again. `unwatched`: the
    program was left to itself on purpose."""

    boot: str
    stage: int = 0
    started_at: int = 0
    unwatched: bool = False

    @property
    def stands(self) -> bool:
        return self.stage != 0 and self.boot == kernel.boot() and kernel.started_at(self.stage) == self.started_at


class Run:
    """Its folder: the record, and the temporary folder of the program, which is its identity's alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def temp(self) -> Path:
        return self._folder / _TEMP

    def open(self, uid: int, gid: int) -> None:
        self._folder.mkdir(mode=0o700, parents=True)
        self._write(Record(kernel.boot()))
        self.temp.mkdir(mode=0o700)
        os.chown(self.temp, uid, gid)

    def has_stage(self, pid: int) -> None:
        self._write(Record(kernel.boot(), pid, kernel.started_at(pid) or 0))

    def is_unwatched(self) -> None:
        self._write(msgspec.structs.replace(self._read(), unwatched=True))

    def mifs(self) -> tuple[bytes, ...]:
        """The status files in the temporary folder, the newest first. One that is older than the run came with what was
        installed (Q268791). The folder is somebody else's: only what is a plain file there is opened."""
        begun = (self._folder / _RECORD).stat().st_mtime
        mifs = [path for path in self.temp.iterdir() if path.suffix.lower() == ".mif"]
        found = [path for path in mifs if path.lstat().st_mtime >= begun]
        newest = sorted(found, key=lambda path: path.lstat().st_mtime, reverse=True)[:_MIFS]
        return tuple(content for path in newest if (content := _plain_content(path)) is not None)

    def close(self) -> None:
        """Processes that were killed a moment ago go on writing here until the kernel is done with each."""
        until = time.monotonic() + _PATIENCE_S
        while self._folder.exists():
            try:
                shutil.rmtree(self._folder)
            except OSError as error:
                if error.errno not in _IN_USE or time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def put_right(self) -> str:
        """What was found; empty where all is as it should be."""
        record = self._read()
        if record.unwatched and record.stands:
            return ""
        stood = record.stands
        if stood:
            _end(record)
        self.close()
        if record.unwatched:
            return f"run {self._folder.name}, left to itself, has ended; its temporary folder is removed"
        ended = "it still ran and was ended; " if stood else ""
        return f"run {self._folder.name} was cut off: {ended}its temporary folder is removed"

    def _read(self) -> Record:
        """Cut off before it was written: nothing was started."""
        with suppress(OSError, ValueError):
            return msgspec.json.decode((self._folder / _RECORD).read_bytes(), type=Record)
        return Record("")

    def _write(self, record: Record) -> None:
        """Durable when it returns: a start after a power failure finds it whole."""
        fresh = self._folder / f".{_RECORD}.new"
        with fresh.open("wb") as opened:
            opened.write(msgspec.json.encode(record))
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(self._folder / _RECORD)
        folder = os.open(self._folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def left_in(runs: Path) -> Iterator[Run]:
    for folder in sorted(runs.iterdir()) if runs.is_dir() else ():
        yield Run(folder)


def _plain_content(path: Path) -> bytes | None:
    with suppress(OSError), open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
        if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            return opened.read(_MIF_BYTES)
    return None


def _end(record: Record) -> None:
    """The kernel ends every process of the run with the one that holds its namespaces."""
    with suppress(ProcessLookupError):
        os.kill(record.stage, signal.SIGKILL)
    until = time.monotonic() + _PATIENCE_S
    while record.stands and time.monotonic() < until:
        time.sleep(0.01)
