"""Accounts: taken in, and changed by hand where that is harmless."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

from keyturn.lifecycle.budgeted import room_for_one
from keyturn.lifecycle.execution import PROOF
from keyturn.lifecycle.guards import Change, refuse_held, refuse_last_client_connection, refuse_maintained
from keyturn.lifecycle.own_accounts import refuse_own_loss, refuse_own_store_loss
from keyturn.lifecycle.ports import AccountState, Authority, Sealed
from keyturn.lockout.axis import duration
from keyturn.model.accounts import Account, Credential
from keyturn.model.errors import AuthorityError, BudgetExhausted, Refused
from keyturn.model.estate import AccountLife, Estate, ManagedAccount
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.entitlements import offer_to_enrolled
from keyturn.operations.own_logins import first_logon, is_own, room_for_first
from keyturn.operations.parts import Parts
from keyturn.operations.secondary import refuse_at_secondary


def adopt(parts: Parts, name: str, secret: Secret, *, by: str) -> ManagedAccount:
    """Take in an account that exists: one budgeted logon, then its password is sealed as a new generation.

    Raises Refused for a wrong password, and for any while the budget has room for none: nothing is kept, nobody waits,
    and the account can still be cycled.
    """
    refuse_at_secondary(parts, "accounts", f"keyturn account adopt '{name}'", account=name)
    estate = parts.store.estate()
    managed = estate.managed(name)
    try:
        account, authority = _reached(parts, estate, managed, secret, by)
        answer = authority.try_logon(account, secret, protocol=PROOF)
    except BudgetExhausted as wait:
        raise Refused(
            str(wait),
            hint=f"nothing was tried; give the password again{_from(parts, wait.retry_s)}: "
            f"keyturn account adopt '{managed.account}'",
        ) from wait
    if answer is not Answer.ACCEPTED:
        parts.store.tell(by, "account-adoption-refused", str(account), f"the realm answered {answer}")
        wait_s = _wait_s(lambda: room_for_one(authority, parts.store, account, parts.now()))
        raise Refused(
            f"{account} was not taken in: the realm answers {answer}",
            hint=f"give the password that the realm has{_from(parts, wait_s)}; where nobody knows it, the account can "
            "be cycled: keyturn account rotate",
        )
    pinned = authority.describe(account).pinned
    credential = Credential(account, (managed.generation or 0) + 1)
    with parts.store.whole():
        parts.store.adopt(Sealed(credential, pinned.replica, pinned.version), account, secret)
        taken_in = parts.store.account(account)
        parts.store.tell(by, "account-adopted", str(account), f"generation {taken_in.generation}")
    offer_to_enrolled(parts)
    return taken_in


def change(parts: Parts, name: str, wanted: Change, *, by: str) -> ManagedAccount:
    """Disable, enable or unlock an account by hand; refused where somebody would be cut off."""
    refuse_at_secondary(parts, "accounts", f"keyturn account {wanted.name.lower()} '{name}'", account=name)
    estate = parts.store.estate()
    managed = estate.managed(name)
    refuse_maintained(estate, managed, wanted)
    if wanted in (Change.RENAME, Change.RIGHTS):
        raise Refused(
            f"{wanted} {managed.account} is done in its realm, which Keyturn follows by the account's identity",
            hint="use the realm's own tools; nothing here depends on the name",
        )
    if wanted is Change.DISABLE:
        refuse_own_loss(estate, managed, wanted)
        refuse_own_store_loss(managed.account, parts.store.reached_as(), wanted)
        refuse_last_client_connection(estate, managed)
        refuse_held(estate, managed, wanted)
    account = _existing(parts, managed)
    _carry_out(parts.authorities(account.realm), account, wanted)
    with parts.store.whole():
        if wanted in _LIFE:
            parts.store.mark(account, _LIFE[wanted])
        parts.store.tell(by, f"account-{_DONE[wanted]}", str(account))
    return parts.store.account(account)


_DONE = {Change.DISABLE: "disabled", Change.ENABLE: "enabled", Change.UNLOCK: "unlocked"}


_LIFE = {Change.DISABLE: AccountLife.DISABLED, Change.ENABLE: AccountLife.ACTIVE}


def state(parts: Parts, name: str) -> AccountState:
    """What every replica of the realm knows of the account now."""
    account = _existing(parts, parts.store.estate().managed(name))
    return parts.authorities(account.realm).describe(account)


def _reached(
    parts: Parts, estate: Estate, managed: ManagedAccount, secret: Secret, by: str
) -> tuple[Account, Authority]:
    """By the account itself where it is the one that Keyturn reaches its realm with."""
    if not is_own(estate, managed):
        account = _existing(parts, managed)
        return account, parts.authorities(account.realm)
    realm, name = estate.realm(managed.account.realm), managed.account.name
    authority = parts.reached_by(realm.name, name, secret)
    try:
        account = first_logon(parts.store, realm, name, lambda: authority.find(name), parts.now())
    except AuthorityError as error:
        parts.store.tell(by, "account-adoption-refused", str(managed.account), error.message)
        said = f"{managed.account} was not taken in: {error.message}"
        wait_s = _wait_s(lambda: room_for_first(parts.store, realm, name, parts.now()))
        hint = f"put that right, and try again{_from(parts, wait_s)}: keyturn account adopt '{managed.account}'"
        if error.permanent:
            raise Refused(said, hint) from error
        raise AuthorityError(said, permanent=False, hint=hint) from error
    parts.store.identify(account)
    return account, authority


def _wait_s(room: Callable[[], object]) -> float:
    try:
        room()
    except BudgetExhausted as wait:
        return wait.retry_s
    return 0


def _from(parts: Parts, wait_s: float) -> str:
    """Said before somebody tries: after one that may have been wrong, the right one is kept back as well."""
    if not wait_s:
        return ""
    at = datetime.fromtimestamp(math.ceil(parts.now() + wait_s), UTC)
    return f" from {at:%Y-%m-%d %H:%M:%SZ} on (in {duration(wait_s)}), so that it is not locked"


def _carry_out(authority: Authority, account: Account, wanted: Change) -> None:
    match wanted:
        case Change.DISABLE:
            authority.disable(account)
        case Change.ENABLE:
            authority.enable(account)
        case Change.UNLOCK:
            authority.unlock(account)
        case _:
            raise Refused(f"{wanted} {account} is a plan of its own", hint="keyturn account rotate, create or delete")


def _existing(parts: Parts, managed: ManagedAccount) -> Account:
    if isinstance(managed.account, Account):
        return managed.account
    found = parts.authorities(managed.account.realm).find(managed.account.name)
    if found is None:
        raise Refused(
            f"{managed.account} does not exist in its realm", hint=f"keyturn account create '{managed.account}'"
        )
    parts.store.identify(found)
    return found
