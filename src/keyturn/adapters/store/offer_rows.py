"""What is offered to holders, read for many of them at once."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, exists, func, select

from keyturn.adapters.store import account_rows
from keyturn.adapters.store.generation_rows import GenerationState
from keyturn.adapters.store.schema import accounts, generations, holdings
from keyturn.model.accounts import AnyAccount
from keyturn.model.estate import AccountLife
from keyturn.operations.client_ports import Offer

PROVEN = holdings.c.proven_at.is_not(None)
REFUSED = holdings.c.refused_at.is_not(None)
STILL_HELD = holdings.c.dropped_at.is_(None)

IS_LIVE = generations.c.state == GenerationState.LIVE
_others = holdings.alias("others")
DOUBTED = exists().where(
    _others.c.account_id == generations.c.account_id,
    _others.c.generation == generations.c.generation,
    _others.c.refused_at > func.coalesce(generations.c.trusted_at, 0),
)


def of_holders(connection: Connection, holders: Sequence[str]) -> dict[str, tuple[Offer, ...]]:
    """By holder, in the order of the accounts' names. What is true of an account is found out once for all of them."""
    of_account: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(_standing(), {"holders": list(holders)}):
        of_account[row.account_id].append(row)
    found: dict[str, list[Offer]] = {holder: [] for holder in holders}
    if of_account:
        for row in connection.execute(_concerning(), {"accounts": list(of_account)}):
            account, life = account_rows.named(row.realm, row.sid, row.name), AccountLife(row.life)
            for theirs in of_account[row.account_id]:
                found[theirs.holder_key].append(_offer(account, life, row, theirs))
    return {holder: tuple(offers) for holder, offers in found.items()}


def _offer(account: AnyAccount, life: AccountLife, row: Row[Any], theirs: Row[Any]) -> Offer:
    return Offer(
        account=account,
        life=life,
        live=row.live,
        undecided=bool(row.undecided),
        published=theirs.published,
        proven=theirs.proven,
        refused=theirs.refused,
        doubted=bool(row.doubted),
        pardoned=theirs.pardoned is not None and theirs.pardoned == theirs.published,
    )


@cache
def _standing() -> Select[Any]:
    """A row for each holder and account: the newest generation of each kind."""
    generation = holdings.c.generation
    return (
        select(
            holdings.c.holder_key,
            holdings.c.account_id,
            func.max(generation).label("published"),
            func.max(case((PROVEN & ~REFUSED, generation))).label("proven"),
            func.max(case((REFUSED, generation))).label("refused"),
            func.max(case((holdings.c.pardoned_at.is_not(None), generation))).label("pardoned"),
        )
        .where(holdings.c.holder_key.in_(bindparam("holders", expanding=True)), STILL_HELD)
        .group_by(holdings.c.holder_key, holdings.c.account_id)
    )


@cache
def _concerning() -> Select[Any]:
    its = generations.c.account_id == accounts.c.account_id
    undecided = exists().where(its, generations.c.state == GenerationState.UNDECIDED)
    return (
        select(
            accounts,
            select(generations.c.generation).where(its, IS_LIVE).scalar_subquery().label("live"),
            undecided.label("undecided"),
            exists().where(its, IS_LIVE, DOUBTED).label("doubted"),
        )
        .where(accounts.c.account_id.in_(bindparam("accounts", expanding=True)))
        .order_by(accounts.c.realm_key, accounts.c.name_key)
    )
