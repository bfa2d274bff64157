"""What a holder is offered, takes, proves, is refused and drops."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from keyturn.adapters.store import account_rows, holding_rows, offer_rows
from keyturn.adapters.store.database import Part
from keyturn.adapters.store.offer_rows import DOUBTED, IS_LIVE, PROVEN, REFUSED, STILL_HELD
from keyturn.adapters.store.schema import accounts, generations, holdings, publications
from keyturn.model.accounts import Account, AnyAccount, Credential, canonical
from keyturn.model.estate import AccountLife, Proof
from keyturn.model.logon import Answer
from keyturn.operations.client_ports import Doubt, Offer

_HANDED_OUT = (AccountLife.PLANNED, AccountLife.ACTIVE)

_OCCUPIED = STILL_HELD & or_(holdings.c.offered_at.is_not(None) & ~PROVEN, REFUSED)
"""A place is occupied by whoever took the credential and has not proven it. A refused holder stays in its place,
since its attempt may have been a bad one."""


_WEIGHT = {Proof.CONFIRMED: 0, Proof.REPORTED: 1, Proof.OBSERVED: 2}


class SqlOffers(Part):
    def offer(self, credential: Credential, holders: Collection[str], at_once: int) -> None:
        """The pace of a plan that publishes the same credential holds on: its canary is not overtaken."""
        with self._database.writing() as connection:
            key = account_rows.known(connection, credential.account).key
            if not holding_rows.paced(connection, key, credential.generation):
                holding_rows.set_pace(connection, key, credential.generation, at_once)
            holding_rows.publish(connection, key, credential.generation, holders, self._database.now())

    def offers(self, name: str) -> tuple[Offer, ...]:
        return self.offers_to([name])[name]

    def offers_to(self, names: Collection[str]) -> dict[str, tuple[Offer, ...]]:
        """One for each account ever published to the holder and not dropped, by the account's name."""
        keys = {name: canonical(name) for name in names}
        with self._database.reading() as connection:
            found = offer_rows.of_holders(connection, list(keys.values()))
        return {name: found[key] for name, key in keys.items()}

    def take(self, credential: Credential, names: Collection[str], now: float) -> frozenset[str]:
        """Nobody is given an account that is withdrawn."""
        with self._database.writing() as connection:
            account = account_rows.find(connection, credential.account)
            if account is None:
                return frozenset()
            placed = _take(connection, account.key, credential.generation, [canonical(name) for name in names], now)
        return frozenset(name for name in names if canonical(name) in placed)

    def prove(self, name: str, credential: Credential, proof: Proof, now: float) -> bool:
        """A logon says more than a person's word, and an observed one more than a reported one. A holder that had
        dropped the account evidently has it again."""
        with self._database.writing() as connection:
            row = _find(connection, name, credential)
            if row is None:
                return False
            if (row.refused_at, row.dropped_at, row.pardoned_at) != (None, None, None):
                _change(connection, row, refused_at=None, answer=None, dropped_at=None, pardoned_at=None)
            if row.proof is None or _WEIGHT[proof] > _WEIGHT[Proof(row.proof)]:
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
            rows = connection.execute(select(accounts, generations).join(generations).where(IS_LIVE, DOUBTED))
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

    def dropped(self, account: AnyAccount, names: Collection[str], now: float) -> None:
        with self._database.writing() as connection:
            row = account_rows.known(connection, account)
            theirs = holdings.c.holder_key.in_([canonical(name) for name in names])
            held = (holdings.c.account_id == row.key, theirs, STILL_HELD)
            connection.execute(update(holdings).where(*held).values(dropped_at=now))


def _take(connection: Connection, key: str, generation: int, holders: Sequence[str], now: float) -> set[str]:
    """Those of the holders that have a place now, or had one and proved it."""
    theirs = (*holding_rows.of(key, generation), holdings.c.holder_key.in_(holders), STILL_HELD)
    handed_out = accounts.c.life.in_(_HANDED_OUT)
    tried = or_(holdings.c.offered_at.is_not(None), PROVEN)
    query = select(holdings.c.holder_key, tried.label("tried")).join(accounts, accounts.c.account_id == key)
    found = {row.holder_key: row.tried for row in connection.execute(query.where(*theirs, handed_out))}
    new = [holder for holder in dict.fromkeys(holders) if holder in found and not found[holder]]
    placed = new[: _free(connection, key, generation)] if new else []
    if placed:
        these = (*holding_rows.of(key, generation), holdings.c.holder_key.in_(placed))
        connection.execute(update(holdings).where(*these).values(offered_at=now))
    return {*placed, *(holder for holder in found if found[holder])}


def _free(connection: Connection, key: str, generation: int) -> int:
    this = (publications.c.account_id == key, publications.c.generation == generation)
    at_once: int = connection.execute(select(publications.c.at_once).where(*this)).scalar_one()
    occupied = select(func.count()).select_from(holdings).where(*holding_rows.of(key, generation), _OCCUPIED)
    return max(0, at_once - connection.execute(occupied).scalar_one())


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
