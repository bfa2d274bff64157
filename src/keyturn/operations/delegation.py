"""What an authority may be able to tell of the rights that Keyturn's own account has there, and lacks."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from keyturn.model.accounts import Account

STRONG, ACCEPTED = "domain_admin", "accepted"
"""What a realm's connection says to let Keyturn work as an administrator of everything."""


@dataclass(frozen=True, slots=True)
class MissingRight:
    """`right` is what Keyturn cannot do, `where` with what. One of the `commands`, by an administrator, gives it.
    `vital`: no rotation without it; else `without` says what is not done."""

    right: str
    where: str
    commands: tuple[str, ...]
    vital: bool = True
    without: str = ""
    why: str = ""
    """Where no command gives it."""


@runtime_checkable
class Delegation(Protocol):
    """An authority that knows what its login may do. Reads only; costs one logon of Keyturn's own account."""

    def missing_rights(self, accounts: Collection[Account]) -> tuple[MissingRight, ...]:
        """To change these accounts, and to make others like them."""
