"""The accounts with which Keyturn itself reaches realms: one is changed while another one works (never N10)."""

from keyturn.lifecycle.holders import a_holder_of
from keyturn.lifecycle.plan import Plan, SetPassword
from keyturn.model.accounts import Account, AnyAccount
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import Estate, ManagedAccount, Realm


def own_accounts(estate: Estate, realm: Realm) -> tuple[ManagedAccount, ...]:
    """In the order in which they are used. One that the estate does not list is left out."""
    return tuple(found for name in realm.bind_accounts if (found := _listed(estate, name)))


def reached_with(estate: Estate, managed: ManagedAccount) -> tuple[Realm, ...]:
    """The realms that Keyturn reaches with this account."""
    return tuple(realm for realm in estate.realms if managed in own_accounts(estate, realm))


def stand_in(estate: Estate, realm: Realm, managed: ManagedAccount) -> ManagedAccount | None:
    """Another account that reaches the realm, whose password is known."""
    others = (own for own in own_accounts(estate, realm) if own.account != managed.account)
    return next((own for own in others if own.usable and own.generation is not None), None)


def refuse_own_recovery(estate: Estate, managed: ManagedAccount) -> None:
    """The way back from a failed change must not use the password being changed."""
    realms = reached_with(estate, managed)
    for realm in realms:
        if stand_in(estate, realm, managed) is None:
            raise Refused(
                f"Keyturn reaches realm {realm.name} with {managed.account}: a change that fails half way "
                "could not be repaired with it",
                hint=f"name another account as second_bind_account of {realm.name}, import the estate, and take that "
                "account in: keyturn account adopt",
            )
    if realms and (holder := a_holder_of(estate, managed)):
        raise Refused(
            f"Keyturn reaches realm {realms[0].name} with {managed.account}, and {holder} logs on with it too",
            hint="give Keyturn accounts of its own",
        )


def refuse_own_loss(estate: Estate, managed: ManagedAccount, doing: str) -> None:
    for realm in reached_with(estate, managed):
        raise Refused(
            f"{doing} {managed.account} is refused: Keyturn reaches realm {realm.name} with it",
            hint="take it out of the estate's bind accounts first, and import the estate",
        )


def refuse_own_store(plan: Plan, reached_as: str | None) -> None:
    """`reached_as`: the identity of the account with which Keyturn's own database is reached now, if it has one.

    After such a set no process could open the database again, with nothing but it to say what the password is.
    """
    for step in (planned.step for planned in plan.steps):
        if isinstance(step, SetPassword) and _is(step.credential.account, reached_as):
            raise Refused(
                f"Keyturn's own database is reached with {step.credential.account}: changed in place, it would shut "
                "Keyturn out",
                hint="give it the role generic/shared-service, so that a second account takes over first",
            )


def refuse_own_store_loss(account: AnyAccount, reached_as: str | None, doing: str) -> None:
    if _is(account, reached_as):
        raise Refused(
            f"{doing} {account} is refused: Keyturn's own database is reached with it",
            hint=f"keyturn account rotate '{account}' lets a second account take over",
        )


def _is(account: AnyAccount, sid: str | None) -> bool:
    return sid is not None and isinstance(account, Account) and account.sid == sid


def _listed(estate: Estate, name: str) -> ManagedAccount | None:
    try:
        return estate.managed(name)
    except NotFound:
        return None
