"""What is distributed: packages and their content, programs, collections, advertisements.

Moments are seconds since the epoch, durations seconds. The properties of a program and of an advertisement are those of
SMS 2003's console.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, TypeAlias

from keyturn.model.accounts import RealmName
from keyturn.model.estate import SiteCode

PackageId = NewType("PackageId", str)
"""The site's code and five hexadecimal digits: `PHX00001`."""
CollectionId = NewType("CollectionId", str)
AdvertisementId = NewType("AdvertisementId", str)

UNKNOWN_RUN_S = 720 * 60
"""How long a program is watched whose maximum run time is unknown."""

_NUMBER = 5
"""Characters at the end of an identifier; the code of the site that gave it out stands before them."""


def owner_of(identifier: str) -> SiteCode:
    """The site that gave out a package's, collection's or advertisement's identifier, where alone it is changed."""
    return SiteCode(identifier[:-_NUMBER].upper())


@dataclass(frozen=True, slots=True)
class File:
    """Of a package's content. `path` is relative, with slashes, and leaves its folder nowhere."""

    path: str
    size: int
    sha256: str
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a package's content. `digest` is the SHA-256 of its canonical form: it names the content."""

    package: PackageId
    version: int
    files: tuple[File, ...]
    digest: str

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Package:
    r"""`source` is a folder of the site server or `\\host\share\folder`; empty: its programs need no files.

    `access` names the accounts (`REALM\name`) that may read it at a distribution point besides the machines
    themselves; empty: every user of the realm.
    """

    package_id: PackageId
    name: str
    source: str = ""
    publisher: str = ""
    product_version: str = ""
    language: str = ""
    source_version: int = 0
    """Rises with each reading of the source; 0 before the first."""
    access: tuple[str, ...] = ()


class Rights(StrEnum):
    USER = "user"
    ADMINISTRATIVE = "administrative"


class LoggedOn(StrEnum):
    """When a program may run."""

    USER_LOGGED_ON = "only-when-a-user-is-logged-on"
    WHETHER_OR_NOT = "whether-or-not-a-user-is-logged-on"
    NO_USER = "only-when-no-user-is-logged-on"


class Afterwards(StrEnum):
    NOTHING = "nothing"
    PROGRAM_RESTARTS = "program-restarts"
    CLIENT_RESTARTS = "client-restarts-the-computer"
    LOGS_OFF = "logs-the-user-off"


class Overrun(StrEnum):
    """What becomes of a program at the end of its maximum run time."""

    END = "end-it"
    STOP_WATCHING = "stop-watching-it"
    """As the SMS client does."""


class DetectionKind(StrEnum):
    FILE = "file"
    """A file is there; `value` is its SHA-256, where that matters. A path that begins with `~` is in the home of whom
    it is installed for."""
    PACKAGE = "package"
    """A package of the machine's own package system (dpkg, rpm) is installed; `value` is its version, or at least
    that where it begins with `>=`."""
    COMMAND = "command"
    """A command line, under the program's own run context, ends with exit code 0."""


@dataclass(frozen=True, slots=True)
class Detection:
    kind: DetectionKind
    subject: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class ProgramName:
    package: PackageId
    name: str

    def __str__(self) -> str:
        return f"{self.package} {self.name}"


@dataclass(frozen=True, slots=True)
class Program:
    r"""`command_line` runs in the folder of the package's content. `shares` are those it reaches besides, as
    `\\host\share`; one named in the command line need not be repeated."""

    package: PackageId
    name: str
    command_line: str
    rights: Rights = Rights.ADMINISTRATIVE
    logged_on: LoggedOn = LoggedOn.WHETHER_OR_NOT
    every_user: bool = False
    """Once for every user that logs on."""
    drive: str = ""
    """Empty: by its UNC name; `*`: any drive letter; `S:` that one. Windows only."""
    afterwards: Afterwards = Afterwards.NOTHING
    unattended: bool = True
    max_run_s: float | None = None
    overrun: Overrun = Overrun.END
    run_first: ProgramName | None = None
    """Only before the first run of this one."""
    software_installation_account: bool = False
    """Of legacy clients: run under that account, which reaches the network too."""
    shares: tuple[str, ...] = ()
    success_codes: tuple[int, ...] = (0,)
    detection: tuple[Detection, ...] = ()
    """All must hold after a run that says it succeeded."""

    @property
    def ref(self) -> ProgramName:
        return ProgramName(self.package, self.name)


