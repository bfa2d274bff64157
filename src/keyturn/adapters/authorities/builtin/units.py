"""What replicates of an account: units. A unit travels whole, and of two writes of a unit the later one wins.

Bad counts and the moments of bad attempts and logons are no units: each replica keeps its own (`directory.Tally`).
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from keyturn.lifecycle.ports import Rights
from keyturn.lockout.policy import Standing
from keyturn.model.policy import RealmPolicy


@dataclass(frozen=True, slots=True)
class Naming:
    """`key` is the canonical name, by which logons find the account; None: the account is deleted, or not here yet."""

    name: str = ""
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One password of the history. `version` is the account's mark when it was set."""

    version: int
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Passwords:
    """`entries` starts with the current password; what the policy's history did not cover at a change is gone."""

    version: int = 0
    set_at: float = 0
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Ageing:
    """Ended by the next password. `expired` is set by hand; a maximum age expires a password without it."""

    must_change: bool = False
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Validity:
    disabled: bool = False
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Lock:
    """`at` stays when the lock has run out, as `lockoutTime` does."""

    at: float | None = None


Unit: TypeAlias = Naming | Passwords | Ageing | Validity | Lock | Rights


@dataclass(frozen=True, slots=True)
class Copy:
    """An account as one replica holds it. A unit that has not arrived yet has its default."""

    naming: Naming = Naming()
    passwords: Passwords = Passwords()
    ageing: Ageing = Ageing()
    validity: Validity = Validity()
    lock: Lock = Lock()
    rights: Rights = Rights()


UNITS: dict[type[Unit], str] = {
    Naming: "naming",
    Passwords: "passwords",
    Ageing: "ageing",
    Validity: "validity",
    Lock: "lock",
    Rights: "rights",
}
"""A unit is stored under the name of its field in `Copy`, so that the units of an account decode as one."""

_COPY = msgspec.json.Decoder(Copy)


def encode(unit: Unit) -> str:
    return msgspec.json.encode(unit, order="deterministic").decode()


def decode(units: str) -> Copy:
    """From one JSON object, unit by name."""
    return _COPY.decode(units)


def standing(copy: Copy, bad_count: int, last_bad_at: float | None, policy: RealmPolicy, now: float) -> Standing:
    """What the truth table is asked about: the replica's copy together with its own count."""
    aged = policy.max_age_s > 0 and now >= copy.passwords.set_at + policy.max_age_s
    return Standing(
        bad_count=bad_count,
        last_bad_at=last_bad_at,
        locked_at=copy.lock.at,
        password_set_at=copy.passwords.set_at,
        disabled=copy.validity.disabled,
        expired=copy.validity.expired,
        password_expired=copy.ageing.expired or aged,
        must_change=copy.ageing.must_change,
    )
