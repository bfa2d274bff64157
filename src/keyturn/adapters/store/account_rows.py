"""The rows of accounts: found by identity or by name, added, given an identity."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Update, and_, bindparam, insert, select, update

from keyturn.adapters.store.schema import METADATA, accounts
from keyturn.model.accounts import Account, AccountToBe, AnyAccount, RealmName, RoleName, canonical
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import AccountLife, SiteCode


@dataclass(frozen=True, slots=True)
class Known:
    """A row. `key` never changes, whatever becomes of the name. `role` None: a plan that is not approved names it."""

    key: str
    account: AnyAccount
    role: RoleName | None


def find(connection: Connection, account: AnyAccount) -> Known | None:
    """An `Account` by its identity alone, an `AccountToBe` by its name, whether it has an identity by now or not."""
    column, whose = told_by(account)
    return _known(connection.execute(_by(column), whose).one_or_none())


def succeeded_by(connection: Connection, key: str) -> Known | None:
    """The account that this one has taken over from."""
    return _known(connection.execute(select(accounts).where(accounts.c.successor_id == key).limit(1)).first())


def _known(row: Any) -> Known | None:
    return None if row is None else Known(row.account_id, named(row.realm, row.sid, row.name), row.role)


def told_by(account: AnyAccount) -> tuple[Column[str], dict[str, str]]:
    """The column that tells the account among those of `realm`, and what stands there."""
    realm = canonical(account.realm)
    if isinstance(account, Account):
        return accounts.c.sid, {"realm": realm, "its_own": account.sid}
    return accounts.c.name_key, {"realm": realm, "its_own": canonical(account.name)}


@cache
def _by(column: Column[str]) -> Select[Any]:
    return select(accounts).where(accounts.c.realm_key == bindparam("realm"), column == bindparam("its_own"))


def known(connection: Connection, account: AnyAccount) -> Known:
    row = find(connection, account)
    if row is None:
        raise NotFound(f"no account {account} in the store", hint="keyturn account list")
    return row


def named(realm: str, sid: str | None, name: str) -> AnyAccount:
    return AccountToBe(RealmName(realm), name) if sid is None else Account(RealmName(realm), sid, name)


def add(
    connection: Connection,
    key: str,
    account: AnyAccount,
    *,
    role: RoleName | None = None,
    sites: Sequence[SiteCode] = (),
    life: AccountLife = AccountLife.PLANNED,
    created_at: float = 0,
    made_by: str | None = None,
) -> Known:
    connection.execute(
        insert(accounts).values(
            account_id=key,
            realm=account.realm,
            realm_key=canonical(account.realm),
            name=account.name,
            name_key=canonical(account.name),
            sid=account.sid if isinstance(account, Account) else None,
            role=role,
            sites=sites_text(sites),
            life=life,
            created_at=created_at,
            made_by=made_by,
        )
    )
    return Known(key, account, role)


def change(connection: Connection, key: str, **values: object) -> None:
    connection.execute(_change(), {"key": key, **values})


@cache
def _change() -> Update:
    return update(accounts).where(accounts.c.account_id == bindparam("key"))


def identify(connection: Connection, account: Account) -> Known:
    """Give the account of that name its identity, unless it is known already. Refused if it has another one."""
    return find(connection, account) or settle(connection, AccountToBe(account.realm, account.name), account)


def settle(connection: Connection, named_so: AnyAccount, account: Account) -> Known:
    """The row of `named_so` is `account` from here on, and in its realm. Saying it again changes nothing."""
    row = known(connection, named_so)
    if isinstance(row.account, Account) and row.account.sid == account.sid:
        return row
    if isinstance(row.account, Account) or find(connection, account):
        raise Refused(
            f"{named_so} is known as another identity than the {account} found in its realm",
            hint="an account that was deleted and made anew, or renamed, is a new account: give it a name of its own",
        )
    change(connection, row.key, sid=account.sid)
    planned = (accounts.c.account_id == row.key, accounts.c.life == AccountLife.PLANNED)
    connection.execute(update(accounts).where(*planned).values(life=AccountLife.ACTIVE))
    return Known(row.key, account, row.role)


def unreferenced() -> ColumnElement[bool]:
    """True of the accounts that no other row speaks of."""
    speaking = [c for table in METADATA.tables.values() for c in table.columns if c.references(accounts.c.account_id)]
    return and_(*(accounts.c.account_id.not_in(select(c).where(c.is_not(None))) for c in speaking))


def sites_text(sites: Sequence[SiteCode]) -> str:
    return json.dumps(list(sites))


@cache
def sites_of(text: str) -> tuple[SiteCode, ...]:
    return tuple(SiteCode(code) for code in json.loads(text))