class Rerun(StrEnum):
    """Whether an assignment that comes round again runs a program that has run."""

    NEVER = "never"
    ALWAYS = "always"
    IF_FAILED = "if-failed"
    IF_SUCCEEDED = "if-succeeded"


@dataclass(frozen=True, slots=True)
class At:
    """`every_s` None: once."""

    first_at: float
    every_s: float | None = None


class Event(StrEnum):
    AS_SOON_AS_POSSIBLE = "as-soon-as-possible"
    LOGON = "logon"
    LOGOFF = "logoff"


Assignment: TypeAlias = At | Event


@dataclass(frozen=True, slots=True)
class Advertisement:
    """A program offered to a collection. Without assignments it is optional: a person starts it."""

    advertisement_id: AdvertisementId
    program: ProgramName
    collection: CollectionId
    available_at: float
    name: str = ""
    expires_at: float | None = None
    assignments: tuple[Assignment, ...] = ()
    rerun: Rerun = Rerun.NEVER

    @property
    def mandatory(self) -> bool:
        return bool(self.assignments)


class Comparison(StrEnum):
    IS = "is"
    IS_NOT = "is-not"
    LIKE = "like"
    """`*` stands for any text, `?` for one character; case makes no difference."""
    AT_LEAST = "at-least"
    BELOW = "below"
    """These two compare versions and numbers part by part."""


@dataclass(frozen=True, slots=True)
class Condition:
    """On one fact of a client. A fact that is not known meets no condition, `is-not` included."""

    fact: str
    comparison: Comparison
    value: str


@dataclass(frozen=True, slots=True)
class Collection:
    """The clients listed, and those that meet all conditions of any of the queries."""

    collection_id: CollectionId
    name: str
    listed: tuple[str, ...] = ()
    queries: tuple[tuple[Condition, ...], ...] = ()


class ClientKind(StrEnum):
    ADVANCED = "advanced"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class ClientAccounts:
    r"""Those of the site's accounts that a client uses for software, as `REALM\name`, in the order in which they are
    tried. No password stands here: the client holds those already."""

    client_connection: tuple[str, ...] = ()
    network_access: tuple[str, ...] = ()
    software_installation: tuple[str, ...] = ()


OWN_POINT = "/dp/v1"
"""Where the site's own server is a distribution point; manifests are there for packages that are at none, too."""


@dataclass(frozen=True, slots=True)
class DistributionPoint:
    r"""`place` is `\\host\share` or the path of a point on the site's own server."""

    system: str
    place: str


@dataclass(frozen=True, slots=True)
class Offer:
    """One advertisement as a client gets it. `points` in the order in which they are tried."""

    advertisement: Advertisement
    program: Program
    package: Package
    digest: str
    """Of the content's manifest; empty: there is no content."""
    points: tuple[DistributionPoint, ...] = ()
    first: tuple["Offer", ...] = field(default=())
    """The program that runs before it, as an offer of its own."""
    source: str = ""
    r"""`\\host\share\folder` of a package that is to be at no distribution point: its files are read from there."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Of a client's own logs (KB 833417: level, size, history)."""

    level: int = 1
    """0 verbose, 1 default, 2 warnings and errors, 3 errors."""
    max_bytes: int = 250_000
    history: int = 1
    """How many older files are kept of each log."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What one client is to do. `counter` only rises: an older policy is never taken again. After `expires_at` no
    program of it starts."""

    site: SiteCode
    client: str
    counter: int
    issued_at: float
    expires_at: float
    offers: tuple[Offer, ...] = ()
    accounts: ClientAccounts = ClientAccounts()
    points: tuple[DistributionPoint, ...] = ()
    """Every distribution point of the site: a share that is none of them is reached by another account."""
    realm: RealmName = RealmName("")
    """Of the site: that of its own accounts."""
    logs: LogSettings = LogSettings()
    kind: ClientKind = ClientKind.ADVANCED
