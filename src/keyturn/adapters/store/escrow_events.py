"""The events about envelopes that the store itself writes, in the commit of what they tell of."""

from functools import cache

from sqlalchemy import Connection, Select, bindparam, or_, select

from keyturn.adapters.store.database import Database
from keyturn.adapters.store.events import tell, tell_once
from keyturn.adapters.store.schema import events
from keyturn.escrow.outside import digest_of
from keyturn.model.accounts import AnyAccount
from keyturn.operations.custody import CUSTODY, About, Told, read_about
from keyturn.operations.ports import Event


def tell_sealed(
    database: Database, connection: Connection, actor: str, account: AnyAccount, generation: int, envelope: bytes
) -> None:
    """With the digest, by which an envelope that somebody exchanged is known. Nothing where there is no envelope."""
    if envelope:
        about = About(str(account), generation, digest=digest_of(envelope))
        tell(database, connection, actor, Told.SEALED, str(account), str(about))


def tell_void_papers(database: Database, connection: Connection, account: AnyAccount, live: int | None) -> None:
    """Every paper that holds another generation than the live one. None: the account itself has ended."""
    for detail in connection.execute(_papers(), {"account": str(account)}).scalars().all():
        paper = read_about(detail)
        if paper and paper.generation != live:
            about = About(paper.account, paper.generation, serial=paper.serial)
            tell_once(database, connection, "keyturn", Told.PAPER_VOID, str(account), str(about))


@cache
def _papers() -> Select[str]:
    return select(events.c.detail).where(events.c.subject == bindparam("account"), events.c.kind == Told.PRINTED)


def told(connection: Connection) -> tuple[Event, ...]:
    wanted = or_(events.c.kind.in_([kind.value for kind in Told]), events.c.subject == CUSTODY)
    rows = connection.execute(select(events).where(wanted).order_by(events.c.number)).all()
    return tuple(Event(row.number, row.at, row.actor, row.kind, row.subject, row.detail) for row in rows)
