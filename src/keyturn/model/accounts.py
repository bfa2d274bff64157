"""Accounts and credentials: who, and which generation of the password; never the password."""

import unicodedata
from dataclasses import dataclass, field
from typing import NewType, TypeAlias

RealmName = NewType("RealmName", str)
RoleName = NewType("RoleName", str)
"""A role of a catalogue, `product/slug`: `sms2003/client-connection-default`."""


@dataclass(frozen=True, slots=True)
class Account:
    """One identity in one realm, keyed by its SID, GUID or oid. The name is for people and may change."""

    realm: RealmName
    sid: str
    name: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.realm}\\{self.name}"


@dataclass(frozen=True, slots=True)
class AccountToBe:
    """An account that a plan will create, so it has a name and no identity yet."""

    realm: RealmName
    name: str

    def __str__(self) -> str:
        return f"{self.realm}\\{self.name}"


AnyAccount: TypeAlias = Account | AccountToBe


@dataclass(frozen=True, slots=True)
class Credential:
    """Which password of an account: generation 1 is the first one Keyturn knows."""

    account: AnyAccount
    generation: int

    def __str__(self) -> str:
        return f"{self.account} generation {self.generation}"


def canonical(name: str) -> str:
    """The one form in which account and realm names are compared.

    Directories compare names without regard to case, width or outer space; whoever compares them otherwise
    counts attempts against the wrong account.
    """
    return unicodedata.normalize("NFKC", name).strip().casefold()


def reference(written: str) -> str:
    """What `REALM\\name`, `REALM/name` or a name alone is compared by, wherever people name an account."""
    return canonical(written.replace("/", "\\"))


def same_name(one: str, other: str) -> bool:
    return canonical(one) == canonical(other)
