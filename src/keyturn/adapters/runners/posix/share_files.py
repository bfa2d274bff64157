"""Files and folders of a share, as SMB has them: looked at, listed, opened, read, written, changed."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from smbprotocol.exceptions import SMBResponseException
from smbprotocol.file_info import (
    FileBasicInformation,
    FileEndOfFileInformation,
    FileFsFullSizeInformation,
    FileInformationClass,
)
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FileAttributes,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    SMB2QueryInfoRequest,
    SMB2QueryInfoResponse,
)
from smbprotocol.structure import DateTimeField, Structure
from smbprotocol.tree import TreeConnect

from keyturn.adapters.shares.smb_opening import EVERYBODY, NO_MORE, Opened, deleted, renamed, suppressed, tell

ANYTHING, FILE, FOLDER = 0, CreateOptions.FILE_NON_DIRECTORY_FILE, CreateOptions.FILE_DIRECTORY_FILE
READ, WRITE, DELETE, ATTRIBUTES, NEW_ATTRIBUTES = (
    FilePipePrinterAccessMask.GENERIC_READ,
    FilePipePrinterAccessMask.GENERIC_WRITE,
    FilePipePrinterAccessMask.DELETE,
    FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES,
    FilePipePrinterAccessMask.FILE_WRITE_ATTRIBUTES,
)
EXISTING, FRESH, EITHER = (
    CreateDisposition.FILE_OPEN,
    CreateDisposition.FILE_CREATE,
    CreateDisposition.FILE_OPEN_IF,
)
_LIST = DirectoryAccessMask.FILE_LIST_DIRECTORY | ATTRIBUTES
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FILE_SYSTEM = 2
"""SMB2_0_INFO_FILESYSTEM (MS-SMB2 2.2.37)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Of a file or folder. Times in nanoseconds since the epoch; `size` in bytes."""

    size: int
    folder: bool
    read_only: bool
    written_at: int
    made_at: int


def opened(tree: TreeConnect, path: str, access: int, disposition: int = EXISTING, kind: int = ANYTHING) -> Opened:
    return Opened(tree, path, access, EVERYBODY, disposition, kind)


def look(tree: TreeConnect, path: str) -> Seen:
    """In one exchange: opened and closed."""
    file = Open(tree, path)
    opening, was_opened = file.create(
        ImpersonationLevel.Impersonation, ATTRIBUTES, 0, EVERYBODY, EXISTING, ANYTHING, send=False
    )
    closing, was_closed = file.close(send=False)
    session = tree.session
    sent = tree.session.connection.send_compound(
        [opening, closing], session.session_id, tree.tree_connect_id, related=True
    )
    try:
        was_opened(sent[0])
    finally:
        with suppress(SMBResponseException):
            was_closed(sent[1])
    return seen_of(file)


def seen_of(file: Open) -> Seen:
    return _seen(file.end_of_file, file.file_attributes, file.last_write_time, file.creation_time)


def listed(tree: TreeConnect, path: str) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    with opened(tree, path, _LIST, kind=FOLDER) as folder, suppressed(NO_MORE):
        while True:
            for entry in folder.query_directory("*", FileInformationClass.FILE_DIRECTORY_INFORMATION):
                name = entry["file_name"].get_value().decode("utf-16-le", "surrogatepass")
                found[name] = _seen(
                    entry["end_of_file"].get_value(),
                    entry["file_attributes"].get_value(),
                    entry["last_write_time"].get_value(),
                    entry["creation_time"].get_value(),
                )
    return found


def make_folder(tree: TreeConnect, path: str) -> None:
    with opened(tree, path, ATTRIBUTES, FRESH, FOLDER):
        pass


def remove(tree: TreeConnect, path: str, kind: int) -> None:
    _change(tree, path, DELETE, deleted(), kind)


def rename(tree: TreeConnect, path: str, to: str) -> None:
    _change(tree, path, DELETE | ATTRIBUTES, renamed(to, replacing=True))


def resize(tree: TreeConnect, path: str, size: int) -> None:
    _change(tree, path, WRITE, length(size), FILE)


def date(tree: TreeConnect, path: str, read_at: int, written_at: int) -> None:
    """In nanoseconds since the epoch."""
    dated = FileBasicInformation()
    dated["last_access_time"] = read_at // 100 + DateTimeField.EPOCH_FILETIME
    dated["last_write_time"] = written_at // 100 + DateTimeField.EPOCH_FILETIME
    _change(tree, path, NEW_ATTRIBUTES, dated)


def length(size: int) -> Structure:
    cut = FileEndOfFileInformation()
    cut["end_of_file"] = size
    return cut


def space(tree: TreeConnect) -> tuple[int, int, int]:
    """Bytes in a unit, units in all, units free for this account."""
    size = FileFsFullSizeInformation()
    request = SMB2QueryInfoRequest()
    request["info_type"] = _FILE_SYSTEM
    request["file_info_class"] = FileFsFullSizeInformation.INFO_CLASS
    request["output_buffer_length"] = 1024
    with opened(tree, "", ATTRIBUTES, kind=FOLDER) as folder:
        request["file_id"] = folder.file_id
        sent = folder.connection.send(request, tree.session.session_id, tree.tree_connect_id)
        answer = SMB2QueryInfoResponse()
        answer.unpack(folder.connection.receive(sent)["data"].get_value())
    size.unpack(answer["buffer"].get_value())
    unit = size["sectors_per_unit"].get_value() * size["bytes_per_sector"].get_value()
    return unit, size["total_allocation_units"].get_value(), size["caller_available_units"].get_value()


def _change(tree: TreeConnect, path: str, access: int, what: Structure, kind: int = ANYTHING) -> None:
    with opened(tree, path, access, kind=kind) as file:
        tell(file, what)


def _seen(size: int, attributes: int, written: datetime, made: datetime) -> Seen:
    folder = bool(attributes & FileAttributes.FILE_ATTRIBUTE_DIRECTORY)
    read_only = bool(attributes & FileAttributes.FILE_ATTRIBUTE_READONLY) and not folder
    return Seen(0 if folder else size, folder, read_only, _nanoseconds(written), _nanoseconds(made))


def _nanoseconds(moment: datetime) -> int:
    return (moment.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1) * 1000
