"""Requests to install or remove clients from the site server: what is kept of them, and the two ports they need.

Moments are seconds since the epoch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from keyturn.model.accounts import Account, Credential
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret


class Work(StrEnum):
    INSTALL = "install"
    REMOVE = "remove"


class PushState(StrEnum):
    WAITING = "waiting"
    """Due at `next_at`: the ccr and ccrretry inboxes of SMS."""
    INSTALLED = "installed"
    """The agent was started there; it has not been heard yet."""
    DONE = "done"
    FAILED = "failed"
    """Trying again would come to the same; a person has to do something first."""
    WITHDRAWN = "withdrawn"

    @property
    def open(self) -> bool:
        return self in (PushState.WAITING, PushState.INSTALLED)


@dataclass(frozen=True, slots=True)
class PushRequest:
    """One machine, by its name in the estate. `accounts` are the ones to use, in this order; empty: every one that the
    site has for it. `port` None: the one that OpenSSH's own settings say."""

    name: str
    work: Work
    host: str
    port: int | None
    accounts: tuple[str, ...]
    asked_by: str
    asked_at: float
    next_at: float
    state: PushState = PushState.WAITING
    tries: int = 0
    installed_at: float | None = None
    note: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class PushLogon:
    """What a machine last said to a generation of an account."""

    machine: str
    credential: Credential
    answer: Answer
    at: float


class PushRequests(Protocol):
    def request_push(self, request: PushRequest) -> None:
        """In the place of the machine's earlier one."""

    def push_request(self, name: str) -> PushRequest:
        """NotFound where there is none."""

    def push_requests(self) -> tuple[PushRequest, ...]:
        """By name."""

    def claim_push(self, request: PushRequest, until: float) -> bool:
        """Make it due at `until` and no earlier. False where somebody else has it, or it was asked for anew."""

    def settle_push(self, claimed: PushRequest) -> bool:
        """Write what came of it. False where it was asked for anew or withdrawn meanwhile: nothing is written."""

    def note_push_logon(self, logon: PushLogon) -> None: ...

    def push_logons(self, account: Account) -> tuple[PushLogon, ...]: ...

    def forget_push_refusals(self, machine: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    host: str
    port: int | None


class Ledger(Protocol):
    """Told by whoever logs on, so that no attempt is spent that is not written down."""

    def begin(self) -> None:
        """Called when the password is about to be presented. Where it raises BudgetExhausted, it must not be."""

    def end(self, answer: Answer) -> None: ...


@dataclass(frozen=True, slots=True)
class Done:
    """`note` says what it came to there."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class NotLetIn:
    """The machine did not take the password: it may be wrong, or the account may not log on there."""


@dataclass(frozen=True, slots=True)
class Hindered:
    """`permanent`: it would be the same next time."""

    message: str
    permanent: bool
    hint: str = ""


Pushed: TypeAlias = Done | NotLetIn | Hindered


class Pusher(Protocol):
    """The way to machines that have no agent. Each call makes one logon at most, and may be made again after a crash
    at any moment."""

    def install(
        self, target: Target, user: str, password: Secret, ledger: Ledger, invitation: Callable[[], Secret]
    ) -> Pushed:
        """Copy the agent there, enrol it and start it. `invitation` is asked for once the machine is ready for it."""

    def remove(self, target: Target, user: str, password: Secret, ledger: Ledger) -> Pushed:
        """Stop the agent there, and delete its credentials and itself. Done too where there is none."""
