"""What software on this machine needs from outside. `keyturn.wiring` fills it."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import Note, NotLetIn, Point, Presentable, ReachedPoint, SharePath
from keyturn.distribution.run_context import ExecuteAs
from keyturn.distribution.running import Ended, HowEnded, RunOrder
from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.software import Offer

__all__ = [
    "Computer",
    "ContentFailed",
    "Ended",
    "Fetch",
    "HowEnded",
    "LeftAlone",
    "NotLetIn",
    "Note",
    "Point",
    "Presentable",
    "ReachedPoint",
    "RunOrder",
    "Runner",
    "SharePath",
]  # fmt: skip


class ContentFailed(KeyturnError):
    """A package's files are not to be had now. `cause` is a slug of `distribution.causes`."""

    def __init__(self, cause: str, reason: str, accesses: tuple[Access, ...] = ()) -> None:
        super().__init__(reason)
        self.cause = cause
        self.accesses = accesses


class Fetch(Protocol):
    def __call__(self, offer: Offer, identities: tuple[Presentable, ...], note: Note, stop: Callable[[], bool]) -> Path:
        """The folder with the files of the offer's package, every one of them verified. Raises ContentFailed."""


class Computer(Protocol):
    """The machine itself, as far as programs leave something to be done with it. Raises Refused where it cannot be."""

    def boot(self) -> str:
        """Another one after each restart; empty where that is not known."""

    def restart(self, after_s: float, reason: str) -> None:
        """Ordered when this returns, and said to whoever is logged on. Once more puts it off."""

    def log_off(self, user: str) -> None:
        """Every session of the user ends. Nothing where there is none."""


class LeftAlone(Computer):
    """A machine that the agent only runs programs on."""

    def boot(self) -> str:
        return ""

    def restart(self, after_s: float, reason: str) -> None:  # noqa: ARG002
        raise Refused("this agent cannot restart its machine", hint="restart it yourself")

    def log_off(self, user: str) -> None:
        raise Refused(f"this agent cannot log {user} off")


class Runner(Protocol):
    """Runs a program under an identity, with everything it starts. Any number of runs at once, by threads."""

    def users(self) -> tuple[str, ...]:
        """Who is logged on, the one at the console first."""

    def home_of(self, execute_as: ExecuteAs) -> Path:
        """Of whom it is installed for. NotFound for nobody this machine knows."""

    def run(
        self, order: RunOrder, *, tell: Callable[[bytes], None], stop: Callable[[], bool], note: Note = lambda _: None
    ) -> Ended:
        """Until it and everything it started has ended, or its limit is reached, or `stop` says so. `tell` gets the
        output as it comes, `note` each access to a share, maybe on another thread; none comes after this returns.
        Whatever was raised for the run is lowered before that."""

    def put_right(self) -> tuple[str, ...]:
        """At start: lower and take away whatever runs that were cut off left raised, mounted or running; what it found,
        one line each. Safe to repeat."""
