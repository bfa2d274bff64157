"""The store as the rest of Keyturn sees it: one object that is every port, over one database."""

from collections.abc import Callable

from sqlalchemy import insert, select

from keyturn.adapters.store.attempts import SqlAttempts
from keyturn.adapters.store.cipher import Cipher, Place, Purpose
from keyturn.adapters.store.clients import SqlClients
from keyturn.adapters.store.database import Database, MakeEnvelope
from keyturn.adapters.store.engine import open_engine
from keyturn.adapters.store.errors import Tampered, WrongSealKey
from keyturn.adapters.store.estates import SqlEstates
from keyturn.adapters.store.events import SqlEvents
from keyturn.adapters.store.migrate import migrate
from keyturn.adapters.store.passwords import SqlPasswords
from keyturn.adapters.store.people import SqlPeople
from keyturn.adapters.store.plans import SqlPlans
from keyturn.adapters.store.schema import canary, generations
from keyturn.adapters.store.seal_key import SealKey
from keyturn.model.secret import Secret
from keyturn.operations.ports import People, Store


def open_store(
    url: str,
    *,
    seal_key: SealKey,
    envelope: MakeEnvelope,
    now: Callable[[], float],
    new_id: Callable[[], str],
) -> "SqlStore":
    """Open, or make, the store at `url` (`sqlite:///PATH`) and bring it to this release. Many threads may share it.

    `envelope` makes the sealed copy of a generation; empty bytes mean that there is none. Raises NotAStore,
    NewerSchema, or WrongSealKey before anything is written with the wrong key.
    """
    database = Database(open_engine(url), Cipher(seal_key), envelope, now, new_id)
    try:
        migrate(database)
        _try_key(database)
    except BaseException:
        database.close()
        raise
    return SqlStore(database)


class SqlStore(SqlEstates, SqlPlans, SqlClients, SqlEvents, SqlPasswords, SqlAttempts, Store):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._people = SqlPeople(database)

    @property
    def people(self) -> People:
        return self._people

    def close(self) -> None:
        self._database.close()


_CANARY = Secret("keyturn")


def _try_key(database: Database) -> None:
    """Open the record that only the right key opens. The first key that comes is the right one from then on."""
    place = Place(Purpose.CANARY)
    with database.reading() as connection:
        sealed = connection.execute(select(canary.c.sealed)).scalar()
    if sealed is None:
        sealed = _make_canary(database, place)
    try:
        database.cipher.open(place, sealed, "the key check")
    except Tampered:
        raise WrongSealKey(
            "this is not the key that the passwords in the store were sealed with",
            hint="give the key, or the passphrase and salt, that the store was made with",
        ) from None


def _make_canary(database: Database, place: Place) -> bytes:
    with database.writing() as connection:
        # Another process may have been first; a canary that somebody took out of a store in use is not made again.
        sealed = connection.execute(select(canary.c.sealed)).scalar()
        if sealed is None and connection.execute(select(generations.c.generation).limit(1)).first():
            raise WrongSealKey("the record that tells the right key is gone", hint="restore the store from a backup")
        if sealed is None:
            sealed = database.cipher.seal(place, _CANARY)
            connection.execute(insert(canary).values(number=1, sealed=sealed))
        return bytes(sealed)
