"""The store as the rest of Keyturn sees it: one object that is every port, over one database."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyturn.adapters.store import engine
from keyturn.adapters.store.advertisements import SqlAdvertisements
from keyturn.adapters.store.attempts import SqlAttempts
from keyturn.adapters.store.bundles import SqlQueues
from keyturn.adapters.store.cipher import Cipher
from keyturn.adapters.store.clients import SqlClients
from keyturn.adapters.store.components import SqlComponents
from keyturn.adapters.store.content_states import SqlContentStates
from keyturn.adapters.store.database import Database, MakeEnvelope
from keyturn.adapters.store.engine import open_engines
from keyturn.adapters.store.estates import SqlEstates
from keyturn.adapters.store.events import SqlEvents
from keyturn.adapters.store.handed_down import SqlHandedDown
from keyturn.adapters.store.inboxes import SqlInboxes
from keyturn.adapters.store.key_check import try_key
from keyturn.adapters.store.known_sites import SqlHeldCredentials, SqlKnownSites
from keyturn.adapters.store.left_out import SqlLeftOutSystems
from keyturn.adapters.store.login import StoreLogins
from keyturn.adapters.store.logon_keys import SqlLogonKeys
from keyturn.adapters.store.migrate import migrate
from keyturn.adapters.store.move import Copied, move, refuse_moved
from keyturn.adapters.store.passwords import SqlPasswords
from keyturn.adapters.store.people import SqlPeople
from keyturn.adapters.store.plans import SqlPlans
from keyturn.adapters.store.push_requests import SqlPushRequests
from keyturn.adapters.store.seal_key import SealKey
from keyturn.adapters.store.sightings import SqlSightings
from keyturn.adapters.store.site_control import SqlSiteControls
from keyturn.adapters.store.software import SqlSoftware
from keyturn.adapters.store.software_status import SqlAdvertisementReports, SqlPolicyIssues
from keyturn.adapters.store.source_readings import SqlSourceReadings
from keyturn.adapters.store.status_messages import SqlStatusMessages
from keyturn.operations.chain import Chain
from keyturn.operations.ports import People, Store


def open_store(
    url: str,
    *,
    seal_key: SealKey,
    envelope: MakeEnvelope,
    now: Callable[[], float],
    new_id: Callable[[], str],
    logins: StoreLogins | None = None,
) -> "SqlStore":
    """Open, or make, the store at `url` (`sqlite:///PATH`, `postgresql://USER@HOST/DATABASE`) and bring it to this
    release. Many threads may share it, and many processes a PostgreSQL one, whose `logins` are asked when needed.

    `envelope` makes the sealed copy of a generation; empty bytes mean that there is none. Raises NotAStore, Moved,
    NewerSchema, or WrongSealKey before anything is written with the wrong key.
    """
    database = Database(open_engines(url, logins), Cipher(seal_key), _chain(seal_key), envelope, now, new_id)
    try:
        migrate(database)
        try_key(database)
        refuse_moved(database)
    except BaseException:
        database.close()
        raise
    return SqlStore(database)


@dataclass(frozen=True, slots=True)
class Place:
    url: str
    logins: StoreLogins | None = None


def move_store(old: Place, new: Place, *, seal_key: SealKey, now: Callable[[], float], by: str) -> Copied:
    """Carry a store to another database, or end a move that was cut off. No process may have the old one open.

    Raises what `open_store` does, and Refused where the new place holds a store that may be in use.
    """
    with closing(_bare(old, seal_key, now)) as source, closing(_bare(new, seal_key, now)) as target:
        migrate(source)
        try_key(source)
        return move(source, target, address=new.url, by=by)


def _bare(place: Place, seal_key: SealKey, now: Callable[[], float]) -> Database:
    """Where nothing is sealed or named anew."""
    engines = open_engines(place.url, place.logins)
    return Database(engines, Cipher(seal_key), _chain(seal_key), lambda *_: b"", now, lambda: "")


class SqlStore(
    SqlEstates,
    SqlPlans,
    SqlClients,
    SqlEvents,
    SqlPasswords,
    SqlAttempts,
    SqlSightings,
    SqlSiteControls,
    SqlStatusMessages,
    SqlComponents,
    SqlQueues,
    SqlKnownSites,
    SqlHeldCredentials,
    SqlInboxes,
    SqlLeftOutSystems,
    SqlPushRequests,
    SqlLogonKeys,
    SqlSoftware,
    SqlAdvertisements,
    SqlPolicyIssues,
    SqlAdvertisementReports,
    SqlContentStates,
    SqlSourceReadings,
    SqlHandedDown,
    Store,
):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._people = SqlPeople(database)

    @contextmanager
    def whole(self) -> Iterator[None]:
        with self._database.writing():
            yield

    @property
    def people(self) -> People:
        return self._people

    def reached_as(self) -> str | None:
        with self._database.reading() as connection:
            return engine.reached_as(connection)

    def close(self) -> None:
        self._database.close()


def _chain(key: SealKey) -> Chain:
    """Under a key made from the seal key (HKDF, RFC 5869), so that whoever has the database alone cannot write it."""
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"keyturn audit log 1")
    return Chain(derived.derive(key.reveal()))
