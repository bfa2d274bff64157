"""The cache of package content: one folder for each manifest digest, whose files are those of the manifest or none.

    <digest>/manifest      in its canonical form; written once it is found to be the one asked for
    <digest>/files/…       whole and verified, each moved here from parts
    <digest>/parts/…       on their way; how much of one is good is known when it is whole
    <digest>/lock

Nothing is synced: whatever a power cut leaves is verified before it is used. The files are readable by whoever runs
programs; the folder is written by the agent alone.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from keyturn.agent.disk import make_readable
from keyturn.distribution.content import MAX_MANIFEST, BadContent, canonical, read_manifest
from keyturn.model.errors import Refused
from keyturn.model.software import File, Manifest

PIECE = 1024 * 1024

Known = Callable[[], dict[str, Path]]
"""Where a file of some content here is to be, by its SHA-256."""

_MANIFEST, _FILES, _PARTS, _LOCK = "manifest", "files", "parts", "lock"
_FOR_ALL, _EXECUTABLE = 0o644, 0o755


class Cache:
    def __init__(self, root: Path) -> None:
        self._root = root

    def make(self) -> None:
        """Refused where others may write to it: what runs from here runs with the rights of root."""
        make_readable(self._root)
        state = self._root.stat()
        if state.st_mode & 0o022 or state.st_uid != os.geteuid():
            raise Refused(f"others can write to {self._root}", hint=f"chown and chmod 755 {self._root}")

    @contextlib.contextmanager
    def alone(self, digest: str) -> Iterator["Entry"]:
        """Nobody else fills it, takes it away or runs from it until the end of the block."""
        with self._locked(digest, fcntl.LOCK_EX):
            yield Entry(self._root / digest, self._known)

    @contextlib.contextmanager
    def held(self, digest: str) -> Iterator[None]:
        """Its files stay where they are until the end of the block."""
        with self._locked(digest, fcntl.LOCK_SH):
            yield

    def prune(self, offered: Collection[str], max_bytes: int, unused_since: float) -> int:
        """Take away what is neither offered nor held: whatever was not used since that moment, and the longest unused
        until the rest has no more than so many bytes. How many went."""
        for left in self._root.glob(".*"):
            shutil.rmtree(left, ignore_errors=True)
        used = {path.name: used_at for path in self._entries() if (used_at := _used_at(path)) is not None}
        sizes = {digest: self._size(digest) for digest in used}
        gone = 0
        for digest in sorted(used.keys() - set(offered), key=lambda digest: used[digest]):
            if (used[digest] < unused_since or sum(sizes.values()) > max_bytes) and self._remove(digest):
                del sizes[digest]
                gone += 1
        return gone

    def free_bytes(self) -> int:
        return shutil.disk_usage(self._root).free

    def _entries(self) -> list[Path]:
        found = self._root.iterdir() if self._root.is_dir() else ()
        return [path for path in found if path.is_dir() and not path.name.startswith(".")]

    def _size(self, digest: str) -> int:
        with contextlib.suppress(FileNotFoundError):  # it goes or comes just now
            return sum(p.lstat().st_size for p in (self._root / digest).rglob("*"))
        return 0

    def _remove(self, digest: str) -> bool:
        """Out of the way before anything of it goes: who comes meanwhile begins anew in its place. What a crash leaves
        the next `prune` takes away."""
        gone = self._root / f".{secrets.token_hex(8)}"
        try:
            with self._locked(digest, fcntl.LOCK_EX | fcntl.LOCK_NB):
                (self._root / digest).rename(gone)
                shutil.rmtree(gone, ignore_errors=True)
        except BlockingIOError:
            return False
        return True

    @contextlib.contextmanager
    def _locked(self, digest: str, kind: int) -> Iterator[None]:
        """Whoever waited while the folder was taken away locks the one that is made in its place."""
        path = self._root / digest / _LOCK
        while True:
            try:
                make_readable(path.parent)
                opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except (FileNotFoundError, FileExistsError):
                if os.path.lexists(path.parent) and not path.parent.is_dir():
                    raise
                continue
            try:
                fcntl.flock(opened, kind)
                if _is_at(opened, path):
                    os.utime(path.parent)
                    yield
                    return
            finally:
                os.close(opened)

    def _known(self) -> dict[str, Path]:
        found = ((folder, manifest) for folder in self._entries() if (manifest := _read_manifest(folder)))
        paths = ((file.sha256, folder / _FILES / file.path) for folder, manifest in found for file in manifest.files)
        return {sha256: path for sha256, path in paths if path.exists()}


class Entry:
    """The content of one manifest, being filled. Raises OSError as the disk does."""

    def __init__(self, folder: Path, known: Known) -> None:
        self.files = folder / _FILES
        self._folder = folder
        self._look = known
        self._known: dict[str, Path] | None = None

    def manifest(self) -> Manifest | None:
        found = _read_manifest(self._folder)
        return found if found is not None and found.digest == self._folder.name else None

    def keep_manifest(self, manifest: Manifest) -> None:
        fresh = self._folder / f"{_MANIFEST}.new"
        fresh.write_bytes(canonical(manifest))
        fresh.replace(self._folder / _MANIFEST)

    def missing(self, manifest: Manifest) -> list[File]:
        """What is not there as it should be. Whatever else is there goes: a program may have written into its own
        folder when it ran last."""
        wanted = {file.path: file for file in manifest.files}
        for path in sorted(self.files.rglob("*"), reverse=True):  # what is in a folder comes before it
            name = path.relative_to(self.files).as_posix()
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif name not in wanted or not _is_whole(path, wanted[name]):
                path.unlink()
        make_readable(self.files)
        return [file for file in manifest.files if not (self.files / file.path).exists()]

    def part(self, file: File) -> "Part":
        return Part(self._folder / _PARTS / file.sha256)

    def settle(self, file: File, part: "Part") -> None:
        target = self.files / file.path
        for folder in reversed(target.relative_to(self.files).parents[:-1]):
            make_readable(self.files / folder)
        part.settle(target, _EXECUTABLE if file.executable else _FOR_ALL)
        if self._known is not None:
            self._known[file.sha256] = target

    def borrow(self, file: File) -> bool:
        """From what is here already, also of this content: whether it was there."""
        if self._known is None:
            self._known = self._look()
        path = self._known.get(file.sha256)
        if path is None or not path.exists():
            return False
        part = self.part(file)
        part.discard()
        with contextlib.suppress(FileNotFoundError), path.open("rb") as source, part:
            while piece := source.read(PIECE):
                part.write(piece)
        if not part.is_file(file):
            part.discard()
            return False
        self.settle(file, part)
        return True

    def tidy(self) -> None:
        """What is left of files that came another way in the end."""
        shutil.rmtree(self._folder / _PARTS, ignore_errors=True)


class Part:
    """A file on its way. Open inside a `with` block, at the end of what is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._digest = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> "Part":
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)
        self._digest, self.size = hashlib.sha256(), 0
        while piece := os.read(self._descriptor, PIECE):
            self._count(piece)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def write(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            left = left[os.write(self._descriptor, left) :]
        self._count(piece)

    def is_file(self, file: File) -> bool:
        return self.size == file.size and self._digest.hexdigest() == file.sha256

    def discard(self) -> None:
        self._path.unlink(missing_ok=True)

    def settle(self, target: Path, mode: int) -> None:
        self._path.chmod(mode)
        self._path.replace(target)

    def _count(self, piece: bytes) -> None:
        self._digest.update(piece)
        self.size += len(piece)


def _used_at(folder: Path) -> float | None:
    """None where another thread has just taken it away."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return None


def _is_at(opened: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(opened), path.stat())
    except FileNotFoundError:
        return False


def _is_whole(path: Path, file: File) -> bool:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with open(opened, "rb", buffering=0) as content:
        state = os.fstat(opened)
        mode = _EXECUTABLE if file.executable else _FOR_ALL
        if state.st_size != file.size or state.st_mode & 0o7777 != mode:
            return False
        return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256


def _read_manifest(folder: Path) -> Manifest | None:
    """None for none, or one that a power cut or a hand has damaged."""
    try:
        with (folder / _MANIFEST).open("rb") as file:
            return read_manifest(file.read(MAX_MANIFEST + 1))
    except (OSError, BadContent):
        return None
