"""What is inside the bundles that sites exchange about themselves and about accounts. Strict JSON."""

from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from keyturn.model.errors import KeyturnError
from keyturn.model.estate import SiteCode
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.site.cards import Card


class BadPayload(KeyturnError):
    """A payload that is not of the shape its kind has. It is never echoed."""


@dataclass(frozen=True, slots=True)
class Sites:
    """Sites that can be reached through the sender from now on, and those that no longer can."""

    joined: tuple[Card, ...] = ()
    left: tuple[SiteCode, ...] = ()


@dataclass(frozen=True, slots=True)
class Take:
    """A password to hold. `role` says what for, as `product/slug`. `anew`: it was refused before, and a person has
    looked. `succeeds`: the accounts in whose place it comes."""

    account: str
    generation: int
    role: str
    secret: Secret
    anew: bool = False
    succeeds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    take: tuple[Take, ...] = ()
    forget: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proven:
    """What the realm said to the site's own logon with this generation."""

    account: str
    generation: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Proofs:
    proven: tuple[Proven, ...] = ()
    forgotten: tuple[str, ...] = field(default=())


T = TypeVar("T")


def write(message: object) -> bytes:
    """Secrets stand in it in clear: it goes straight into a sealed bundle."""
    return msgspec.json.encode(message, enc_hook=_reveal)


def read(shape: type[T], payload: bytes) -> T:
    try:
        return msgspec.json.decode(payload, type=shape, dec_hook=_revive)
    except (ValueError, RecursionError):
        raise BadPayload(f"not a valid {shape.__name__}") from None


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} does not travel")


def _revive(shape: type, value: object) -> object:
    if shape is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("not of this shape")
