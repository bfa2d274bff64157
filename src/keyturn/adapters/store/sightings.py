"""Who was seen using an account, or is set up to: what directories and machines say, added to by each that is read."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from keyturn.adapters.store import account_rows
from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema import holders, holdings, sightings
from keyturn.model.accounts import AnyAccount, canonical
from keyturn.model.estate import Sighted
from keyturn.operations.ports import Sightings


class SqlSightings(Part, Sightings):
    def see(self, account: AnyAccount, seen: Sequence[Sighted]) -> None:
        with self._database.writing() as connection:
            key = account_rows.known(connection, account).key
            for one in seen:
                _add(connection, key, one)


def _add(connection: Connection, key: str, one: Sighted) -> None:
    """The same record read again changes nothing: the larger counts are kept, they are not added up. Of places only
    the last that were told: a file changes, and its lines move."""
    this = (sightings.c.account_id == key, sightings.c.source_key == canonical(one.source))
    known = connection.execute(select(sightings).where(*this)).one_or_none()
    if known is None:
        values = {"account_id": key, "source_key": canonical(one.source), "source": one.source, "how": one.how}
        times = {"first_at": one.first_at, "last_at": one.last_at, "accepted": one.accepted, "wrong": one.wrong}
        connection.execute(insert(sightings).values(**values, **times, places="\n".join(one.places)))
        return
    connection.execute(
        update(sightings)
        .where(*this)
        .values(
            first_at=min(known.first_at, one.first_at),
            last_at=max(known.last_at, one.last_at),
            accepted=max(known.accepted, one.accepted),
            wrong=max(known.wrong, one.wrong),
            how=_both(known.how, one.how),
            places="\n".join(one.places) or known.places,
        )
    )


def _both(known: str, told: str) -> str:
    return ", ".join(sorted({word for words in (known, told) for word in words.split(", ") if word}))


def seen(connection: Connection) -> dict[str, list[Sighted]]:
    """All of them, by the key of the account's row."""
    found: dict[str, list[Sighted]] = {}
    for row in connection.execute(_seen()):
        found.setdefault(row.account_id, []).append(_sighted(row))
    return found


@cache
def _seen() -> Select[Any]:
    return select(sightings).order_by(sightings.c.account_id, sightings.c.source_key)


def strangers(connection: Connection, key: str) -> frozenset[str]:
    """Sources that were let in with the account and never were its holders."""
    held: Select[tuple[str]] = select(holders.c.holder_key).join(
        holdings, holdings.c.holder_key == holders.c.holder_key
    )
    theirs = held.where(holdings.c.account_id == key)
    let_in = (sightings.c.account_id == key, sightings.c.accepted > 0, sightings.c.source_key.not_in(theirs))
    return frozenset(connection.execute(select(sightings.c.source).where(*let_in)).scalars())


def _sighted(row: Row[tuple[object, ...]]) -> Sighted:
    return Sighted(
        row.source,
        row.first_at,
        row.last_at,
        row.accepted,
        row.wrong,
        row.how,
        tuple(filter(None, row.places.split("\n"))),
    )
