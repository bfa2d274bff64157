"""A folder on an SMB share as the site reads and fills it: the source of a package, or a distribution point."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

from smbprotocol.file_info import FileInformationClass
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FileAttributes,
    FilePipePrinterAccessMask,
    Open,
)
from smbprotocol.structure import Structure

from keyturn.adapters.shares.smb_opening import GONE, NO_MORE, NOBODY, READERS, deleted, renamed, suppressed, tell
from keyturn.adapters.shares.smb_reached import LOOK, ReachedShare
from keyturn.adapters.shares.smb_reading import pieces, widen, width
from keyturn.adapters.shares.smb_session import Dated, Unreached, close, open_connection, place_of
from keyturn.distribution.content import BadContent
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.content_ports import SETTLED_S, Found, ReachedFolder, SharedFolder
from keyturn.operations.inbox_ports import PointTrouble

ANSWER_S = 30.0
"""For each answer of the server."""

_ITSELF = {".", ".."}
_READ, _WRITE = FilePipePrinterAccessMask.GENERIC_READ, FilePipePrinterAccessMask.GENERIC_WRITE
_DELETE = FilePipePrinterAccessMask.DELETE


class SmbFolder(SharedFolder):
    def __init__(self, place: str) -> None:
        self._place = place_of(place)

    @contextmanager
    def reach(self) -> Iterator[ReachedFolder]:
        try:
            connection = open_connection(self._place.host, ANSWER_S)
        except Unreached as error:
            raise PointTrouble(str(error)) from None
        try:
            yield _Reached(connection, self._place)
        finally:
            close(connection)


class _Reached(ReachedShare, ReachedFolder):
    _connection: Dated

    def log_on(self, account: str, secret: Secret) -> Answer:
        answer = super().log_on(account, secret)
        if answer is Answer.ACCEPTED:
            with self._translated(""):
                widen(self._connection, self._tree.session.session_id)
        return answer

    def files(self, path: str = "") -> Iterator[Found]:
        yield from self._below(path, "")

    def folders(self) -> tuple[str, ...]:
        return tuple(_name(entry) for entry in self._listed("") if _is(entry, _FOLDER))

    def write(self, path: str, content: Iterable[bytes]) -> None:
        """Under another name first, which no manifest has; then moved into its place."""
        folder, _, name = path.rpartition("/")
        fresh = "/".join(filter(None, (folder, f".{name[-200:]}.new")))
        access, anew = _WRITE | _DELETE, CreateDisposition.FILE_OVERWRITE_IF
        with self._translated(path), self._file(fresh, access, NOBODY, anew) as file:
            _fill(file, content)
            file.flush()
            tell(file, renamed(self._path(path), replacing=True))

    def read(self, path: str) -> Iterator[bytes]:
        with self._translated(path), self._file(path, _READ, READERS) as file:
            yield from pieces(file, 0)

    def remove(self, path: str) -> None:
        with self._translated(path), suppressed(GONE):
            self._remove(path)

    def _remove(self, path: str) -> None:
        """A link goes, and not what it leads to."""
        with self._either(path, LOOK, CreateOptions.FILE_OPEN_REPARSE_POINT) as opened:
            kind = opened.file_attributes
        is_link = kind & FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT
        if kind & FileAttributes.FILE_ATTRIBUTE_DIRECTORY and not is_link:
            for entry in self._listed(path):
                self._remove(f"{path}/{_name(entry)}")
        with self._either(path, _DELETE, CreateOptions.FILE_OPEN_REPARSE_POINT) as opened:
            tell(opened, deleted())

    def _below(self, root: str, folder: str) -> Iterator[Found]:
        looked_at = time.time() + self._connection.ahead_s
        for entry in self._listed("/".join(filter(None, (root, folder)))):
            path = "/".join(filter(None, (folder, _name(entry))))
            if _is(entry, FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT):
                raise BadContent(
                    rf"{self._place.root}\{self._path(path)} is a link",
                    hint="a package holds files and folders alone: put the file itself there",
                )
            if _is(entry, _FOLDER):
                yield from self._below(root, path)
            else:
                settled = _changed_at(entry) + SETTLED_S < looked_at
                yield Found(path, entry["end_of_file"].get_value(), _mark(entry), settled=settled)

    def _listed(self, path: str) -> list[Structure]:
        listed: list[Structure] = []
        with (
            self._translated(path),
            suppressed(GONE | NO_MORE),
            self._folder(path, DirectoryAccessMask.FILE_LIST_DIRECTORY) as folder,
        ):
            while True:
                found = folder.query_directory("*", FileInformationClass.FILE_ID_FULL_DIRECTORY_INFORMATION)
                listed += (entry for entry in found if _name(entry) not in _ITSELF)
        return listed


_FOLDER = FileAttributes.FILE_ATTRIBUTE_DIRECTORY


def _fill(file: Open, content: Iterable[bytes]) -> None:
    """Several writes on their way at once: one at a time, a server is idle while its answer travels."""
    ahead, piece = width(file.connection)
    under_way: deque[Callable[[], None]] = deque()
    at = 0
    for block in content:
        for start in range(0, len(block), piece):
            if len(under_way) == ahead:
                under_way.popleft()()
            part = block[start : start + piece]
            under_way.append(_send(file, part, at))
            at += len(part)
    while under_way:
        under_way.popleft()()


def _send(file: Open, part: bytes, at: int) -> Callable[[], None]:
    """Sends it. What it returns waits for the answer."""
    message, received = file.write(part, at, send=False)
    tree = file.tree_connect
    request = file.connection.send(message, tree.session.session_id, tree.tree_connect_id)

    def settle() -> None:
        written: Any = received(request)
        if written != len(part):
            raise ValueError(f"{written} of {len(part)} bytes were written")

    return settle


def _name(entry: Structure) -> str:
    name: str = entry["file_name"].get_value().decode("utf-16-le", "surrogatepass")
    return name


def _is(entry: Structure, kind: int) -> bool:
    attributes: int = entry["file_attributes"].get_value()
    return bool(attributes & kind)


_TIMES = ("creation_time", "last_write_time", "change_time")
"""Whoever writes may set the first two at will, and with Samba the third: it tells its second for it (measured with
4.17). The file's number besides shows at least a file that was put in the place of another."""


def _mark(entry: Structure) -> str:
    return "/".join(str(entry[what].get_value()) for what in (*_TIMES, "end_of_file", "file_id"))


def _changed_at(entry: Structure) -> float:
    """In seconds since the epoch, by the server's clock; never, for a moment that no calendar has."""
    try:
        return max(float(entry[what].get_value().timestamp()) for what in _TIMES)
    except (ValueError, OverflowError):
        return inf
