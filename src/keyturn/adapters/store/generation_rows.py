"""The generations of an account: undecided when sealed, then live, then previous. None is ever deleted.

undecided → live → previous
undecided → abandoned, once another password is proven live
The schema itself holds the two rules that matter most: one undecided candidate an account, and one live generation.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Insert, Row, Select, Update, bindparam, case, func, insert, select, update

from keyturn.adapters.store import account_rows, escrow_events
from keyturn.adapters.store.account_rows import Known
from keyturn.adapters.store.cipher import Cipher, Place, Purpose
from keyturn.adapters.store.database import Database
from keyturn.adapters.store.schema import accounts, generations
from keyturn.lifecycle.ports import Sealed
from keyturn.model.accounts import AnyAccount, Credential
from keyturn.model.errors import NotFound, Refused
from keyturn.model.secret import Secret


class GenerationState(StrEnum):
    UNDECIDED = "undecided"
    """Sealed; whether the realm has taken it is not known."""
    LIVE = "live"
    PREVIOUS = "previous"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of `generations`. `plan_id` None: adopted. `promoted_at` None: never proven live."""

    account_id: str
    generation: int
    state: GenerationState
    replica: str
    version_before: int
    plan_id: str | None
    promoted_at: float | None
    version: int | None
    sealed: bytes
    envelope: bytes

    def open(self, cipher: Cipher, account: AnyAccount) -> Secret:
        """Raises Tampered, naming account and generation."""
        place = _place(self.account_id, self.generation, self.plan_id)
        return cipher.open(place, self.sealed, f"{account} generation {self.generation}")


def get(connection: Connection, row: Known, generation: int) -> Kept:
    kept = find(connection, row.key, generation)
    if kept is None:
        raise NotFound(f"{row.account} generation {generation} was never sealed")
    return kept


def of(connection: Connection, credential: Credential) -> Kept | None:
    """As `find`, for the account as it is named."""
    column, whose = account_rows.told_by(credential.account)
    row = connection.execute(_of(column), {**whose, "number": credential.generation}).one_or_none()
    return _kept(row) if row else None


def find(connection: Connection, key: str, generation: int) -> Kept | None:
    return _one(connection, key, generations.c.generation, generation)


def undecided(connection: Connection, key: str) -> Kept | None:
    return _one(connection, key, generations.c.state, GenerationState.UNDECIDED)


def live(connection: Connection, key: str) -> Kept | None:
    return _one(connection, key, generations.c.state, GenerationState.LIVE)


def newest(connection: Connection, key: str) -> int:
    """The highest number ever sealed, 0 if none."""
    highest = select(func.max(generations.c.generation)).where(generations.c.account_id == key)
    return connection.execute(highest).scalar_one() or 0


def of_unknown_fate(row: Known, candidate: Kept) -> Refused:
    """A second candidate beside this one could leave neither of the two known to be live."""
    return Refused(
        f"whether {row.account} generation {candidate.generation} is live is not known yet",
        hint=f"keyturn plan resume {candidate.plan_id}",
    )


def keep(
    database: Database,
    connection: Connection,
    key: str,
    sealed: Sealed,
    secret: Secret,
    *,
    envelope: bytes,
    plan_id: str | None,
) -> None:
    """Write an undecided candidate, its envelope, and the event with its digest. `plan_id` None: adopted."""
    generation = sealed.credential.generation
    row = {
        "account_id": key,
        "generation": generation,
        "state": GenerationState.UNDECIDED,
        "replica": sealed.replica,
        "version_before": sealed.version_before,
        "plan_id": plan_id,
        "sealed_at": database.now(),
        "sealed": database.cipher.seal(_place(key, generation, plan_id), secret),
        "envelope": envelope,
    }
    connection.execute(_row(), row)
    actor = f"plan {plan_id}" if plan_id else "keyturn"
    escrow_events.tell_sealed(database, connection, actor, sealed.credential.account, generation, envelope)


def replace_envelope(connection: Connection, key: str, generation: int, envelope: bytes) -> None:
    this = (generations.c.account_id == key, generations.c.generation == generation)
    connection.execute(update(generations).where(*this).values(envelope=envelope))


def make_live(connection: Connection, key: str, generation: int, version: int, now: float) -> None:
    """The generation before it becomes the previous one. What is live already keeps the moment of its promotion."""
    this = {"key": key, "this": generation}
    connection.execute(_overtake(), this)
    connection.execute(_promote(), {**this, "proven_under": version, "now": now})


def abandon(connection: Connection, kept: Kept) -> None:
    """Another password was proven live, so this one is not. It stays openable."""
    connection.execute(
        update(generations)
        .where(generations.c.account_id == kept.account_id, generations.c.generation == kept.generation)
        .values(state=GenerationState.ABANDONED)
    )


@cache
def _row() -> Insert:
    return insert(generations)


@cache
def _overtake() -> Update:
    """One live generation an account, which the schema holds to: so the old one gives way first."""
    live_others = (generations.c.generation != bindparam("this"), generations.c.state == GenerationState.LIVE)
    of_account = generations.c.account_id == bindparam("key")
    return update(generations).where(of_account, *live_others).values(state=GenerationState.PREVIOUS)


@cache
def _promote() -> Update:
    promoted_at = case((generations.c.state == GenerationState.LIVE, generations.c.promoted_at), else_=bindparam("now"))
    return (
        update(generations)
        .where(generations.c.account_id == bindparam("key"), generations.c.generation == bindparam("this"))
        .values(state=GenerationState.LIVE, promoted_at=promoted_at, version=bindparam("proven_under"))
    )


def _one(connection: Connection, key: str, column: Column[Any], value: object) -> Kept | None:
    row = connection.execute(_by(column), {"key": key, "value": value}).one_or_none()
    return _kept(row) if row else None


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        row.account_id,
        row.generation,
        GenerationState(row.state),
        row.replica,
        row.version_before,
        row.plan_id,
        row.promoted_at,
        row.version,
        row.sealed,
        row.envelope,
    )


@cache
def _by(column: Column[Any]) -> Select[Any]:
    return select(generations).where(generations.c.account_id == bindparam("key"), column == bindparam("value"))


@cache
def _of(column: Column[str]) -> Select[Any]:
    whose = (accounts.c.realm_key == bindparam("realm"), column == bindparam("its_own"))
    this = generations.c.generation == bindparam("number")
    return select(generations).join(accounts, accounts.c.account_id == generations.c.account_id).where(*whose, this)


def _place(key: str, generation: int, plan_id: str | None) -> Place:
    return Place(Purpose.GENERATION, key, generation, plan_id or "")
