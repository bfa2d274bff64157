"""A folder on an SMB share as the site reads and fills it: the source of a package, or a distribution point."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException, SMBResponseException
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
from smbprotocol.tree import TreeConnect

from keyturn.adapters.shares.smb_descriptors import ask_permissions, give_permissions
from keyturn.adapters.shares.smb_opening import (
    EVERYBODY,
    GONE,
    NO_MORE,
    NOBODY,
    READERS,
    THERE,
    Opened,
    deleted,
    renamed,
    suppressed,
    tell,
    trouble,
)
from keyturn.adapters.shares.smb_reading import pieces, widen, width
from keyturn.adapters.shares.smb_session import Place, Unreached, close, enter, log_on, open_connection, place_of
from keyturn.distribution.content import BadContent
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.content_ports import Found, ReachedFolder, SharedFolder
from keyturn.operations.inbox_ports import PointTrouble
from keyturn.site.permissions import AccessList

ANSWER_S = 30.0
"""For each answer of the server."""

_ITSELF = {".", ".."}
_READ, _WRITE = FilePipePrinterAccessMask.GENERIC_READ, FilePipePrinterAccessMask.GENERIC_WRITE
_DELETE = FilePipePrinterAccessMask.DELETE
_LOOK = DirectoryAccessMask.FILE_READ_ATTRIBUTES


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


class _Reached(ReachedFolder):
    def __init__(self, connection: Connection, place: Place) -> None:
        self._connection = connection
        self._place = place
        self._account = ""
        self._entered: TreeConnect | None = None

    def log_on(self, account: str, secret: Secret) -> Answer:
        self._account = account
        with self._translated(""):
            session = log_on(self._connection, account, secret, LogonProtocol.NTLM)
            if isinstance(session, Answer):
                return session
            tree = enter(session, self._place.root)
            if isinstance(tree, Answer):
                return tree
            self._entered = tree
            widen(self._connection, session.session_id)
        return Answer.ACCEPTED

    def files(self, path: str = "") -> Iterator[Found]:
        yield from self._below(path, "")

    def folders(self) -> tuple[str, ...]:
        return tuple(_name(entry) for entry in self._listed("") if _is(entry, _FOLDER))

    def make(self, path: str) -> None:
        """Asked for before it is made: who may not make it need not, where it is there."""
        with self._translated(path):
            try:
                with self._folder(path, _LOOK):
                    return
            except SMBResponseException as error:
                if error.status not in GONE:
                    raise
            with suppressed(THERE), self._folder(path, _LOOK, CreateDisposition.FILE_CREATE):
                pass

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

    def permissions(self, path: str) -> AccessList:
        with self._translated(path), self._either(path, DirectoryAccessMask.READ_CONTROL) as opened:
            return ask_permissions(opened)

    def set_permissions(self, path: str, given: AccessList) -> None:
        access = DirectoryAccessMask.READ_CONTROL | DirectoryAccessMask.WRITE_DAC
        with self._translated(path), self._either(path, access) as opened:
            give_permissions(opened, given)

    def _remove(self, path: str) -> None:
        """A link goes, and not what it leads to."""
        with self._either(path, _LOOK, CreateOptions.FILE_OPEN_REPARSE_POINT) as opened:
            kind = opened.file_attributes
        is_link = kind & FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT
        if kind & FileAttributes.FILE_ATTRIBUTE_DIRECTORY and not is_link:
            for entry in self._listed(path):
                self._remove(f"{path}/{_name(entry)}")
        with self._either(path, _DELETE, CreateOptions.FILE_OPEN_REPARSE_POINT) as opened:
            tell(opened, deleted())

    def _below(self, root: str, folder: str) -> Iterator[Found]:
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
                yield Found(path, entry["end_of_file"].get_value(), _mark(entry))

    def _listed(self, path: str) -> list[Structure]:
        listed: list[Structure] = []
        with (
            self._translated(path),
            suppressed(GONE | NO_MORE),
            self._folder(path, DirectoryAccessMask.FILE_LIST_DIRECTORY) as folder,
        ):
            while True:
                found = folder.query_directory("*", FileInformationClass.FILE_DIRECTORY_INFORMATION)
                listed += (entry for entry in found if _name(entry) not in _ITSELF)
        return listed

    def _file(self, path: str, access: int, shared: int, disposition: int = CreateDisposition.FILE_OPEN) -> Opened:
        return Opened(self._tree, self._path(path), access, shared, disposition, CreateOptions.FILE_NON_DIRECTORY_FILE)

    def _folder(self, path: str, access: int, disposition: int = CreateDisposition.FILE_OPEN) -> Opened:
        kind = CreateOptions.FILE_DIRECTORY_FILE
        return Opened(self._tree, self._path(path), access, EVERYBODY, disposition, kind)

    def _either(self, path: str, access: int, options: int = 0) -> Opened:
        return Opened(self._tree, self._path(path), access, EVERYBODY, CreateDisposition.FILE_OPEN, options)

    def _path(self, path: str) -> str:
        return "\\".join([*self._place.folders, *filter(None, path.split("/"))])

    @property
    def _tree(self) -> TreeConnect:
        assert self._entered is not None, "nobody has logged on"
        return self._entered

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        """The one place where the library's errors become ours."""
        place = "\\".join(filter(None, (self._place.root, self._path(path))))
        try:
            yield
        except SMBResponseException as error:
            raise trouble(place, self._account, error.status) from None
        except (SMBException, OSError, ValueError) as error:
            raise PointTrouble(f"{place} did not finish its answer to {self._account}: {str(error)[:200]}") from None


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


def _mark(entry: Structure) -> str:
    times = ("creation_time", "last_write_time", "change_time")
    return "/".join(str(entry[what].get_value()) for what in (*times, "end_of_file"))
