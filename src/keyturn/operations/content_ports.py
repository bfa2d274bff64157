r"""What content needs from outside: sources it is read from, a store of its own, and distribution points on shares.

Paths are relative, with slashes. Moments are seconds since the epoch.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.model.software import PackageId
from keyturn.site.permissions import AccessList


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it lies. `mark` is the file system's own identity of the file and of its last change."""

    path: str
    size: int
    mark: str
    executable: bool = False
    settled: bool = field(default=True, compare=False)
    """Whether any change from now on gives it another mark. Not so soon after a change: clocks have ticks."""


SETTLED_S = 2.0
"""By the clock of the file system that a file lies on: FAT keeps the moment of a change in steps of two seconds, and no
file system of today a coarser one."""


class Source(Protocol):
    """A folder that a package's files are read from."""

    def files(self) -> Iterator[Found]:
        """All, whatever their depth. BadContent for what is neither file nor folder; NotFound where there is no such
        folder."""

    def read(self, path: str) -> Iterator[bytes]:
        """NotFound for a file that has gone meanwhile."""


@dataclass(frozen=True, slots=True)
class Kept:
    sha256: str
    size: int


class Blobs(Protocol):
    """The site's own copy of every file that was ever in a package, each once, by its SHA-256."""

    def size(self, sha256: str) -> int | None:
        """None for what is not here."""

    def keep(self, pieces: Iterable[bytes]) -> Kept:
        """Durable when it returns. Unavailable where it does not fit."""

    def renew(self, sha256: str, size: int) -> bool:
        """Whether it is here with this size; it counts as kept just now."""

    def read(self, sha256: str, offset: int = 0) -> Iterator[bytes]:
        """NotFound for what is not here. It is not verified: whoever gets it does that."""

    def place(self, sha256: str) -> str:
        """Its path as the operating system has it; the last three parts are the same at every site."""

    def sweep(self, used: Collection[str], before: float) -> int:
        """Forget what is not used and was kept before then; how many. What is cut off while it is kept goes too."""


class Arriving(Protocol):
    """Files that come from another site in pieces, by the SHA-256 that they are to have."""

    def there(self, sha256: str) -> int:
        """How many bytes have arrived, from the first on."""

    def append(self, sha256: str, offset: int, piece: bytes) -> None:
        """Survives the end of the process, and perhaps no power cut. Nothing where the piece is not the next one: it
        was here before, or will be asked for again. Unavailable where it does not fit."""

    def settle(self, sha256: str) -> bool:
        """What has arrived is whole: it goes to the blobs. False where it is not what it was to be; it is gone then."""

    def sweep(self, used: Collection[str], before: float) -> None:
        """Forget what is not used and has not grown since then."""


class ReachedFolder(Protocol):
    """A folder on a share. Everything raises PointTrouble; AccessDenied of it where the account may not."""

    def log_on(self, account: str, secret: Secret) -> Answer:
        """One logon, as `REALM\\name`. Everything else comes after one that was accepted."""

    def files(self, path: str = "") -> Iterator[Found]:
        """As of `Source`, below `path`. Nothing below one that is not there."""

    def folders(self) -> tuple[str, ...]:
        """Directly in it."""

    def make(self, path: str) -> None:
        """A folder, whose parent is there. Nothing where it is there itself."""

    def write(self, path: str, content: Iterable[bytes]) -> None:
        """Replaced whole: whoever reads it reads the old one or the new one. Its folder is there."""

    def read(self, path: str) -> Iterator[bytes]: ...

    def remove(self, path: str) -> None:
        """A file, or a folder with everything in it. Nothing where it is gone."""

    def permissions(self, path: str) -> AccessList: ...

    def set_permissions(self, path: str, given: AccessList) -> None: ...


class SharedFolder(Protocol):
    def reach(self) -> AbstractContextManager[ReachedFolder]:
        """Nobody is logged on yet, so PointTrouble here has cost no attempt. Every answer comes in half a minute, or
        is PointTrouble."""


def no_shared_folder(share: str) -> SharedFolder:
    raise Refused(f"this process cannot reach {share}", hint="pip install 'keyturn[software]'")


@dataclass(frozen=True, slots=True)
class ContentParts:
    """`folder` is a source on this machine, by its path; `share` a folder on a share, by its name."""

    blobs: Blobs
    arriving: Arriving
    folder: Callable[[str], Source]
    share: Callable[[str], SharedFolder]
    nginx_prefix: str = ""
    """Where an nginx before this server has the blobs; empty: there is none."""


class ContentState(StrEnum):
    WAITING = "waiting"
    COPYING = "copying"
    THERE = "there"
    FAILED = "failed"
    """It is tried again at `next_at`."""
    REMOVING = "removing"


@dataclass(frozen=True, slots=True)
class ContentRecord:
    """How a package stands at a distribution point. `version` is what is brought there, `there` what clients find there
    now (0: nothing), since `there_since`; `copied` counts the bytes of the version that have arrived."""

    package: PackageId
    system: str
    version: int = 0
    state: ContentState = ContentState.WAITING
    there: int = 0
    there_since: float = 0
    copied: int = 0
    reason: str = ""
    hint: str = ""
    tries: int = 0
    next_at: float = 0
    access: str = ""
    """A mark of who was given access there last."""
    swept: int = 0
    """The version since which older ones have been removed."""


class ContentStates(Protocol):
    def contents(self, package: PackageId | None = None) -> tuple[ContentRecord, ...]:
        """By package and system."""

    def claim_content(self, seen: ContentRecord, until: float) -> bool:
        """Make it due at `until` and no earlier, whether it is known yet or not. False where somebody else has it."""

    def note_content(self, record: ContentRecord) -> None: ...

    def forget_content(self, package: PackageId, system: str) -> None: ...

    def content_versions(self) -> Mapping[PackageId, tuple[int, ...]]:
        """Those of which a manifest is kept, rising."""

    def forget_version(self, package: PackageId, version: int) -> None:
        """Its manifest."""
