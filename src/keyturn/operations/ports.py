"""What the use cases need kept. One store implements all of these; each use case names only what it needs.

Moments are seconds since the epoch. Every write is durable when the call returns.
"""

from collections.abc import Collection, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from keyturn.lifecycle.budgeted import Attempts
from keyturn.lifecycle.journal import Journal, Marked
from keyturn.lifecycle.plan import Plan
from keyturn.lifecycle.ports import Holdings, Sealed, Vault
from keyturn.lockout.changes import Forecast
from keyturn.model.accounts import Account, AnyAccount, Credential
from keyturn.model.estate import AccountLife, Estate, ManagedAccount, Sighted
from keyturn.model.secret import Secret
from keyturn.operations.client_ports import Clients
from keyturn.operations.components import Components
from keyturn.operations.content_ports import ContentStates
from keyturn.operations.handing_ports import HandedDownStore
from keyturn.operations.hierarchy_ports import HeldCredentials, KnownSites, Queues
from keyturn.operations.inbox_ports import Inboxes
from keyturn.operations.left_out import LeftOutSystems
from keyturn.operations.policy_records import AdvertisementReports, PolicyIssues
from keyturn.operations.push_records import PushRequests
from keyturn.operations.recovery_records import LogonKeys
from keyturn.operations.site_control_records import SiteControls
from keyturn.operations.software_ports import SoftwareStore
from keyturn.operations.source_records import SourceReadings
from keyturn.operations.status_messages import StatusMessages


class Estates(Protocol):
    """The estate as imported, joined with what has happened since."""

    def estate(self) -> Estate:
        """One consistent reading: accounts with their identities and generations, and who has proven what."""

    def outline(self) -> Estate:
        """As `estate`, without what machines have told: who has proven what, and where accounts were used from."""

    def document(self) -> Estate:
        """As imported last: accounts as the file has them. It is kept in memory, for whoever asks every second."""

    def edition(self) -> int:
        """Rises with each import; 0 before the first."""

    def named(self, name: str) -> ManagedAccount:
        """The account written as `REALM\\name`, by one row instead of the whole estate. NotFound else."""

    def predecessors(self, account: AnyAccount) -> tuple[AnyAccount, ...]:
        """The accounts it has taken over from by plans, newest first."""

    def text(self) -> str:
        """The estate file as imported last, or empty."""

    def replace(self, text: str, estate: Estate, by: str) -> None:
        """Keep a new estate file. Accounts keep identity, life and generations; new ones are added as given."""

    def mark(self, account: AnyAccount, life: AccountLife) -> None:
        """Record what was done to an account outside any plan."""

    def identify(self, account: Account) -> None:
        """Record the identity of an account that was known by its name alone."""


