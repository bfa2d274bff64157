"""What a plan does to holders: it publishes, reads their uptake, and frees the places of silent ones."""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, or_, select, update

from keyturn.adapters.store import account_rows, escrow_events, holding_rows, plan_rows, sightings
from keyturn.adapters.store.schema import holders, holdings
from keyturn.adapters.store.tenure import LeasedPart
from keyturn.lifecycle.ports import Holdings, Uptake
from keyturn.model.accounts import AnyAccount, Credential
from keyturn.model.estate import AccountLife

_HOLDERS = holdings.join(holders, holdings.c.holder_key == holders.c.holder_key)


class LeasedHoldings(LeasedPart, Holdings):
    # The parameter `holders` of the port hides the table of that name inside `publish` alone.
    def publish(self, credential: Credential, holders: Collection[str], at_once: int) -> None:
        """The pace said last holds for everybody. A holder that dropped the account begins anew."""
        with self._tenure.writing() as connection:
            key = account_rows.known(connection, credential.account).key
            holding_rows.set_pace(connection, key, credential.generation, at_once)
            holding_rows.publish(connection, key, credential.generation, holders, self._database.now())

    def uptake(self, credential: Credential) -> Uptake:
        with self._database.reading() as connection:
            row = account_rows.find(connection, credential.account)
            if row is None:
                return Uptake()
            told = connection.execute(_told(), {"key": row.key, "number": credential.generation}).all()
        return Uptake(
            proven=frozenset(holder.name for holder in told if holder.refused_at is None),
            refused=frozenset(holder.name for holder in told if holder.refused_at is not None),
        )

    def holders(self, account: AnyAccount) -> frozenset[str]:
        with self._database.reading() as connection:
            row = account_rows.find(connection, account)
            key = row.key if row else None
            still = (holdings.c.account_id == key, holdings.c.dropped_at.is_(None))
            names = connection.execute(select(holders.c.name).select_from(_HOLDERS).where(*still)).scalars()
            return frozenset(names) | (sightings.strangers(connection, row.key) if row else frozenset())

    def reclaim(self, credential: Credential, *, offered_before: float) -> None:
        with self._tenure.writing() as connection:
            key = account_rows.known(connection, credential.account).key
            silent = (
                *holding_rows.of(key, credential.generation),
                holdings.c.offered_at < offered_before,
                holdings.c.proven_at.is_(None),
                holdings.c.refused_at.is_(None),
            )
            connection.execute(update(holdings).where(*silent).values(offered_at=None))

    def released(self) -> frozenset[str]:
        with self._database.reading() as connection:
            return frozenset(plan_rows.released_from(connection, self._plan_id))

    def become(self, account: AnyAccount, life: AccountLife) -> None:
        with self._tenure.writing() as connection:
            row = account_rows.known(connection, account)
            account_rows.change(connection, row.key, life=life)
            if life in (AccountLife.DISABLED, AccountLife.DELETED):
                escrow_events.tell_void_papers(self._database, connection, row.account, live=None)


@cache
def _told() -> Select[Any]:
    """Who has said of a credential that it works, or does not."""
    of_credential = (holdings.c.account_id == bindparam("key"), holdings.c.generation == bindparam("number"))
    said = or_(holdings.c.proven_at.is_not(None), holdings.c.refused_at.is_not(None))
    return (
        select(holders.c.name, holdings.c.refused_at)
        .select_from(_HOLDERS)
        .where(*of_credential, said, holdings.c.dropped_at.is_(None))
    )
