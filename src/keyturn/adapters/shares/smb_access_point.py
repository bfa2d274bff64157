"""The boxes of a client access point on an SMB share, as the site works in them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smbprotocol.file_info import FileInformationClass
from smbprotocol.open import (
    CreateDisposition,
    DirectoryAccessMask,
    FileAttributes,
    FilePipePrinterAccessMask,
    Open,
)
from smbprotocol.structure import Structure

from keyturn.adapters.shares.smb_opening import GONE, NO_MORE, NOBODY, READERS, deleted, renamed, suppressed, tell
from keyturn.adapters.shares.smb_reached import ReachedShare
from keyturn.adapters.shares.smb_session import Unreached, connected, place_of
from keyturn.operations.inbox_ports import InUse, Lying, PointTrouble
from keyturn.site.access_points import BAD_BOX

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


class _Reached(ReachedShare):
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

    def _listed(self, box: str) -> Iterator[Lying]:
        with suppressed(GONE | NO_MORE), self._folder(box, DirectoryAccessMask.FILE_LIST_DIRECTORY) as folder:
            while True:
                for entry in folder.query_directory("*", FileInformationClass.FILE_DIRECTORY_INFORMATION):
                    if not entry["file_attributes"].has_flag(FileAttributes.FILE_ATTRIBUTE_DIRECTORY):
                        yield _lying(entry)


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
