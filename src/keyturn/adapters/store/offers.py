"""What a holder is offered, takes, proves, is refused and drops."""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, exists, func, or_, select, update

from keyturn.adapters.store import account_rows, holding_rows
from keyturn.adapters.store.database import Part
from keyturn.adapters.store.generation_rows import GenerationState
from keyturn.adapters.store.schema import accounts, generations, holdings, publications
from keyturn.model.accounts import Account, AnyAccount, Credential, canonical
from keyturn.model.estate import AccountLife, Proof
from keyturn.model.logon import Answer
from keyturn.operations.ports import Doubt, Offer

_HANDED_OUT = (AccountLife.PLANNED, AccountLife.ACTIVE)

_PROVEN = holdings.c.proven_at.is_not(None)
_REFUSED = holdings.c.refused_at.is_not(None)
_STILL_HELD = holdings.c.dropped_at.is_(None)

_OCCUPIED = _STILL_HELD & or_(holdings.c.offered_at.is_not(None) & ~_PROVEN, _REFUSED)
"""A place is occupied by whoever took the credential and has not proven it. A refused holder stays in its place,
since its attempt may have been a bad one."""


_IS_LIVE = generations.c.state == GenerationState.LIVE
_others = holdings.alias("others")
_DOUBTED = exists().where(
    _others.c.account_id == generations.c.account_id,
    _others.c.generation == generations.c.generation,
    _others.c.refused_at > func.coalesce(generations.c.trusted_at, 0),
)


class SqlOffers(Part):
    def offer(self, credential: Credential, holders: Collection[str], at_once: int) -> None:
        """The pace of a plan that publishes the same credential holds on: its canary is not overtaken."""
        with self._database.writing() as connection:
            key = account_rows.known(connection, credential.account).key
            if not holding_rows.paced(connection, key, credential.generation):
                holding_rows.set_pace(connection, key, credential.generation, at_once)
            holding_rows.publish(connection, key, credential.generation, holders, self._database.now())

    def offers(self, name: str) -> tuple[Offer, ...]:
        """One for each account ever published to the holder and not dropped, by name."""
        with self._database.reading() as connection:
            return tuple(_offer(row) for row in connection.execute(_offers_query(), {"holder": canonical(name)}))

    def take(self, name: str, credential: Credential, now: float) -> bool:
        """Nobody is given an account that is withdrawn."""
        with self._database.writing() as connection:
            row = _find(connection, name, credential)
            if row is None or row.dropped_at is not None or row.life not in _HANDED_OUT:
                return False
            if row.offered_at is not None or row.proven_at is not None:
                return True
            of_credential = holding_rows.of(row.account_id, credential.generation)
            # Locked where the database has no single writer, so that two cannot count the same place as free.
            this = (publications.c.account_id == row.account_id, publications.c.generation == credential.generation)
            at_once = connection.execute(select(publications.c.at_once).where(*this).with_for_update()).scalar_one()
            occupied = select(func.count()).select_from(holdings).where(*of_credential, _OCCUPIED)
            if connection.execute(occupied).scalar_one() >= at_once:
                return False
            _change(connection, row, offered_at=now)
            return True

    def prove(self, name: str, credential: Credential, proof: Proof, now: float) -> bool:
        """An observed logon says more than a reported one and is not replaced by it. A holder that had dropped the
        account evidently has it again."""
        with self._database.writing() as connection:
            row = _find(connection, name, credential)
            if row is None:
                return False
            if (row.refused_at, row.dropped_at, row.pardoned_at) != (None, None, None):
                _change(connection, row, refused_at=None, answer=None, dropped_at=None, pardoned_at=None)
            if row.proof is None or (row.proof == Proof.REPORTED and proof is Proof.OBSERVED):
                _change(connection, row, proof=proof, proven_at=now)
            return True

    def refuse(self, name: str, credential: Credential, answer: Answer, now: float) -> bool:
        with self._database.writing() as connection:
            row = _find(connection, name, credential)
            if row is None:
                return False
            _change(connection, row, refused_at=now, answer=answer, pardoned_at=None)
            return True

    def readmit(self, name: str, now: float) -> None:
        with self._database.writing() as connection:
            holding_rows.forget_refusals(connection, now, holdings.c.holder_key == canonical(name))

    def doubted(self) -> tuple[Doubt, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(accounts, generations).join(generations).where(_IS_LIVE, _DOUBTED))
            return tuple(
                Doubt(Credential(account, row.generation), account, row.version)
                for row in rows
                if isinstance(account := account_rows.named(row.realm, row.sid, row.name), Account)
            )

    def trust(self, credential: Credential, now: float) -> None:
        with self._database.writing() as connection:
            key = account_rows.known(connection, credential.account).key
            this = (generations.c.account_id == key, generations.c.generation == credential.generation)
            connection.execute(update(generations).where(*this).values(trusted_at=now))

    def dropped(self, name: str, account: AnyAccount, now: float) -> None:
        with self._database.writing() as connection:
            row = account_rows.known(connection, account)
            its_own = (holdings.c.account_id == row.key, holdings.c.holder_key == canonical(name), _STILL_HELD)
            connection.execute(update(holdings).where(*its_own).values(dropped_at=now))


@cache
def _offers_query() -> Select[Any]:
    generation = holdings.c.generation
    newest = (
        select(
            holdings.c.account_id,
            func.max(generation).label("published"),
            func.max(case((_PROVEN & ~_REFUSED, generation))).label("proven"),
            func.max(case((_REFUSED, generation))).label("refused"),
            func.max(case((holdings.c.pardoned_at.is_not(None), generation))).label("pardoned"),
        )
        .where(holdings.c.holder_key == bindparam("holder"), _STILL_HELD)
        .group_by(holdings.c.account_id)
        .subquery()
    )
    its = generations.c.account_id == accounts.c.account_id
    live = select(generations.c.generation).where(its, _IS_LIVE)
    doubted = exists().where(its, _IS_LIVE, _DOUBTED)
    undecided = exists().where(its, generations.c.state == GenerationState.UNDECIDED)
    return (
        select(
            accounts,
            newest,
            live.scalar_subquery().label("live"),
            undecided.label("undecided"),
            doubted.label("doubted"),
        )
        .join(newest, newest.c.account_id == accounts.c.account_id)
        .order_by(accounts.c.realm_key, accounts.c.name_key)
    )


def _find(connection: Connection, name: str, credential: Credential) -> Row[Any] | None:
    """The holding, with the life of its account."""
    account = account_rows.find(connection, credential.account)
    if account is None:
        return None
    this = (*holding_rows.of(account.key, credential.generation), holdings.c.holder_key == canonical(name))
    joined = select(holdings, accounts.c.life).join(accounts, accounts.c.account_id == holdings.c.account_id)
    return connection.execute(joined.where(*this)).one_or_none()


def _change(connection: Connection, row: Row[Any], **values: object) -> None:
    this = (*holding_rows.of(row.account_id, row.generation), holdings.c.holder_key == row.holder_key)
    connection.execute(update(holdings).where(*this).values(**values))


def _offer(row: Row[Any]) -> Offer:
    return Offer(
        account=account_rows.named(row.realm, row.sid, row.name),
        life=AccountLife(row.life),
        live=row.live,
        undecided=bool(row.undecided),
        published=row.published,
        proven=row.proven,
        refused=row.refused,
        doubted=bool(row.doubted),
        pardoned=row.pardoned is not None and row.pardoned == row.published,
    )
