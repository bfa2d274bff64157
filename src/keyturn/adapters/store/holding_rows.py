"""Rows of who holds which generation: published, taken, then proven or refused; in the end dropped.

The latest word of a holder stands: a proof takes a refusal back, and a refusal after a proof is seen.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, insert, select, update

from keyturn.adapters.store.schema import holders, holdings, publications
from keyturn.model.accounts import canonical

_MOST = 1000
"""Names in one statement: databases limit the parameters of one."""

ANEW = {
    "dropped_at": None,
    "offered_at": None,
    "proven_at": None,
    "proof": None,
    "refused_at": None,
    "answer": None,
    "pardoned_at": None,
}


def publish(connection: Connection, key: str, generation: int, names: Collection[str], now: float) -> None:
    """Offer to whoever is not offered it yet, or has dropped it since."""
    named = {canonical(name): name for name in names}
    _name(connection, named)
    before = select(holdings.c.holder_key, holdings.c.dropped_at).where(*of(key, generation))
    dropped_at = {row.holder_key: row.dropped_at for row in connection.execute(before)}
    common = {"account_id": key, "generation": generation, "published_at": now}
    new = [{"holder_key": holder, **common} for holder in named if holder not in dropped_at]
    if new:
        connection.execute(insert(holdings), new)
    again = [holder for holder in named if dropped_at.get(holder) is not None]
    for some in _portions(again):
        connection.execute(update(holdings).where(*of(key, generation), holdings.c.holder_key.in_(some)).values(ANEW))


def set_pace(connection: Connection, key: str, generation: int, at_once: int) -> None:
    this = (publications.c.account_id == key, publications.c.generation == generation)
    if connection.execute(update(publications).where(*this).values(at_once=at_once)).rowcount == 0:
        values = {"account_id": key, "generation": generation, "at_once": at_once}
        connection.execute(insert(publications).values(values))


def paced(connection: Connection, key: str, generation: int) -> bool:
    this = (publications.c.account_id == key, publications.c.generation == generation)
    return connection.execute(select(publications.c.at_once).where(*this)).first() is not None


def forget_refusals(connection: Connection, now: float, *whose: ColumnElement[bool]) -> None:
    """A person has looked: the holders may try once more."""
    pardoned = {"refused_at": None, "answer": None, "offered_at": None, "pardoned_at": now}
    connection.execute(update(holdings).where(*whose, holdings.c.refused_at.is_not(None)).values(pardoned))


def give_back_places(connection: Connection, holder: str) -> None:
    """Of a holder that will prove nothing any more. A refusal keeps its place: it is still to be looked into."""
    unproven = (holdings.c.holder_key == holder, holdings.c.proven_at.is_(None))
    connection.execute(update(holdings).where(*unproven).values(offered_at=None))


def of(key: str, generation: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return holdings.c.account_id == key, holdings.c.generation == generation


def _name(connection: Connection, named: Mapping[str, str]) -> None:
    """A holder has one name for people, the one it was published under last, so that sets of names compare."""
    for keys in _portions(list(named)):
        known = select(holders.c.holder_key, holders.c.name).where(holders.c.holder_key.in_(keys))
        names = {row.holder_key: row.name for row in connection.execute(known)}
        new = [{"holder_key": key, "name": named[key]} for key in keys if key not in names]
        if new:
            connection.execute(insert(holders), new)
        for key in (key for key in names if names[key] != named[key]):
            connection.execute(update(holders).where(holders.c.holder_key == key).values(name=named[key]))


def _portions(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _MOST):
        yield keys[start : start + _MOST]
