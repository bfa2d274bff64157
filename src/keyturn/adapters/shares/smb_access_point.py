"""The boxes of a client access point on an SMB share, as the site works in them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
from keyturn.adapters.shares.smb_session import Place, Unreached, connected, enter, log_on, place_of
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.inbox_ports import InUse, Lying, PointTrouble
from keyturn.site.access_points import BAD_BOX
from keyturn.site.permissions import AccessList

WORKING_S = 300
"""For one visit to an access point, however many files there are."""

_CHUNK = 64 * 1024


class SmbAccessPoint:
    def __init__(self, share: str) -> None:
        self._place = place_of(share)

    @contextmanager
    def reach(self) -> Iterator["_Reached"]:
        try:
            with connected(self._place.host, WORKING_S) as connection:
                yield _Reached(connection, self._place)
        except Unreached as error:
            raise PointTrouble(str(error)) from None


class _Reached:
    def __init__(self, connection: Connection, place: Place) -> None:
        self._connection = connection
        self._place = place
        self._account = ""
        self._entered: TreeConnect | None = None

    def log_on(self, account: str, secret: Secret) -> Answer:
        self._account = account
        with self._translated(self._place.root):
            session = log_on(self._connection, account, secret, LogonProtocol.NTLM)
            if isinstance(session, Answer):
                return session
            tree = enter(session, self._place.root)
            if isinstance(tree, Answer):
                return tree
            self._entered = tree
        return Answer.ACCEPTED

    def make(self, box: str) -> None:
        """Asked for before it is made: who may not make it need not, where it is there."""
        with self._translated(box):
            try:
                with self._folder(box, DirectoryAccessMask.FILE_READ_ATTRIBUTES):
                    return
            except SMBResponseException as error:
                if error.status not in GONE:
                    raise
            with (
                suppressed(THERE),
                self._folder(box, DirectoryAccessMask.FILE_READ_ATTRIBUTES, CreateDisposition.FILE_CREATE),
            ):
                pass

    def files(self, box: str) -> tuple[Lying, ...]:
        with self._translated(box):
            return tuple(self._listed(box))

    def write(self, box: str, name: str, content: bytes) -> None:
        """Under another name first, which no reader looks for; then moved into its place."""
        access = FilePipePrinterAccessMask.GENERIC_WRITE | FilePipePrinterAccessMask.DELETE
        fresh = rf"{box}\.{name}.new"
        with (
            self._translated(rf"{box}\{name}"),
            self._file(fresh, access, NOBODY, CreateDisposition.FILE_OVERWRITE_IF) as file,
        ):
            for at in range(0, len(content), _CHUNK):
                file.write(content[at : at + _CHUNK], at)
            file.flush()
            tell(file, renamed(self._path(rf"{box}\{name}"), replacing=True))

    def take(self, box: str, lying: Lying, keep: Callable[[bytes], None]) -> None:
        """Nobody else may write to it or replace it from the reading to the deletion."""
        path = rf"{box}\{lying.name}"
        access = FilePipePrinterAccessMask.GENERIC_READ | FilePipePrinterAccessMask.DELETE
        with self._translated(path), suppressed(GONE), self._file(path, access, NOBODY) as file:
            if _mark(file) != lying.mark:
                raise InUse(f"{path} was changed while it was looked at")
            size = file.end_of_file
            content = b"".join(file.read(at, min(_CHUNK, size - at)) for at in range(0, size, _CHUNK))
            keep(content)
            tell(file, deleted())

    def put_aside(self, box: str, lying: Lying, name: str) -> None:
        path = rf"{box}\{lying.name}"
        with (
            self._translated(path),
            suppressed(GONE),
            self._file(path, FilePipePrinterAccessMask.DELETE, READERS) as file,
        ):
            tell(file, renamed(self._path(rf"{BAD_BOX}\{name}"), replacing=False))

    def permissions(self, path: str) -> AccessList:
        with self._translated(path), self._either(path, DirectoryAccessMask.READ_CONTROL) as opened:
            return ask_permissions(opened)

    def set_permissions(self, path: str, given: AccessList) -> None:
        access = DirectoryAccessMask.READ_CONTROL | DirectoryAccessMask.WRITE_DAC
        with self._translated(path), self._either(path, access) as opened:
            give_permissions(opened, given)

    def _listed(self, box: str) -> Iterator[Lying]:
        with suppressed(GONE | NO_MORE), self._folder(box, DirectoryAccessMask.FILE_LIST_DIRECTORY) as folder:
            while True:
                for entry in folder.query_directory("*", FileInformationClass.FILE_DIRECTORY_INFORMATION):
                    if not entry["file_attributes"].has_flag(FileAttributes.FILE_ATTRIBUTE_DIRECTORY):
                        yield _lying(entry)

    def _file(self, path: str, access: int, shared: int, disposition: int = CreateDisposition.FILE_OPEN) -> Opened:
        return Opened(self._tree, self._path(path), access, shared, disposition, CreateOptions.FILE_NON_DIRECTORY_FILE)

    def _folder(self, path: str, access: int, disposition: int = CreateDisposition.FILE_OPEN) -> Opened:
        whole = self._path(path)
        return Opened(self._tree, whole, access, EVERYBODY, disposition, CreateOptions.FILE_DIRECTORY_FILE)

    def _either(self, path: str, access: int) -> Opened:
        return Opened(self._tree, self._path(path), access, EVERYBODY, CreateDisposition.FILE_OPEN, 0)

    def _path(self, path: str) -> str:
        return "\\".join([*self._place.folders, *([path] if path else [])])

    @property
    def _tree(self) -> TreeConnect:
        assert self._entered is not None, "nobody has logged on"
        return self._entered

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """The one place where the library's errors become ours."""
        place = rf"{self._place.root}\{self._path(what)}" if what != self._place.root else what
        try:
            yield
        except SMBResponseException as error:
            raise trouble(place, self._account, error.status) from None
        except (SMBException, OSError, ValueError) as error:
            raise PointTrouble(f"{place} did not finish its answer to {self._account}: {str(error)[:200]}") from None


def _lying(entry: Structure) -> Lying:
    written = entry["last_write_time"].get_value()
    name = entry["file_name"].get_value().decode("utf-16-le", "replace")
    times = (entry["creation_time"].get_value(), written)
    return Lying(
        name, entry["end_of_file"].get_value(), _marked(*times, entry["end_of_file"].get_value()), written.timestamp()
    )


def _mark(file: Open) -> str:
    return _marked(file.creation_time, file.last_write_time, file.end_of_file)


def _marked(created: object, written: object, size: int) -> str:
    return f"{created}/{written}/{size}"
