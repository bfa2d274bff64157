"""Who can help to open an envelope, and how many of them it takes."""

import base64
import hashlib
from dataclasses import dataclass

import pyrage

MOST_CUSTODIANS = 7


@dataclass(frozen=True, slots=True)
class Custodian:
    """`recipient` is an age recipient, `age1…`."""

    name: str
    recipient: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.recipient)


@dataclass(frozen=True, slots=True)
class Custody:
    """Any `needed` of the custodians together open an envelope. Raises ValueError for what cannot be meant."""

    custodians: tuple[Custodian, ...]
    needed: int = 1

    def __post_init__(self) -> None:
        names = [c.name for c in self.custodians]
        if not 1 <= self.needed <= len(names) <= MOST_CUSTODIANS:
            raise ValueError(f"{self.needed} of {len(names)} custodians: at least 1 of at most {MOST_CUSTODIANS}")
        if len({n.casefold() for n in names}) < len(names) or len({c.recipient for c in self.custodians}) < len(names):
            raise ValueError("a custodian stands there twice")
        if any(not name.strip() or not name.isprintable() or "," in name for name in names):
            raise ValueError("a custodian's name is one printable word or more, without a comma")
        for custodian in self.custodians:
            try:
                pyrage.x25519.Recipient.from_str(custodian.recipient)
            except pyrage.RecipientError:
                raise ValueError(f"{custodian.name}: not an age recipient (age1…)") from None

    @property
    def fingerprints(self) -> dict[str, str]:
        return {custodian.name: custodian.fingerprint for custodian in self.custodians}

    def __str__(self) -> str:
        return f"{self.needed} of " + ", ".join(f"{name} {mark}" for name, mark in self.fingerprints.items())


def fingerprint(recipient: str) -> str:
    """80 bits of SHA-256 in four groups: short enough to be read out over a telephone, too long to be forged."""
    text = base64.b32encode(hashlib.sha256(recipient.strip().encode()).digest()[:10]).decode()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def fingerprint_of_identity(identity: str) -> str:
    """Of the recipient that belongs to `AGE-SECRET-KEY-1…`. Raises ValueError, which does not repeat what was given."""
    try:
        return fingerprint(str(pyrage.x25519.Identity.from_str(identity.strip()).to_public()))
    except pyrage.IdentityError:
        raise ValueError("no age identity") from None
