"""Whether Keyturn can do its work in a realm: what it reaches, as whom, and what it finds of the estate's accounts.

Nothing is changed, and no logon is spent but that of Keyturn's own account on the connection itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keyturn.lifecycle.ports import AccountState, Authority
from keyturn.model.accounts import Account, AnyAccount
from keyturn.model.errors import KeyturnError, NotFound
from keyturn.model.estate import AccountLife, ManagedAccount, Realm, RealmKind
from keyturn.operations.delegation import ACCEPTED, STRONG, MissingRight
from keyturn.operations.own_logins import is_own
from keyturn.operations.parts import Parts

TOO_STRONG = frozenset({"domain admins", "enterprise admins", "schema admins", "administrators", "account operators"})
"""Groups with far more rights than changing passwords needs; delegation of the accounts' unit is enough."""


@dataclass(frozen=True, slots=True)
class Examined:
    """An account of the estate as its realm has it. `state` None: it cannot be described, and `trouble` says why."""

    account: AnyAccount
    state: AccountState | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class RealmCheck:
    """`works_as` is the account on whose behalf Keyturn asks, `rights` the names of what it may. `troubles` say what
    stands in the way of a rotation, each with the way out; so do the vital ones among the `missing` rights."""

    realm: Realm
    works_as: str
    rights: tuple[str, ...]
    accounts: tuple[Examined, ...]
    troubles: tuple[str, ...]
    missing: tuple[MissingRight, ...] = ()

    @property
    def fit(self) -> bool:
        in_the_way = (*self.troubles, *(each.trouble for each in self.accounts if each.trouble))
        return not in_the_way and not any(right.vital for right in self.missing)


def check_realm(parts: Parts, name: str) -> RealmCheck:
    """NotFound for a realm that the estate does not have."""
    estate = parts.store.estate()
    realm = estate.realm(name)
    there = [m for m in estate.accounts if m.account.realm == realm.name and m.life is not AccountLife.DELETED]
    missing: tuple[MissingRight, ...] = ()
    try:
        authority = parts.authorities(realm.name)
        missing = _missing(parts, realm, there)
        own, rights = _own(parts, realm, authority)
    except KeyturnError as error:
        return RealmCheck(realm, "", (), (), (_with_hint(error),), missing)
    examined = tuple(_examine(authority, managed) for managed in there)
    return RealmCheck(realm, own, tuple(sorted(rights)), examined, tuple(_troubles(realm, rights, examined)), missing)


def _own(parts: Parts, realm: Realm, authority: Authority) -> tuple[str, frozenset[str]]:
    if realm.kind == RealmKind.BUILTIN or realm.bind_account is None:
        return "", frozenset()
    account = parts.store.estate().managed(realm.bind_account).account
    if not isinstance(account, Account):
        raise NotFound(f"{account} has not been taken in", hint=f"keyturn account adopt '{account}'")
    found = authority.rights(account)
    return str(account), found.groups | found.grants


def _missing(parts: Parts, realm: Realm, managed: Sequence[ManagedAccount]) -> tuple[MissingRight, ...]:
    """The account Keyturn works with is changed only where there is a second one to do it."""
    delegation = parts.delegation(realm.name)
    if delegation is None:
        return ()
    estate = parts.store.estate()
    worked_with = [m for m in managed if realm.second_bind_account or not is_own(estate, m)]
    return delegation.missing_rights([m.account for m in worked_with if isinstance(m.account, Account)])


def _examine(authority: Authority, managed: ManagedAccount) -> Examined:
    try:
        account = managed.account
        found = account if isinstance(account, Account) else authority.find(account.name)
        if found is None:
            planned = managed.life is AccountLife.PLANNED
            return Examined(account, None, "" if planned else "is not in the realm")
        return Examined(found, authority.describe(found))
    except KeyturnError as error:
        return Examined(managed.account, None, _with_hint(error))


def _troubles(realm: Realm, rights: frozenset[str], examined: tuple[Examined, ...]) -> Iterator[str]:
    accepted = (STRONG, ACCEPTED) in realm.connection
    for name in sorted(rights):
        if name.casefold() in TOO_STRONG and not accepted:
            yield f"Keyturn's own account is in {name}: delegate the unit of the accounts to it instead"
    for each in examined:
        state = each.state
        if state is None:
            continue
        if state.locked:
            yield f"{each.account} is locked: keyturn account unlock '{each.account}'"
        if state.policy.lockout_threshold == 1:
            yield f"{each.account} is locked at the first bad attempt: nothing can be proven with it"
        asked = {replica.replica for replica in state.replicas}
        for missing in sorted(set(realm.replicas) - asked):
            yield f"{missing} does not tell of {each.account}"


def _with_hint(error: KeyturnError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
