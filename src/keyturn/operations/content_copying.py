"""One version of a package onto a share: its files, a look at what arrived, then the manifest that says it is whole."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from keyturn.model.software import File, Manifest
from keyturn.operations.content_ports import Blobs, ReachedFolder
from keyturn.operations.inbox_ports import PointTrouble
from keyturn.site.permissions import AccessList

MANIFEST, FILES = "manifest.json", "files"

_TELL_EACH = 32 * 1024 * 1024
"""Bytes between two signs of life."""


class Copying:
    """`tell` gets the bytes that are there so far, as a sign that it goes on. Everything raises PointTrouble;
    done again, it goes on with the files that are missing."""

    def __init__(self, point: ReachedFolder, blobs: Blobs, tell: Callable[[int], None]) -> None:
        self._point = point
        self._blobs = blobs
        self._tell = tell
        self._copied = 0
        self._told = 0

    def bring(self, name: str, manifest: Manifest, signed: bytes, access: AccessList) -> None:
        """`name` is the version's folder; whoever may read it may from the first file on."""
        self._tell(0)
        self._point.make(name)
        self._point.set_permissions(name, access)
        for folder in (FILES, *(f"{FILES}/{folder}" for folder in _folders(manifest.files))):
            self._point.make(f"{name}/{folder}")
        self._copy(f"{name}/{FILES}", manifest)
        for file in manifest.files:
            self._verify(f"{name}/{FILES}/{file.path}", file)
        self._point.write(f"{name}/{MANIFEST}", iter([signed]))

    def give_access(self, name: str, manifest: Manifest, access: AccessList) -> None:
        """To everything in it: each file has a list of its own, made when the file was."""
        folders = (FILES, *(f"{FILES}/{folder}" for folder in _folders(manifest.files)))
        files = (f"{FILES}/{file.path}" for file in manifest.files)
        for path in (*folders, *files, MANIFEST):
            self._point.set_permissions(f"{name}/{path}", access)
            self._tell(manifest.size)
        self._point.set_permissions(name, access)

    def _copy(self, place: str, manifest: Manifest) -> None:
        there = {found.path: found.size for found in self._point.files(place)}
        for path in there.keys() - {file.path for file in manifest.files}:
            self._point.remove(f"{place}/{path}")
        for file in manifest.files:
            if there.get(file.path) == file.size:
                self._copied += file.size
            else:
                self._write(f"{place}/{file.path}", file)

    def _write(self, path: str, file: File) -> None:
        self._point.write(path, self._counted(self._blobs.read(file.sha256)))

    def _verify(self, path: str, file: File) -> None:
        """Once more for a file that is not what was to be there: it may lie there from before."""
        if not self._is_there(path, file):
            self._write(path, file)
            if not self._is_there(path, file):
                raise PointTrouble(f"{path} is not read back as it was written", hint="look at that server's disk")

    def _is_there(self, path: str, file: File) -> bool:
        digest = hashlib.sha256()
        for piece in self._alive(self._point.read(path)):
            digest.update(piece)
        return digest.hexdigest() == file.sha256

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in self._alive(pieces):
            self._copied += len(piece)
            yield piece

    def _alive(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield piece
            self._told += len(piece)
            if self._told >= _TELL_EACH:
                self._told = 0
                self._tell(self._copied)


def _folders(files: Iterable[File]) -> list[str]:
    """Each after the one that it is in."""
    return sorted({str(folder) for file in files for folder in PurePosixPath(file.path).parents} - {"."})
