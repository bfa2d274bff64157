"""The gate: what a holder is told about an account before it presents any password."""

from dataclasses import dataclass
from typing import TypeAlias

from keyturn.model.accounts import AnyAccount, Credential
from keyturn.model.estate import AccountLife
from keyturn.operations.client_ports import Offer

SOON_S = 5.0
LATER_S = 60.0


@dataclass(frozen=True, slots=True)
class Use:
    """The holder's generation is current."""

    credential: Credential


@dataclass(frozen=True, slots=True)
class Adopt:
    """Take this generation and prove it by a logon. `anew`: it was refused here, and a person has looked since."""

    credential: Credential
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Present nothing for this account."""

    account: AnyAccount
    retry_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Forget the account."""

    account: AnyAccount


_NEWER = (
    "this machine has a newer password than Keyturn knows: was the store restored? "
    "Once the account is rotated: keyturn agent reinstall"
)

Direction: TypeAlias = Use | Adopt | Wait | Drop


def direct(offer: Offer, held: int | None) -> Direction:
    """`held` is the generation the holder says it keeps.

    From the moment a candidate is sealed until it is published to the holder, the gate is closed: either password may
    be the wrong one. It is closed to everybody from the first refusal of a live credential until somebody has looked:
    a fleet that fails once each locks the account. A holder that was refused and keeps nothing any more was
    reinstalled, and may try again. A holder that keeps a later generation than the live one has met a store that was
    put back from a backup: what that store thinks live is likely wrong.
    """
    if offer.life in (AccountLife.WITHDRAWN, AccountLife.DISABLED, AccountLife.DELETED):
        return Drop(offer.account)
    if offer.undecided:
        return Wait(offer.account, SOON_S, "the password is being changed")
    if offer.published is None or offer.published != offer.live:
        return Wait(offer.account, SOON_S, "the new password is on its way")
    if offer.refused == offer.published and held is not None:
        return Wait(offer.account, LATER_S, "the realm refused it here; a person must look")
    if held is not None and held > (offer.live or 0):
        return Wait(offer.account, LATER_S, _NEWER)
    if offer.doubted:
        return Wait(offer.account, SOON_S, "the realm refused it somewhere; it is being looked into")
    credential = Credential(offer.account, offer.published)
    if held == offer.published == offer.proven and not offer.pardoned:
        return Use(credential)
    return Adopt(credential, anew=offer.pardoned)
