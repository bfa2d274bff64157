"""A file that a program has open on a share."""

import errno
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from smbprotocol.open import Open

from keyturn.adapters.runners.posix.share_errors import Shown
from keyturn.adapters.runners.posix.share_files import (
    EXISTING,
    FILE,
    FRESH,
    READ,
    Seen,
    length,
    opened,
    seen_of,
)
from keyturn.adapters.runners.posix.share_link import Entered, Link
from keyturn.adapters.shares.smb_opening import tell
from keyturn.adapters.shares.smb_reading import ask

FRESH_S = 1.0
"""How old what was read ahead may be when a program gets it: as old as the kernel's attributes."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A piece on its way, or here."""

    at: float
    take: Callable[[], bytes]


class Handle:
    """One thread at a time. What is opened again after a lost connection must be the file that it was."""

    def __init__(self, link: Link, path: str, access: int, disposition: int) -> None:
        """Shown, where it cannot be opened."""
        self._link = link
        self._path = path
        self._access = access
        self._turn = threading.Lock()
        self._open = ExitStack()
        once_only = disposition == FRESH
        self._entered, self._file = link.do(path, lambda at: self._opened(at, disposition), twice=not once_only)
        self._seen = seen_of(self._file)
        self._asked: dict[int, _Asked] = {}
        self._depth = 1

    def read(self, offset: int, size: int) -> bytes:
        with self._turn:
            return self._link.do(self._path, lambda entered: self._read(entered, offset, size))

    def write(self, offset: int, content: bytes) -> int:
        with self._turn:
            self._asked.clear()
            return self._link.do(self._path, lambda entered: self._write(self._at(entered), offset, content))

    def resize(self, size: int) -> None:
        with self._turn:
            self._asked.clear()
            self._link.do(self._path, lambda entered: tell(self._at(entered), length(size)))

    def flush(self) -> None:
        with self._turn:
            self._link.do(self._path, lambda entered: self._at(entered).flush())

    def close(self) -> None:
        with self._turn:
            self._open.close()

    def _read(self, entered: Entered, offset: int, size: int) -> bytes:
        """From pieces that are asked for ahead of a program which reads from the beginning to the end; any other read
        is asked for as it is."""
        file = self._at(entered)
        first, last = offset // entered.piece, (offset + size - 1) // entered.piece
        follows = first in self._asked or first - 1 in self._asked or offset == 0
        if not follows or offset + size > self._seen.size:
            return ask(file, offset, size)()
        self._forget(first)
        self._ask_ahead(file, entered, first, last)
        content = b"".join(self._part(number, entered.piece, offset, size) for number in range(first, last + 1))
        return content if len(content) == size else ask(file, offset, size)()

    def _ask_ahead(self, file: Open, entered: Entered, first: int, last: int) -> None:
        if last not in self._asked:
            self._depth = min(self._depth * 2, entered.reads)
        for number in range(first, max(last + 1, first + self._depth)):
            start = number * entered.piece
            if number not in self._asked and start < self._seen.size:
                self._asked[number] = _Asked(time.monotonic(), _once(ask(file, start, entered.piece)))

    def _part(self, number: int, piece: int, offset: int, size: int) -> bytes:
        start = number * piece
        return self._asked[number].take()[max(offset - start, 0) : offset + size - start]

    def _forget(self, first: int) -> None:
        """What lies behind, but for the last piece, which readers in parallel may still want; and what is too old."""
        oldest = time.monotonic() - FRESH_S
        for number, asked in list(self._asked.items()):
            if number < first - 1 or asked.at < oldest:
                asked.take()
                del self._asked[number]

    def _write(self, file: Open, offset: int, content: bytes) -> int:
        """The server may take less at once than the kernel gives."""
        most: int = file.connection.max_write_size if file.connection.supports_multi_credit else 64 * 1024
        for start in range(0, len(content), most):
            file.write(content[start : start + most], offset + start)
        return len(content)

    def _at(self, entered: Entered) -> Open:
        if self._entered is not entered:
            self._asked.clear()
            _, file = self._opened(entered, EXISTING)
            if not self._is_still(seen_of(file)):
                raise Shown(errno.ESTALE)
            self._entered, self._file = entered, file
        return self._file

    def _opened(self, entered: Entered, disposition: int) -> tuple[Entered, Open]:
        file = opened(entered.tree, self._path, self._access, disposition, FILE)
        return entered, self._open.enter_context(file)

    def _is_still(self, now: Seen) -> bool:
        """A file that this program does not write to has not been written to by others either."""
        if self._access == READ:
            return now == self._seen
        return now.made_at == self._seen.made_at


def _once(take: Callable[[], bytes]) -> Callable[[], bytes]:
    """An answer is taken from the connection once, and may be wanted several times."""
    taken: list[bytes] = []

    def take_once() -> bytes:
        if not taken:
            taken.append(take())
        return taken[0]

    return take_once
