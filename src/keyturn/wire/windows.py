"""Another machine, of Windows, as whoever holds an account of its administrators can see and change it from here."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret

LOGON_FAILED = frozenset({1069, 1326, 1327, 1328, 1329, 1330, 1331, 1385, 1793, 1907, 1909})
"""Win32 codes (MS-ERREF 2.2) after which a logon of the account was tried and failed, perhaps for a wrong password."""


class MachineError(KeyturnError):
    """A machine did not do what was asked; `code` is its own number for the reason, where it is one of Win32. Says
    never what a password is."""

    def __init__(self, message: str, hint: str = "", *, code: int | None = None) -> None:
        super().__init__(message, hint)
        self.code = code


class Lost(MachineError):
    """The answer did not arrive, so nobody knows whether it was done."""


@dataclass(frozen=True, slots=True)
class Service:
    """`runs_as` as the machine spells it; `dependants` are the services that need this one and run now."""

    runs_as: str
    running: bool
    dependants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """`definition` is its XML. `stores_password` False: it runs without one, so there is none to hand it."""

    runs_as: str
    stores_password: bool
    definition: str


class WindowsMachine(Protocol):
    """MachineError from every verb. A verb that waits does so for `timeout_s` at most."""

    def service(self, name: str) -> Service: ...

    def change_service(self, name: str, runs_as: str, secret: Secret) -> None:
        """The account and its password, and nothing else of the service. The machine does not look whether they fit."""

    def stop(self, name: str, *, timeout_s: float) -> None:
        """Until it has stopped; one that does not run is left alone."""

    def start(self, name: str, *, timeout_s: float) -> None:
        """Until it runs; a logon of its account, whose failure is told."""

    def task(self, path: str) -> Task: ...

    def register(self, path: str, task: Task, runs_as: str, secret: Secret) -> None:
        """The task as it is, with another account or password. The machine tries one logon first, and leaves the task
        alone where that fails."""


class Reached(Protocol):
    """Somebody answers there over a channel that nobody else can read. Nobody is logged on yet."""

    def log_on(self, account: str, secret: Secret) -> WindowsMachine | Answer:
        """One logon: a wrong password is one bad attempt. The Answer says why the machine let nobody in."""


ReachWindows: TypeAlias = Callable[[str], AbstractContextManager[Reached]]
"""From the machine's name. MachineError where it is not reached: no attempt was spent."""


def no_windows(host: str) -> AbstractContextManager[Reached]:
    raise Refused(f"this agent cannot manage {host}", hint="pip install 'keyturn[windows]'")
