"""What an authority may be able to tell of its realm beside each account: the port, and the values it answers with.

A second ability is a second small protocol: not every kind of realm has it.
"""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from keyturn.model.policy import RealmPolicy


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account as its realm describes it, before anybody says what it is for.

    Ages are None where the realm does not tell. `nature` is what the realm says by the
    kind of entry it is, as a reason: "is of the class applicationProcess". `policy` names a fine-grained one.
    `remarks` are worth a person's knowing and are no evidence.
    """

    name: str
    enabled: bool = True
    nature: str = ""
    person: bool = False
    """It has what only people have: a given name and a family name, and an address or a superior."""
    units: tuple[str, ...] = ()
    """Names of the units it lies in."""
    description: str = field(default="", repr=False)
    """Never shown: people write passwords there."""
    services: tuple[str, ...] = ()
    """Service principal names."""
    delegation: tuple[str, ...] = ()
    strong_groups: tuple[str, ...] = ()
    never_expires: bool = False
    password_age_s: float | None = None
    idle_s: float | None = None
    """Since its last logon; infinite where the realm knows of none."""
    policy: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Accounts that are not looked at, and why. `names` only where they are worth reading."""

    why: str
    count: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    name: str
    policy: RealmPolicy


@dataclass(frozen=True, slots=True)
class PublishedSite:
    """A site as SMS and its successors publish it in the directory. Its server's name is not among that."""

    code: str
    management_points: tuple[str, ...] = ()
    locator_points: tuple[str, ...] = ()
    boundaries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """`servers`: those that keep the accounts, by the realm's own record, the one that takes changes first."""

    candidates: tuple[Candidate, ...]
    servers: tuple[str, ...] = ()
    policies: tuple[NamedPolicy, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    sites: tuple[PublishedSite, ...] = ()


@runtime_checkable
class Discovery(Protocol):
    """An authority that can list what it holds. Reads only; costs one logon of Keyturn's own account."""

    def survey(self, now: float) -> Survey:
        """`now` in seconds since the epoch."""
