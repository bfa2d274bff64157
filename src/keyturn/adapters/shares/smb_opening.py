"""Files and folders on a share as the site opens and changes them, and what a file server's refusal means here."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.file_info import FileDispositionInformation, FileRenameInformation
from smbprotocol.open import FileAttributes, ImpersonationLevel, Open, ShareAccess, SMB2SetInfoRequest
from smbprotocol.structure import Structure
from smbprotocol.tree import TreeConnect

from keyturn.operations.inbox_ports import AccessDenied, InUse, PointTrouble

NOBODY, READERS, EVERYBODY = (
    0,
    ShareAccess.FILE_SHARE_READ,
    ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE,
)
"""Who else may have a file open meanwhile."""

# NTSTATUS numbers (MS-ERREF 2.3.1): the library has a name for some only.
DENIED = {0xC0000022, 0xC0000061}  # STATUS_ACCESS_DENIED, STATUS_PRIVILEGE_NOT_HELD
IN_USE = {0xC0000043, 0xC0000054, 0xC0000056}  # SHARING_VIOLATION, FILE_LOCK_CONFLICT, DELETE_PENDING
GONE = {0xC000000F, 0xC0000034, 0xC000003A}  # NO_SUCH_FILE, OBJECT_NAME_NOT_FOUND, OBJECT_PATH_NOT_FOUND
THERE = {0xC0000035}  # OBJECT_NAME_COLLISION
NO_MORE = {0x80000006}  # NO_MORE_FILES


class Opened:
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


def trouble(place: str, account: str, status: int) -> PointTrouble:
    if status in DENIED:
        hint = "was the account made anew? keyturn site repair-acl finds what it lost; keyturn site apply-acl sets all"
        return AccessDenied(f"access to {place} is denied to {account}", hint)
    if status in IN_USE:
        return InUse(f"{place} is open elsewhere")
    return PointTrouble(f"{place} answered {account} with status {status:#010x}")


def tell(file: Open, what: Structure) -> None:
    """MS-SMB2 3.2.4.8: one piece of information about an open file is set."""
    request = SMB2SetInfoRequest()
    request["info_type"] = what.INFO_TYPE
    request["file_info_class"] = what.INFO_CLASS
    request["file_id"] = file.file_id
    request["buffer"] = what.pack()
    session = file.tree_connect.session
    sent = file.connection.send(request, session.session_id, file.tree_connect.tree_connect_id)
    file.connection.receive(sent)


def renamed(path: str, *, replacing: bool) -> Structure:
    name = FileRenameInformation()
    name["replace_if_exists"] = replacing
    name["file_name"] = path
    return name


def deleted() -> Structure:
    gone = FileDispositionInformation()
    gone["delete_pending"] = True
    return gone
