"""What software on this machine needs from outside. `keyturn.wiring` fills it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from keyturn.distribution.accesses import Access
from keyturn.distribution.run_context import ExecuteAs, NetworkIdentity
from keyturn.model.secret import Secret
from keyturn.model.software import Overrun

Note = Callable[[Access], None]
"""Told every time an identity was presented."""


@dataclass(frozen=True, slots=True)
class Presentable:
    """An identity with what it takes to present it. Without a secret it is the machine itself, or the user's own
    session. `spoiled` is told when the realm called the password wrong: it is then presented nowhere else."""

    identity: NetworkIdentity
    secret: Secret | None = None
    spoiled: Callable[[], None] = field(default=lambda: None, compare=False)


class Point(Protocol):
    """A place that content is read from: a distribution point, or the source of a package."""

    def reach(self, identity: Presentable, order: int, note: Note) -> AbstractContextManager["ReachedPoint"]:
        """Raises NotLetIn, once noted, where the identity is not; NoAnswer where the point is not reached at all."""


class ReachedPoint(Protocol):
    def read(self, path: str, offset: int) -> Iterator[bytes]:
        """The bytes of a file from `offset` on, in pieces. NotLetIn where this file is refused; NoAnswer when the
        point goes away: what came before is good as far as it goes."""


class NotLetIn(Exception):
    """The point said no to this identity; the next one may be let in."""

    def __init__(self, access: Access) -> None:
        super().__init__(str(access))
        self.access = access


@dataclass(frozen=True, slots=True)
class SharePath:
    r"""A share that a program reaches: `\\host\share`, and the identities that are tried there, in their order."""

    share: str
    identities: tuple[Presentable, ...]


@dataclass(frozen=True, slots=True)
class RunOrder:
    r"""`command_line` and `folder` (its working directory) are as on this machine; a `\\host\share\path` in the command
    line is put in the runner's own words. `environment` is added to the fresh one made for the identity."""

    run_id: str
    command_line: str
    folder: Path
    execute_as: ExecuteAs
    shares: tuple[SharePath, ...] = ()
    max_run_s: float = 3600
    overrun: Overrun = Overrun.END
    environment: tuple[tuple[str, str], ...] = ()


class HowEnded(StrEnum):
    EXITED = "exited"
    ENDED = "ended-at-its-limit"
    STILL_RUNS = "still-runs-unwatched"
    NOT_STARTED = "not-started"
    STOPPED = "stopped-with-the-client"


@dataclass(frozen=True, slots=True)
class Ended:
    """`exit_code` where it exited. `executed_as` is what the system itself says of the process: the name of its user,
    and of the user whose logon it belongs to. `reason`: why it did not start, in words."""

    how: HowEnded
    exit_code: int | None = None
    executed_as: str = ""
    login: str = ""
    home: str = ""
    """The profile it ran in."""
    accesses: tuple[Access, ...] = ()
    reason: str = ""
    output: bytes = field(default=b"", repr=False)
    """The end of what it wrote."""


class Runner(Protocol):
    """Runs a program under an identity, with everything it starts. Any number of runs at once, by threads."""

    def users(self) -> tuple[str, ...]:
        """Who is logged on, the one at the console first."""

    def home_of(self, execute_as: ExecuteAs) -> Path:
        """Of whom it is installed for. NotFound for nobody this machine knows."""

    def run(self, order: RunOrder, *, tell: Callable[[bytes], None], stop: Callable[[], bool]) -> Ended:
        """Until it and everything it started has ended, or its limit is reached, or `stop` says so. `tell` gets the
        output as it comes. Whatever was raised for the run is lowered before this returns."""

    def put_right(self) -> tuple[str, ...]:
        """At start: lower and take away whatever runs that were cut off left raised, mounted or running; what it found,
        one line each. Safe to repeat."""
