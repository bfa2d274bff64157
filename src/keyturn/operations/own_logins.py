"""The accounts Keyturn itself works with: with which it reaches a realm now, and how the first one is taken in."""

from collections.abc import Callable, Sequence

from keyturn.lifecycle.own_accounts import reached_with
from keyturn.lockout.budget import Wait, may_attempt
from keyturn.model.accounts import Account, AnyAccount, Credential, canonical
from keyturn.model.errors import BudgetExhausted, NotFound, Refused
from keyturn.model.estate import Estate, ManagedAccount, Realm
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.ports import Store


def own_login(store: Store, realm: Realm) -> tuple[AnyAccount, Secret]:
    """A bind account of the realm and its live password: the first one that is not being changed itself. Refused while
    Keyturn knows none."""
    if not realm.bind_accounts:
        raise Refused(
            f"realm {realm.name} names no account that Keyturn may work with",
            hint=f"bind_account = '{realm.name}/NAME' at its [[realm]], the account listed as an [[account]]",
        )
    estate = store.estate()
    managed = _settled(store, [estate.managed(name) for name in realm.bind_accounts])
    if managed.generation is None:
        raise Refused(
            f"Keyturn does not know the password of {managed.account}, with which it would reach {realm.name}",
            hint=f"keyturn account adopt '{managed.account}'",
        )
    return managed.account, store.secret(Credential(managed.account, managed.generation))


def is_own(estate: Estate, managed: ManagedAccount) -> bool:
    """Whether Keyturn reaches the account's realm with it."""
    return any(realm.name == managed.account.realm for realm in reached_with(estate, managed))


def _settled(store: Store, own: Sequence[ManagedAccount]) -> ManagedAccount:
    """A plan that changes one of them has claimed the other, so that not both can be under change."""
    if len(own) == 1:
        return own[0]
    known = [managed for managed in own if managed.usable and managed.generation is not None]
    return next((managed for managed in known if not store.changing(managed.account)), own[0])


def first_logon(store: Store, realm: Realm, name: str, logon: Callable[[], Account | None], now: float) -> Account:
    """The account's identity, read by itself: the one logon that no look at its counts can come before.

    It is written down before it is spent, under the name, and one that failed keeps the next back for the realm's
    whole window: Keyturn has no other way to know what it has cost. BudgetExhausted meanwhile.
    """
    room_for_first(store, realm, name, now)
    number = store.begin(_by_name(realm, name), realm.replicas[0], now, None)
    try:
        found = logon()
    except Refused:
        store.end(number, Answer.ACCEPTED)  # let in, and refused for what it may do there
        raise
    store.end(number, Answer.ACCEPTED)
    if found is None:
        raise NotFound(f"{realm.name} has no account {name}")
    return found


def room_for_first(store: Store, realm: Realm, name: str, now: float) -> None:
    """BudgetExhausted where a first logon could help to lock the account."""
    account = _by_name(realm, name)
    recent = store.recent(account, now - realm.policy.lockout_window_s)
    verdict = may_attempt(recent, 0, None, realm.policy, now)
    if isinstance(verdict, Wait):
        raise BudgetExhausted(f"no logon of {account} now: {verdict.reason}", retry_s=verdict.retry_s)


def _by_name(realm: Realm, name: str) -> Account:
    return Account(realm.name, f"name:{canonical(name)}", name)
