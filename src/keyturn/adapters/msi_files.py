"""Packages and transforms of Windows Installer as files: olefile reads the container, and only what is asked for."""

import stat
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from os import SEEK_END
from pathlib import Path
from typing import IO, TypeVar

import olefile

from keyturn.distribution.msi.damage import Damaged
from keyturn.distribution.msi.package import Package, read_package
from keyturn.distribution.msi.tables import ReadStream
from keyturn.distribution.msi.transform import Transform, read_transform
from keyturn.model.errors import Refused

MOST_READ = 64 << 20
"""Bytes of one file. Payload is never read, so that a package of 2 GB stays below: its tables, and what says where its
parts lie (8 bytes for each KiB)."""

MOST_STREAMS = 8192
_SMALL = 4096
"""Bytes. Smaller streams share one of the root's."""
_NO_SECTOR = 0xFFFF_FFFA
"""From here on a number says what a sector is for."""

_PACKAGE, _TRANSFORM, _PATCH = "a package (.msi)", "a transform (.mst)", "a patch (.msp)"
_KINDS = {
    "000C1082-0000-0000-C000-000000000046": _TRANSFORM,
    "000C1084-0000-0000-C000-000000000046": _PACKAGE,
    "000C1086-0000-0000-C000-000000000046": _PATCH,
}

_T = TypeVar("_T")


def open_package(file: Path, transforms: tuple[Path, ...] = ()) -> Package:
    """Refused where one of them cannot be read as what it should be."""
    package = read_file(file, _PACKAGE, read_package)
    for transform in transforms:
        package = package.with_transform(open_transform(transform))
    return package


def open_transform(file: Path) -> Transform:
    return read_file(file, _TRANSFORM, read_transform)


def read_file(path: Path, kind: str, reader: Callable[[ReadStream], _T]) -> _T:
    """What `reader` makes of the streams of a file that should be of `kind`, in the words of its error."""
    try:
        with _opened(path) as source:
            return _read_container(source, kind, reader)
    except Damaged as damage:
        hint = f"name {kind}; if it should be one, fetch it again from its maker"
        raise Refused(f"{path} cannot be read as {kind}: {damage}", hint=hint) from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror or error}") from None


@contextmanager
def _opened(path: Path) -> Iterator["_Bounded"]:
    if not stat.S_ISREG(path.stat().st_mode):
        raise Damaged("it is no ordinary file")
    with path.open("rb") as file:
        yield _Bounded(file)


def _read_container(source: "_Bounded", kind: str, reader: Callable[[ReadStream], _T]) -> _T:
    """Whatever olefile says of a file that was made to mislead it means the same to us."""
    with _foreign_errors():
        container = _Container(source)
        _demand_whole(container)
    with container:
        found = _KINDS.get(container.root.clsid.upper(), kind)
        if found != kind:
            raise Damaged(f"it is {found}")

        def read(name: str) -> bytes | None:
            with _foreign_errors():
                if not container.exists([name]):
                    return None
                with container.openstream([name]) as stream:
                    content: bytes = stream.read()
                return content

        return reader(read)


class _Container(olefile.OleFileIO):  # type: ignore[misc]  # ships no types
    def loadfat_sect(self, sect: "bytes | array[int]") -> None:
        """olefile copies all it has so far for each sector it adds, which takes half a minute for 2 GB."""
        for number in sect if isinstance(sect, array) else self.sect2array(sect):
            if number in (olefile.ENDOFCHAIN, olefile.FREESECT):
                break
            self.fat.extend(self.sect2array(self.getsect(number)))

    def _load_direntry(self, sid: int) -> "olefile.olefile.OleDirectoryEntry":
        """olefile compares each stream with all others, which takes minutes where a directory claims 100,000."""
        if sid >= MOST_STREAMS:
            raise Damaged(f"its container has more than {MOST_STREAMS} parts")
        return super()._load_direntry(sid)


def _demand_whole(container: _Container) -> None:
    """olefile reads a file that was cut off as far as it goes; a chain of sectors that leads past its end tells."""
    sectors = len(container.fat)
    firsts = (entry.isectStart for entry in container.direntries if entry and entry.size >= _SMALL)
    if any(sectors <= sector < _NO_SECTOR for sector in chain(container.fat, firsts)) or _last_is_cut(container):
        raise Damaged("it is cut off")


def _last_is_cut(container: _Container) -> bool:
    size: int = container.fp.seek(0, SEEK_END)
    last = size // container.sectorsize - 1
    within = size % container.sectorsize
    return bool(within) and last < len(container.fat) and container.fat[last] != olefile.FREESECT


@contextmanager
def _foreign_errors() -> Iterator[None]:
    """olefile answers broken containers with nearly every kind of exception."""
    try:
        yield
    except (Damaged, MemoryError):
        raise
    except olefile.olefile.NotOleFileError:
        raise Damaged("it is no OLE2 container") from None
    except Exception as error:
        raise Damaged(f"its container is broken ({str(error)[:80] or type(error).__name__})") from None


class _Bounded:
    """A file that gives only so much, however often its container says to read it again."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = MOST_READ

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(found)
        if self._left < 0:
            raise Damaged(f"its tables take more than {MOST_READ >> 20} MiB")
        return found

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    @property
    def closed(self) -> bool:
        return self._file.closed
