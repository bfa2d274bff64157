"""One open plan an account: a plan claims every account it touches, and what was handed in with it."""

from functools import cache

from sqlalchemy import Connection, Insert, Select, bindparam, delete, insert, select
from sqlalchemy.sql import dml

from keyturn.adapters.store import account_rows, generation_rows
from keyturn.adapters.store.cipher import Cipher, Place, Purpose
from keyturn.adapters.store.database import Database
from keyturn.adapters.store.schema import accounts, claims, generations, given
from keyturn.lifecycle.plan import (
    AwaitCanary,
    AwaitConvergence,
    AwaitQuiet,
    AwaitUptake,
    CopyRights,
    CreateAccount,
    Delete,
    Disable,
    ForgetIdentity,
    Plan,
    Publish,
    ReachWith,
    RecreateAccessPoint,
    ReinstallComponents,
    Seal,
    SetPassword,
    Step,
    StopComponents,
    VerifyPassword,
    Withdraw,
    WriteControlFile,
)
from keyturn.model.accounts import AccountToBe, AnyAccount, Credential
from keyturn.model.errors import NotFound, Refused
from keyturn.model.secret import Secret


def claim(database: Database, connection: Connection, plan_id: str, plan: Plan) -> None:
    """Refused while another open plan has one of the accounts, or left a candidate of unknown fate to one.

    Accounts that the plan will make are written down, without a role as yet. NotFound if its own account has none.
    """
    own = account_rows.known(connection, plan.account)
    if own.role is None:
        raise NotFound(f"no account {plan.account} in the estate", hint="keyturn account list")
    for account in touched(plan):
        row = account_rows.find(connection, account)
        if row is None:
            row = account_rows.add(connection, database.new_id(), account, made_by=plan_id)
        holder = claimed_by(connection, row.key)
        if holder == plan_id:
            continue  # the same account under another spelling
        if holder:
            raise Refused(f"{account} has an open plan", hint=f"keyturn plan show {holder}")
        candidate = generation_rows.undecided(connection, row.key)
        if candidate and candidate.plan_id != plan_id:
            raise generation_rows.of_unknown_fate(row, candidate)
        connection.execute(_claim(), {"account_id": row.key, "plan_id": plan_id})


def claimed_by(connection: Connection, key: str) -> str | None:
    """The open plan that has claimed the account."""
    return connection.execute(_claimed(), {"key": key}).scalar()


@cache
def _claimed() -> Select[str]:
    return select(claims.c.plan_id).where(claims.c.account_id == bindparam("key"))


@cache
def _claim() -> Insert:
    return insert(claims)


def touched(plan: Plan) -> tuple[AnyAccount, ...]:
    """The accounts whose passwords, rights or life the plan changes, or whose credential it hands out, and those that
    must stay as they are meanwhile. One that is made anew goes by its name: it changes its identity on the way."""
    steps = [planned.step for planned in plan.steps]
    gone = {step.account for step in steps if isinstance(step, ForgetIdentity)}
    found = (plan.account, *(account for step in steps if (account := _touched(step)) is not None), *plan.keeps)
    return tuple(dict.fromkeys(AccountToBe(each.realm, each.name) if each in gone else each for each in found))


def _touched(step: Step) -> AnyAccount | None:
    match step:
        case ReachWith(account=account):
            return account
        case Seal(credential) | SetPassword(credential) | AwaitConvergence(credential) | VerifyPassword(credential):
            return credential.account
        case Publish(credential) | AwaitCanary(credential) | AwaitUptake(credential):
            return credential.account
        case CreateAccount(account) | CopyRights(target=account) | Withdraw(account) | AwaitQuiet(account):
            return account
        case Disable(account) | Delete(account) | ForgetIdentity(account):
            return account
        case StopComponents() | WriteControlFile() | ReinstallComponents() | RecreateAccessPoint():
            return None


def bear_roles(connection: Connection, plan: Plan) -> None:
    """The accounts that an approved plan will make belong to the estate: its passwords follow their roles."""
    for step in (planned.step for planned in plan.steps):
        if isinstance(step, CreateAccount):
            row = account_rows.known(connection, step.account)
            if row.role is None:
                sites = account_rows.sites_text(step.sites)
                account_rows.change(connection, row.key, role=step.role, sites=sites)


def close(connection: Connection, plan_id: str) -> None:
    """Free the accounts of a plan that is open no longer.

    While a candidate of the plan is undecided the plan can be resumed, and keeps what was handed in with it.
    """
    whose = {"plan": plan_id}
    connection.execute(_its_claims(), whose)
    if not resumable(connection, plan_id):
        connection.execute(_given_with_it(), whose)
    connection.execute(_never_sealed(), whose)


def resumable(connection: Connection, plan_id: str) -> bool:
    """Whether an abandoned plan has a candidate of unknown fate, which only going on with it can settle."""
    return connection.execute(_candidates(), {"plan": plan_id}).first() is not None


@cache
def _its_claims() -> dml.Delete:
    return delete(claims).where(claims.c.plan_id == bindparam("plan"))


@cache
def _given_with_it() -> dml.Delete:
    return delete(given).where(given.c.plan_id == bindparam("plan"))


@cache
def _never_sealed() -> dml.Delete:
    return delete(accounts).where(accounts.c.made_by == bindparam("plan"), account_rows.unreferenced())


@cache
def _candidates() -> Select[int]:
    undecided = generations.c.state == generation_rows.GenerationState.UNDECIDED
    return select(generations.c.generation).where(generations.c.plan_id == bindparam("plan"), undecided)


def keep_given(connection: Connection, cipher: Cipher, plan_id: str, credential: Credential, secret: Secret) -> None:
    row = account_rows.known(connection, credential.account)
    place = Place(Purpose.GIVEN, row.key, credential.generation, plan_id)
    connection.execute(
        insert(given).values(
            plan_id=plan_id,
            account_id=row.key,
            generation=credential.generation,
            sealed=cipher.seal(place, secret),
        )
    )


def open_given(connection: Connection, cipher: Cipher, plan_id: str, credential: Credential) -> Secret | None:
    row = account_rows.known(connection, credential.account)
    this = {"plan": plan_id, "key": row.key, "number": credential.generation}
    sealed = connection.execute(_given(), this).scalar()
    if sealed is None:
        return None
    place = Place(Purpose.GIVEN, row.key, credential.generation, plan_id)
    return cipher.open(place, sealed, f"{credential}, as handed in")


@cache
def _given() -> Select[bytes]:
    this = (given.c.account_id == bindparam("key"), given.c.generation == bindparam("number"))
    return select(given.c.sealed).where(given.c.plan_id == bindparam("plan"), *this)
