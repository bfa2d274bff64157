"""The record that only the right key opens: another key is refused at the door, before anything is written with it."""

from sqlalchemy import Connection, insert, select, update

from keyturn.adapters.store.cipher import Place, Purpose
from keyturn.adapters.store.database import Database
from keyturn.adapters.store.errors import Tampered, WrongSealKey
from keyturn.adapters.store.schema import canary, events, generations
from keyturn.model.secret import Secret

_CANARY = Secret("keyturn")
_PLACE = Place(Purpose.CANARY, generation=2)
_BEFORE_THE_CHAIN = Place(Purpose.CANARY)
"""Where schema 0001 had it. The two differ so that a store whose log is chained cannot be dressed up as one of schema
0001, to have an altered log chained as it stands."""


def try_key(database: Database) -> None:
    """Raises WrongSealKey. The first key that comes is the right one from then on."""
    with database.reading() as connection:
        sealed = connection.execute(select(canary.c.sealed)).scalar()
    _open(database, _PLACE, sealed if sealed is not None else _make(database))


def renew_canary(database: Database, connection: Connection) -> None:
    """For a store of schema 0001, before it is brought forward. Raises WrongSealKey, also where a later one was
    dressed up as such."""
    sealed = _found(connection)
    if sealed is not None:
        _open(database, _BEFORE_THE_CHAIN, sealed)
        connection.execute(update(canary).values(sealed=database.cipher.seal(_PLACE, _CANARY)))


def _make(database: Database) -> bytes:
    with database.writing() as connection:
        # Another process may have been first.
        sealed = _found(connection)
        if sealed is None:
            sealed = database.cipher.seal(_PLACE, _CANARY)
            connection.execute(insert(canary).values(number=1, sealed=sealed))
        return sealed


def _found(connection: Connection) -> bytes | None:
    """None in a new store alone: what somebody took out of a store in use is not made again."""
    sealed: bytes | None = connection.execute(select(canary.c.sealed)).scalar()
    in_use = select(generations.c.generation).limit(1), select(events.c.number).limit(1)
    if sealed is None and any(connection.execute(one).first() for one in in_use):
        raise WrongSealKey("the record that tells the right key is gone", hint="restore the store from a backup")
    return sealed


def _open(database: Database, place: Place, sealed: bytes) -> None:
    try:
        database.cipher.open(place, sealed, "the key check")
    except Tampered:
        raise WrongSealKey(
            "this is not the key that the passwords in the store were sealed with",
            hint="give the key, or the passphrase and salt, that the store was made with",
        ) from None