class PlanState(StrEnum):
    PROPOSED = "proposed"
    RUNNING = "running"
    WAITING = "waiting"
    STOPPED = "stopped"
    DONE = "done"
    REJECTED = "rejected"
    ABANDONED = "abandoned"

    @property
    def open(self) -> bool:
        return self in (PlanState.PROPOSED, PlanState.RUNNING, PlanState.WAITING, PlanState.STOPPED)


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A plan with its life so far. `missing` names whom it waits for."""

    plan_id: str
    plan: Plan
    forecast: Forecast
    state: PlanState
    proposed_by: str
    proposed_at: float
    approved_by: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    note: str = ""
    hint: str = ""
    missing: tuple[str, ...] = ()
    marks: dict[int, Marked] = field(default_factory=dict)


class Lease(Journal, Vault, Holdings, Protocol):
    """Everything a worker writes for one plan, in its own name: each write raises FencedOff once another worker
    has taken the plan over."""

    def check(self) -> None:
        """Raise FencedOff unless the lease still holds; called before every change in a realm."""

    def finish(self, state: PlanState, note: str = "", hint: str = "", missing: Sequence[str] = ()) -> None:
        """Record where the plan stands and give the lease back."""


class Plans(Protocol):
    def propose(self, record: PlanRecord, given: tuple[Credential, Secret] | None) -> None:
        """Keep a new plan, with the password a person handed in. Refused while an account of it has an open plan."""

    def plan(self, plan_id: str) -> PlanRecord:
        """By its id, or the beginning of it where that is unique. NotFound else."""

    def plans(self, *, only_open: bool = False) -> tuple[PlanRecord, ...]: ...

    def changing(self, account: AnyAccount) -> bool:
        """Whether its password may at any moment be another one than the live generation: an approved plan changes it,
        or one of its candidates has an unknown fate."""

    def approve(self, plan_id: str, by: str, *, needed: int) -> PlanRecord:
        """Count the approval; with `needed` of them the plan is RUNNING. The same person counts once."""

    def decide(self, plan_id: str, state: PlanState, by: str, note: str = "") -> PlanRecord:
        """Move the plan to RUNNING (which begins the waiting anew), REJECTED or ABANDONED. Refused if it has ended."""

    def release(self, plan_id: str, holders: Collection[str], by: str) -> PlanRecord: ...

    def lease(self, plan_id: str, worker: str, lease_s: float) -> Lease | None:
        """Take the plan for `lease_s`, with the next fencing number; None while another worker holds it, or when
        the plan is not RUNNING or WAITING."""


class PersonRole(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    CUSTODIAN = "custodian"


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    roles: frozenset[PersonRole]


class People(Protocol):
    def add(self, person: Person, password_hash: str) -> None:
        """Refused for a name that is taken."""

    def person(self, name: str) -> Person: ...

    def people(self) -> tuple[Person, ...]: ...

    def password_hash(self, name: str) -> str | None: ...

    def remove(self, name: str) -> None:
        """With every token of theirs."""

    def issue(self, name: str, token_hash: bytes, expires_at: float) -> None: ...

    def bearer(self, token_hash: bytes, now: float) -> Person | None: ...

    def revoke(self, token_hash: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Event:
    """One line of what happened. `detail` never holds a secret."""

    number: int
    at: float
    actor: str
    kind: str
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Chained:
    """An event as it is kept, values unchecked: somebody may have altered them. `link` is the keyed hash over it and
    the link of the one before (`operations.chain`)."""

    event: Event
    link: bytes


class Events(Protocol):
    """The audit log: numbered without a gap from 1, each event chained to the one before in the same transaction."""

    def tell(self, actor: str, kind: str, subject: str, detail: str = "") -> None: ...

    def told(self, kind: str, subject: str, detail: str = "") -> bool:
        """Whether exactly this was told before, by anybody."""

    def since(self, number: int = 0, limit: int = 1000) -> tuple[Event, ...]: ...

    def chained(self) -> Generator[Chained, None, None]:
        """Everything that is there, by number, in one consistent reading that ends when the generator is closed."""

    def link_after(self, before: bytes | None, event: Event) -> bytes:
        """The link that this event must have after that one; None: it is the first."""


@dataclass(frozen=True, slots=True)
class KeptEnvelope:
    """The sealed copy of a live generation, or of a candidate whose fate is open. `version` is the realm's mark under
    which it was proven live, `version_before` the one it was sealed under."""

    account: AnyAccount
    generation: int
    live: bool
    version_before: int
    version: int | None
    envelope: bytes = field(repr=False)


class Escrow(Protocol):
    """The sealed copies, written by the vault in the same commit as the generation and the event with their digest."""

    def envelope(self, account: AnyAccount, generation: int | None = None) -> tuple[int, bytes]:
        """The generation and the sealed bytes; the live generation unless said. NotFound where there is none."""

    def envelopes(self, account: AnyAccount) -> tuple[KeptEnvelope, ...]:
        """Of the live generation and of an undecided one, as far as there are any."""

    def reseal(self, account: AnyAccount, generation: int, by: str) -> None:
        """Seal the generation's password for the custodians as they are now, in the place of its envelope."""

    def told_of_envelopes(self) -> tuple[Event, ...]:
        """Every event about envelopes, papers, drills and custodians, oldest first."""


class Sightings(Protocol):
    """Who was seen using an account, or is set up to. Read with the account."""

    def see(self, account: AnyAccount, seen: Sequence[Sighted]) -> None:
        """The same record seen again changes nothing."""


class Store(
    Estates,
    Plans,
    Clients,
    Events,
    Escrow,
    Attempts,
    Sightings,
    SiteControls,
    StatusMessages,
    Components,
    Queues,
    KnownSites,
    HeldCredentials,
    Inboxes,
    LeftOutSystems,
    PushRequests,
    LogonKeys,
    SoftwareStore,
    PolicyIssues,
    AdvertisementReports,
    ContentStates,
    SourceReadings,
    HandedDownStore,
    Protocol,
):
    """All of it, over one database."""

    def adopt(self, sealed: Sealed, account: Account, secret: Secret) -> None:
        """Keep a password proven live just now as the account's generation, with its envelope."""

    def account(self, account: AnyAccount) -> ManagedAccount: ...

    def secret(self, credential: Credential) -> Secret:
        """NotFound for a generation that was never sealed."""

    def reached_as(self) -> str | None:
        """The identity, as its realm has it, of the account with which the store itself is reached. None for a file."""

    def whole(self) -> AbstractContextManager[None]:
        """What this thread writes inside is one transaction: a change and the line that tells of it, or neither."""

    @property
    def people(self) -> People: ...
