"""The shapes of the API for people, version 1. The command line prints the same with `--json`."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ErrorShape:
    error: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ForecastShape:
    """Seconds count from the change. `first_lockout_s` is null when nothing locks within the horizon."""

    first_lockout_s: float | None
    blamed: list[str]
    orphaned: list[str]
    recovered: list[str]
    safe: bool


@dataclass(frozen=True, slots=True)
class StepShape:
    """`mark` is `` (not begun), `intended` or `done`."""

    number: int
    step: str
    text: str
    reason: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class PlanShape:
    """`account` is what the plan is about: for a site reset the site's code. `missing` names the holders or replicas
    that the plan waits for."""

    id: str
    kind: str
    account: str
    state: str
    proposed_by: str
    approved_by: list[str]
    released: list[str]
    note: str
    hint: str
    missing: list[str]
    via: list[str]
    notes: list[str]
    forecast: ForecastShape
    steps: list[StepShape]


@dataclass(frozen=True, slots=True)
class HolderShape:
    """`generation` is the newest one proven by a logon; `proof` is `reported` or `observed`."""

    name: str
    kind: str
    generation: int | None = None
    proof: str = ""
    proven_at: float | None = None


@dataclass(frozen=True, slots=True)
class AccountShape:
    account: str
    role: str
    sites: list[str]
    life: str
    generation: int | None
    successor: str | None
    holders: int
    current: int
    """How many of the holders have proven the live generation."""
    due: str = ""
    """Why the account should be rotated: `opened`, until the next generation is live; empty: nothing calls for it."""
    opened_at: float | None = None
    opened_by: str = ""


@dataclass(frozen=True, slots=True)
class ReplicaShape:
    replica: str
    version: int
    bad_count: int
    locked: bool
    last_logon_at: float | None


@dataclass(frozen=True, slots=True)
class AccountDetailShape:
    account: AccountShape
    held_by: list[HolderShape]
    enabled: bool | None
    replicas: list[ReplicaShape]


@dataclass(frozen=True, slots=True)
class EstateShape:
    product: str
    realms: list[str]
    sites: list[str]
    clients: int
    consumers: int
    accounts: int


@dataclass(frozen=True, slots=True)
class ImportShape:
    """What an import changed."""

    added: list[str]
    found: list[str]
    """Accounts that exist in their realm already."""
    missing: list[str]
    """Accounts that do not: `keyturn account create` makes them."""
    unreachable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ClientShape:
    name: str
    enrolled_at: float
    last_contact_at: float | None


@dataclass(frozen=True, slots=True)
class MayHoldShape:
    """The newest generation that the machine has proven, and the newest it was offered."""

    account: str
    proven: int | None
    offered: int | None


@dataclass(frozen=True, slots=True)
class WaitingPlanShape:
    id: str
    kind: str
    account: str


@dataclass(frozen=True, slots=True)
class ForgettingShape:
    """Keys, an unused invitation and the open `request` (`install` or `remove`) are forgotten. Neither the estate nor
    `may_hold` nor `plans`, which wait for the machine, change; each of `logon_keys` enrols it anew."""

    name: str
    enrolled_at: float | None
    last_contact_at: float | None
    invited: bool
    request: str | None
    may_hold: list[MayHoldShape]
    plans: list[WaitingPlanShape]
    in_estate: bool
    logon_keys: list[str]


@dataclass(frozen=True, slots=True)
class EventShape:
    number: int
    at: float
    actor: str
    kind: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class CheckpointShape:
    line: str


@dataclass(frozen=True, slots=True)
class VerdictShape:
    """`events` fit, counted from the first, and `checkpoints` do. `number` is that of the first event that does not."""

    intact: bool
    events: int
    checkpoints: int
    number: int | None = None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class PersonShape:
    name: str
    roles: list[str]


@dataclass(frozen=True, slots=True)
class RealmAccountShape:
    name: str
    sid: str
    enabled: bool
    locked: bool
    version: int
    password_set_at: float


@dataclass(frozen=True, slots=True)
class ExaminedShape:
    """`enabled` None and no replica: the realm could not say."""

    account: str
    enabled: bool | None
    replicas: tuple[ReplicaShape, ...]
    trouble: str


@dataclass(frozen=True, slots=True)
class MissingRightShape:
    """Any one of `commands` gives it. `vital`: no rotation without it; else `without` says what is not done."""

    right: str
    where: str
    commands: tuple[str, ...]
    vital: bool
    without: str
    why: str


@dataclass(frozen=True, slots=True)
class RealmCheckShape:
    realm: str
    kind: str
    works_as: str
    rights: tuple[str, ...]
    accounts: tuple[ExaminedShape, ...]
    troubles: tuple[str, ...]
    missing: tuple[MissingRightShape, ...]
    fit: bool


@dataclass(frozen=True, slots=True)
class RealmKindShape:
    """`package` brings the kind; `trouble` says why the site cannot open a realm of it, and is empty where it can."""

    kind: str
    package: str
    version: str
    trouble: str


@dataclass(frozen=True, slots=True)
class SeenShape:
    """An account used from one machine, added up. `how` names the protocols, `places` files that name the account."""

    domain: str
    name: str
    source: str
    first_at: float
    last_at: float
    accepted: int
    wrong: int
    how: str = ""
    places: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FoundShape:
    account: str
    source: str
    first_at: float
    last_at: float
    accepted: int
    wrong: int
    how: str
    holder: bool
    places: list[str]


@dataclass(frozen=True, slots=True)
class LogonShape:
    at: float
    replica: str
    account: str
    source: str
    protocol: str
    answer: str
