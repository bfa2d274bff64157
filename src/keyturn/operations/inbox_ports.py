"""What inboxes need from outside: access points on shares, and a place for what clients wrote.

Moments are seconds since the epoch.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.site.permissions import AccessList


class PointTrouble(KeyturnError):
    """An access point could not be reached, or did not let the site do its work there. Nothing is lost."""


class AccessDenied(PointTrouble):
    """The file server let the account in, and not to this box or file."""


class InUse(PointTrouble):
    """Somebody has the file open: it is still being written."""


@dataclass(frozen=True, slots=True)
class Lying:
    """A file in a box. `mark` is the file server's own identity of the file and of its last change."""

    name: str
    size: int
    mark: str
    written_at: float


class ReachedPoint(Protocol):
    """An access point on a share. A box is named as in `site.access_points`; "" is the access point itself. Everything
    raises PointTrouble."""

    def log_on(self, account: str, secret: Secret) -> Answer:
        """One logon, as `REALM\\name`. Everything else comes after one that was accepted."""

    def make(self, box: str) -> None:
        """Nothing where it is there."""

    def files(self, box: str) -> tuple[Lying, ...]:
        """Without the folders in it. Empty for a box that is not there."""

    def write(self, box: str, name: str, content: bytes) -> None:
        """Replaced whole: whoever reads it reads the old one or the new one."""

    def take(self, box: str, lying: Lying, keep: Callable[[bytes], None]) -> None:
        """Hand the content to `keep`, and delete exactly what was read once that has returned. InUse for a file that is
        open elsewhere; nothing for one that is gone."""

    def put_aside(self, box: str, lying: Lying, name: str) -> None:
        """Move the file into the box for bad ones, unread, under that name."""

    def permissions(self, path: str) -> AccessList:
        """Of a box, or a file in it as `box\\name`."""

    def set_permissions(self, path: str, given: AccessList) -> None: ...


class AccessPoint(Protocol):
    def reach(self) -> AbstractContextManager[ReachedPoint]:
        """Nobody is logged on yet, so trouble here has cost no attempt."""


def no_access_point(share: str) -> AccessPoint:
    raise Refused(f"this process cannot reach {share}", hint="pip install 'keyturn[directory]'")


class FileState(StrEnum):
    WAITING = "waiting"
    """For whoever reads the inbox."""
    DONE = "done"
    """Only the receipt is kept, so that it is not taken twice."""
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class InboxFile:
    """What a client wrote, in the site's inbox. `source` is the access point, or the machine itself where `signed`: it
    brought it over HTTPS and signed for it. `receipt` is the same for the same file, and for no other."""

    inbox: str
    box: str
    name: str
    source: str
    signed: bool
    receipt: str
    arrived_at: float
    content: bytes = field(repr=False)
    state: FileState = FileState.WAITING
    note: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class InboxCount:
    """`oldest_at` of those that wait."""

    inbox: str
    waiting: int
    bad: int
    oldest_at: float | None


@dataclass(frozen=True, slots=True)
class PointRecord:
    """How an access point stands. `lying` counts what waits in its boxes, as seen last; `trouble` is empty while it
    is reached. `refused`: the identity and generation the file server called wrong; they are not presented again."""

    system: str
    tried_at: float = 0
    reached_at: float | None = None
    trouble: str = ""
    hint: str = ""
    refused: str = ""
    lying: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeenClient:
    """What a client's last discovery record said of it. `signed`: it was that client that said so."""

    name: str
    kind: str
    accounts: tuple[str, ...]
    source: str
    signed: bool
    seen_at: float


class Inboxes(Protocol):
    def take_in(self, file: InboxFile) -> bool:
        """Durable when it returns. False for one that was taken before."""

    def waiting_from(self, source: str) -> int: ...

    def waiting(self, inbox: str, limit: int) -> tuple[InboxFile, ...]:
        """Oldest first."""

    def inbox_files(self, inbox: str | None = None) -> tuple[InboxFile, ...]:
        """Those that wait and the bad ones, without their content."""

    def inbox_file(self, number: int) -> InboxFile:
        """NotFound else."""

    def settle_file(self, number: int, state: FileState, note: str = "") -> None:
        """DONE leaves the receipt alone."""

    def inbox_counts(self) -> tuple[InboxCount, ...]: ...

    def forget_receipts(self, before: float) -> int:
        """Of files done that arrived before then."""

    def point(self, system: str) -> PointRecord: ...

    def note_point(self, record: PointRecord) -> None: ...

    def published_marks(self, system: str) -> dict[str, str]:
        """What was published there, by box and name: a mark of what the file says."""

    def note_published(self, system: str, marks: Mapping[str, str]) -> None: ...

    def granted(self, system: str) -> dict[str, str]:
        """The account that each identity was when it was given rights there."""

    def note_granted(self, system: str, accounts: Mapping[str, str]) -> None: ...

    def see_client(self, seen: SeenClient) -> None: ...

    def seen_clients(self) -> tuple[SeenClient, ...]: ...
