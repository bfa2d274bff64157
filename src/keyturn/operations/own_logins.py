"""The accounts Keyturn itself works with: with which it reaches a realm now, and how the first one is taken in."""

from collections.abc import Callable

from keyturn.lockout.budget import Wait, may_attempt
from keyturn.model.accounts import Account, AnyAccount, Credential, canonical
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import Estate, ManagedAccount, Realm
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.ports import Store


def own_login(store: Store, realm: Realm) -> tuple[AnyAccount, Secret]:
    """The bind account of a realm and its live password. Refused while Keyturn does not know it."""
    if realm.bind_account is None:
        raise Refused(
            f"realm {realm.name} names no account that Keyturn may work with",
            hint=f"bind_account = '{realm.name}/NAME' at its [[realm]], the account listed as an [[account]]",
        )
    managed = store.estate().managed(realm.bind_account)
    if managed.generation is None:
        raise Refused(
            f"Keyturn does not know the password of {managed.account}, with which it would reach {realm.name}",
            hint=f"keyturn account adopt '{managed.account}'",
        )
    return managed.account, store.secret(Credential(managed.account, managed.generation))


def is_own(estate: Estate, managed: ManagedAccount) -> bool:
    """Whether Keyturn reaches the account's realm with it."""
    bind = estate.realm(managed.account.realm).bind_account
    try:
        return bind is not None and estate.managed(bind).account == managed.account
    except NotFound:
        return False


def first_logon(store: Store, realm: Realm, name: str, logon: Callable[[], Account | None], now: float) -> Account:
    """The account's identity, read by itself: the one logon that no look at its counts can come before.

    It is written down before it is spent, under the name, and one that failed keeps the next back for the realm's
    whole window: Keyturn has no other way to know what it has cost.
    """
    by_name = Account(realm.name, f"name:{canonical(name)}", name)
    recent = store.recent(by_name, now - realm.policy.lockout_window_s)
    verdict = may_attempt(recent, 0, None, realm.policy, now)
    if isinstance(verdict, Wait):
        raise Refused(f"no logon of {by_name} now: {verdict.reason}", hint=f"try again in {verdict.retry_s:.0f} s")
    number = store.begin(by_name, realm.replicas[0], now, None)
    found = logon()
    store.end(number, Answer.ACCEPTED)
    if found is None:
        raise NotFound(f"{realm.name} has no account {name}")
    return found
