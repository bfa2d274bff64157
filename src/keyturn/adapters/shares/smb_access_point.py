"""The boxes of a client access point on an SMB share, as the site works in them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.file_info import (
    FileDispositionInformation,
    FileInformationClass,
    FileRenameInformation,
)
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FileAttributes,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    ShareAccess,
    SMB2SetInfoRequest,
)
from smbprotocol.structure import Structure
from smbprotocol.tree import TreeConnect

from keyturn.adapters.shares.smb_descriptors import ask_permissions, give_permissions
from keyturn.adapters.shares.smb_session import Place, Unreached, connected, enter, log_on, place_of
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.inbox_ports import AccessDenied, InUse, Lying, PointTrouble
from keyturn.site.access_points import BAD_BOX
from keyturn.site.permissions import AccessList

WORKING_S = 300
"""For one visit to an access point, however many files there are."""

_CHUNK = 64 * 1024
_NOBODY, _READERS, _EVERYBODY = (
    0,
    ShareAccess.FILE_SHARE_READ,
    ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE,
)
"""Who else may have a file open meanwhile."""

# NTSTATUS numbers (MS-ERREF 2.3.1): the library has a name for some only.
_DENIED = {0xC0000022, 0xC0000061}  # STATUS_ACCESS_DENIED, STATUS_PRIVILEGE_NOT_HELD
_IN_USE = {0xC0000043, 0xC0000054, 0xC0000056}  # SHARING_VIOLATION, FILE_LOCK_CONFLICT, DELETE_PENDING
_GONE = {0xC000000F, 0xC0000034, 0xC000003A}  # NO_SUCH_FILE, OBJECT_NAME_NOT_FOUND, OBJECT_PATH_NOT_FOUND
_THERE = {0xC0000035}  # OBJECT_NAME_COLLISION
_NO_MORE = {0x80000006}  # NO_MORE_FILES


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
                if error.status not in _GONE:
                    raise
            with (
                suppressed(_THERE),
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
            self._file(fresh, access, _NOBODY, CreateDisposition.FILE_OVERWRITE_IF) as file,
        ):
            for at in range(0, len(content), _CHUNK):
                file.write(content[at : at + _CHUNK], at)
            file.flush()
            _tell(file, _renamed(self._path(rf"{box}\{name}"), replacing=True))

    def take(self, box: str, lying: Lying, keep: Callable[[bytes], None]) -> None:
        """Nobody else may write to it or replace it from the reading to the deletion."""
        path = rf"{box}\{lying.name}"
        access = FilePipePrinterAccessMask.GENERIC_READ | FilePipePrinterAccessMask.DELETE
        with self._translated(path), suppressed(_GONE), self._file(path, access, _NOBODY) as file:
            if _mark(file) != lying.mark:
                raise InUse(f"{path} was changed while it was looked at")
            size = file.end_of_file
            content = b"".join(file.read(at, min(_CHUNK, size - at)) for at in range(0, size, _CHUNK))
            keep(content)
            _tell(file, _deleted())

    def put_aside(self, box: str, lying: Lying, name: str) -> None:
        path = rf"{box}\{lying.name}"
        with (
            self._translated(path),
            suppressed(_GONE),
            self._file(path, FilePipePrinterAccessMask.DELETE, _READERS) as file,
        ):
            _tell(file, _renamed(self._path(rf"{BAD_BOX}\{name}"), replacing=False))

    def permissions(self, path: str) -> AccessList:
        with self._translated(path), self._either(path, DirectoryAccessMask.READ_CONTROL) as opened:
            return ask_permissions(opened)

    def set_permissions(self, path: str, given: AccessList) -> None:
        access = DirectoryAccessMask.READ_CONTROL | DirectoryAccessMask.WRITE_DAC
        with self._translated(path), self._either(path, access) as opened:
            give_permissions(opened, given)

    def _listed(self, box: str) -> Iterator[Lying]:
        with suppressed(_GONE | _NO_MORE), self._folder(box, DirectoryAccessMask.FILE_LIST_DIRECTORY) as folder:
            while True:
                for entry in folder.query_directory("*", FileInformationClass.FILE_DIRECTORY_INFORMATION):
                    if not entry["file_attributes"].has_flag(FileAttributes.FILE_ATTRIBUTE_DIRECTORY):
                        yield _lying(entry)

    def _file(self, path: str, access: int, shared: int, disposition: int = CreateDisposition.FILE_OPEN) -> "_Opened":
        return _Opened(self._tree, self._path(path), access, shared, disposition, CreateOptions.FILE_NON_DIRECTORY_FILE)

    def _folder(self, path: str, access: int, disposition: int = CreateDisposition.FILE_OPEN) -> "_Opened":
        whole = self._path(path)
        return _Opened(self._tree, whole, access, _EVERYBODY, disposition, CreateOptions.FILE_DIRECTORY_FILE)

    def _either(self, path: str, access: int) -> "_Opened":
        return _Opened(self._tree, self._path(path), access, _EVERYBODY, CreateDisposition.FILE_OPEN, 0)

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
            raise _trouble(place, self._account, error.status) from None
        except (SMBException, OSError, ValueError) as error:
            raise PointTrouble(f"{place} did not finish its answer to {self._account}: {str(error)[:200]}") from None


class _Opened:
    """An open of the library, closed at the end of the block."""

    def __init__(self, tree: TreeConnect, path: str, access: int, shared: int, disposition: int, options: int) -> None:
        self._open = Open(tree, path)
        self._asked = (access, shared, disposition, options)

    def __enter__(self) -> Open:
        access, shared, disposition, options = self._asked
        kind = FileAttributes.FILE_ATTRIBUTE_NORMAL
        level = ImpersonationLevel.Impersonation
        self._open.create(level, access, kind, shared, disposition, options)
        return self._open

    def __exit__(self, *_: object) -> None:
        with suppress(SMBException, OSError, ValueError):
            self._open.close()


@contextmanager
def suppressed(statuses: set[int]) -> Iterator[None]:
    try:
        yield
    except SMBResponseException as error:
        if error.status not in statuses:
            raise


def _trouble(place: str, account: str, status: int) -> PointTrouble:
    if status in _DENIED:
        hint = "was the account made anew? keyturn site repair-acl finds what it lost; keyturn site apply-acl sets all"
        return AccessDenied(f"access to {place} is denied to {account}", hint)
    if status in _IN_USE:
        return InUse(f"{place} is open elsewhere")
    return PointTrouble(f"{place} answered {account} with status {status:#010x}")


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


def _tell(file: Open, what: Structure) -> None:
    """MS-SMB2 3.2.4.8: one piece of information about an open file is set."""
    request = SMB2SetInfoRequest()
    request["info_type"] = what.INFO_TYPE
    request["file_info_class"] = what.INFO_CLASS
    request["file_id"] = file.file_id
    request["buffer"] = what.pack()
    session = file.tree_connect.session
    sent = file.connection.send(request, session.session_id, file.tree_connect.tree_connect_id)
    file.connection.receive(sent)


def _renamed(path: str, *, replacing: bool) -> Structure:
    name = FileRenameInformation()
    name["replace_if_exists"] = replacing
    name["file_name"] = path
    return name


def _deleted() -> Structure:
    gone = FileDispositionInformation()
    gone["delete_pending"] = True
    return gone
