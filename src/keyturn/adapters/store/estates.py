"""The estate: the file as imported last, joined with what has become of its accounts since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select

from keyturn.adapters.store import account_rows, sightings
from keyturn.adapters.store.database import Part
from keyturn.adapters.store.generation_rows import GenerationState
from keyturn.adapters.store.plan_json import from_json, to_json
from keyturn.adapters.store.schema import accounts, generations, holders, holdings, imports
from keyturn.model.accounts import Account, AccountToBe, AnyAccount, RoleName, canonical
from keyturn.model.errors import NotFound
from keyturn.model.estate import AccountLife, Estate, Holding, ManagedAccount, Proof, Sighted
from keyturn.operations.ports import Estates


class SqlEstates(Part, Estates):
    _imported: "_Import | None" = None

    def estate(self) -> Estate:
        """Accounts in the order of the file, then those that Keyturn made or the file no longer has, by name."""
        with self._database.reading() as connection:
            last = self._last_import(connection)
            managed = _managed(connection, sightings.seen(connection))
            proven = _proven(connection)
        return replace(last.document, accounts=last.in_order(managed), holdings=proven)

    def outline(self) -> Estate:
        with self._database.reading() as connection:
            last = self._last_import(connection)
            return replace(last.document, accounts=last.in_order(_managed(connection, {})))

    def document(self) -> Estate:
        with self._database.reading() as connection:
            return self._last_import(connection).document

    def edition(self) -> int:
        with self._database.reading() as connection:
            return connection.execute(_edition()).scalar() or 0

    def named(self, name: str) -> ManagedAccount:
        realm, _, rest = name.replace("/", "\\").partition("\\")
        is_it = (accounts.c.realm_key == canonical(realm), accounts.c.name_key == canonical(rest))
        with self._database.reading() as connection:
            found = _managed(connection, sightings.seen(connection), *is_it)
        if not found:
            raise NotFound(f"no account {name} in the estate", hint="keyturn account list")
        return found[0]

    def text(self) -> str:
        with self._database.reading() as connection:
            return connection.execute(select(imports.c.text).order_by(imports.c.number.desc()).limit(1)).scalar() or ""

    def replace(self, text: str, estate: Estate, by: str) -> None:
        """An account that is no longer in the file stays while anything is known of it, with the role it had."""
        document = to_json(replace(estate, holdings=()))
        with self._database.writing() as connection:
            values = {"at": self._database.now(), "imported_by": by, "text": text, "estate": document}
            connection.execute(insert(imports).values(values))
            listed = {self._take_in(connection, managed) for managed in estate.accounts}
            forgettable = select(accounts.c.account_id).where(accounts.c.sid.is_(None), account_rows.unreferenced())
            for key in set(connection.execute(forgettable).scalars()) - listed:
                connection.execute(delete(accounts).where(accounts.c.account_id == key))

    def _take_in(self, connection: Connection, managed: ManagedAccount) -> str:
        """The key of its row, which keeps identity, life and generations if there was one."""
        row = account_rows.find(connection, managed.account)
        if row is None and isinstance(managed.account, Account) and _named_alike(connection, managed.account):
            row = account_rows.identify(connection, managed.account)
        if row is None:
            key = self._database.new_id()
            account_rows.add(
                connection,
                key,
                managed.account,
                role=managed.role,
                sites=managed.sites,
                life=managed.life,
                created_at=managed.created_at,
            )
            return key
        sites = account_rows.sites_text(managed.sites)
        account_rows.change(connection, row.key, role=managed.role, sites=sites, made_by=None)
        return row.key

    def _last_import(self, connection: Connection) -> "_Import":
        """It is parsed once, as that takes seconds for a large fleet."""
        number = connection.execute(_edition()).scalar() or 0
        if self._imported is None or self._imported.number != number:
            text = connection.execute(select(imports.c.estate).where(imports.c.number == number)).scalar()
            document = from_json(text, Estate, "the estate") if text else Estate()
            self._imported = _Import(number, document)
        return self._imported

    def identify(self, account: Account) -> None:
        with self._database.writing() as connection:
            account_rows.identify(connection, account)

    def mark(self, account: AnyAccount, life: AccountLife) -> None:
        with self._database.writing() as connection:
            account_rows.change(connection, account_rows.known(connection, account).key, life=life)

    def predecessors(self, account: AnyAccount) -> tuple[AnyAccount, ...]:
        line: list[AnyAccount] = []
        with self._database.reading() as connection:
            row = account_rows.find(connection, account)
            while row is not None and row.account not in line:
                line.append(row.account)
                row = account_rows.succeeded_by(connection, row.key)
        return tuple(line[1:])

    def account(self, account: AnyAccount) -> ManagedAccount:
        with self._database.reading() as connection:
            row = account_rows.known(connection, account)
            found = _managed(connection, sightings.seen(connection), accounts.c.account_id == row.key)
        if not found:
            raise NotFound(f"{row.account} has no role yet: only an open plan names it", hint="keyturn plan list")
        return found[0]


class _Import:
    def __init__(self, number: int, document: Estate) -> None:
        self.number = number
        self.document = document
        self._places = {_name_key(entry.account): place for place, entry in enumerate(document.accounts)}

    def in_order(self, managed: Iterable[ManagedAccount]) -> tuple[ManagedAccount, ...]:
        """As in the file; those that it does not have follow by name."""
        return tuple(sorted(managed, key=self._place))

    def _place(self, managed: ManagedAccount) -> tuple[int, tuple[str, str]]:
        name = _name_key(managed.account)
        return self._places.get(name, len(self._places)), name


@cache
def _edition() -> Select[Any]:
    return select(func.max(imports.c.number))


def _managed(
    connection: Connection, seen: Mapping[str, Sequence[Sighted]], *which: ColumnElement[bool]
) -> list[ManagedAccount]:
    """The accounts that bear a role. `seen` by their keys."""
    query = _managed_query().where(*which) if which else _managed_query()
    return [_bearing(*row, seen=seen) for row in connection.execute(query)]


def _bearing(
    key: str,
    realm: str,
    sid: str | None,
    name: str,
    role: str,
    sites: str,
    life: str,
    created_at: float,
    generation: int | None,
    next_realm: str,
    next_sid: str | None,
    next_name: str | None,
    *,
    seen: Mapping[str, Sequence[Sighted]],
) -> ManagedAccount:
    """From a row by place: a dozen columns looked up by name would be half the time of reading a large estate."""
    return ManagedAccount(
        account=account_rows.named(realm, sid, name),
        role=RoleName(role),
        sites=account_rows.sites_of(sites),
        life=AccountLife(life),
        generation=generation,
        successor=account_rows.named(next_realm, next_sid, next_name) if next_name else None,
        created_at=created_at,
        sightings=tuple(seen.get(key, ())),
    )


@cache
def _managed_query() -> Select[Any]:
    its, successor = accounts.c, accounts.alias()
    its_live = (generations.c.account_id == its.account_id) & (generations.c.state == GenerationState.LIVE)
    return (
        select(
            *(its.account_id, its.realm, its.sid, its.name, its.role, its.sites, its.life, its.created_at),
            *(generations.c.generation, successor.c.realm, successor.c.sid, successor.c.name),
        )
        .outerjoin(generations, its_live)
        .outerjoin(successor, successor.c.account_id == its.successor_id)
        .where(its.role.is_not(None))
    )


def _proven(connection: Connection) -> tuple[Holding, ...]:
    return tuple(
        Holding(
            row.holder,
            account_rows.named(row.realm, row.sid, row.name),
            row.generation,
            Proof(row.proof),
            row.proven_at,
        )
        for row in connection.execute(_proven_query())
    )


@cache
def _proven_query() -> Select[Any]:
    """Of each holder and account the newest proven generation that it has not dropped or been refused since."""
    newest_first = func.row_number().over(
        partition_by=(holdings.c.account_id, holdings.c.holder_key), order_by=holdings.c.generation.desc()
    )
    proven = (
        select(holdings, newest_first.label("place"))
        .where(holdings.c.proven_at.is_not(None), holdings.c.refused_at.is_(None), holdings.c.dropped_at.is_(None))
        .subquery()
    )
    return (
        select(proven, accounts.c.realm, accounts.c.sid, accounts.c.name, holders.c.name.label("holder"))
        .join(accounts, accounts.c.account_id == proven.c.account_id)
        .join(holders, holders.c.holder_key == proven.c.holder_key)
        .where(proven.c.place == 1)
        .order_by(accounts.c.realm_key, accounts.c.name_key, proven.c.holder_key)
    )


def _named_alike(connection: Connection, account: AnyAccount) -> account_rows.Known | None:
    return account_rows.find(connection, AccountToBe(account.realm, account.name))


def _name_key(account: AnyAccount) -> tuple[str, str]:
    return canonical(account.realm), canonical(account.name)
