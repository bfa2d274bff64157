"""Sites that are known, this one's own keys, links to neighbours, and passwords that other sites gave."""

from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Row, Select, Table, delete, insert, or_, select, update

from keyturn.adapters.store.cipher import Place, Purpose
from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_bundles import (
    arrivals,
    held_credentials,
    known_sites,
    links,
    outbox,
    site_keys,
    streams,
    told_sites,
)
from keyturn.adapters.store.schema_handed_down import from_above, handed_down
from keyturn.model.accounts import RoleName, canonical
from keyturn.model.errors import NotFound
from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.operations.hierarchy_ports import (
    HeldCredential,
    HeldCredentials,
    KnownSite,
    KnownSites,
    LinkRecord,
    Standing,
    Told,
)
from keyturn.site import messages
from keyturn.site.cards import Card
from keyturn.site.keys import SiteKeys, new_keys

_KEYS = Place(Purpose.SITE_KEYS)


class SqlKnownSites(Part, KnownSites):
    def site_keys(self) -> SiteKeys:
        with self._database.reading() as connection:
            sealed = connection.execute(select(site_keys.c.sealed)).scalar()
        if sealed is None:
            with self._database.writing() as connection:
                sealed = connection.execute(select(site_keys.c.sealed)).scalar()
                if sealed is None:
                    sealed = self._database.cipher.seal(_KEYS, new_keys().text())
                    connection.execute(insert(site_keys).values(number=1, sealed=sealed))
        return SiteKeys.from_text(self._database.cipher.open(_KEYS, bytes(sealed), "this site's keys"))

    def known_sites(self) -> tuple[KnownSite, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(_known()).all()
        return tuple(KnownSite(_card(bytes(row.card)), SiteCode(row.introduced_by)) for row in rows)

    def keep_site(self, site: KnownSite) -> None:
        values = {"card": messages.write(site.card), "introduced_by": site.introduced_by}
        self._put(known_sites, {"code": site.card.code}, values)

    def forget_site(self, code: SiteCode) -> None:
        with self._database.writing() as connection:
            for table in (known_sites, links, told_sites):
                connection.execute(delete(table).where(table.c.code == code))
            connection.execute(update(from_above).where(from_above.c.site == code).values(asked="[]", asked_at=0))
            connection.execute(delete(handed_down).where(handed_down.c.site == code))
            for table in (streams, outbox, arrivals):
                connection.execute(delete(table).where(or_(table.c.source == code, table.c.destination == code)))

    def link(self, site: SiteCode) -> LinkRecord:
        with self._database.reading() as connection:
            row = connection.execute(select(links).where(links.c.code == site)).one_or_none()
        if row is None:
            return LinkRecord(site)
        return LinkRecord(site, row.failures, row.next_try_at, row.last_sent_at, row.trouble)

    def note_link(self, record: LinkRecord) -> None:
        values = {
            "failures": record.failures,
            "next_try_at": record.next_try_at,
            "last_sent_at": record.last_sent_at,
            "trouble": record.trouble,
        }
        self._put(links, {"code": record.site}, values)

    def words(self) -> dict[SiteCode, dict[str, Told]]:
        found = dict[SiteCode, dict[str, Told]]()
        with self._database.reading() as connection:
            for row in connection.execute(select(told_sites)):
                found.setdefault(SiteCode(row.code), {})[row.account] = Told(row.generation, row.answered)
        return found

    def tell_site(self, site: SiteCode, account: str, told: Told | None) -> None:
        which = {"code": site, "account": account}
        if told is not None:
            self._put(told_sites, which, {"generation": told.generation, "answered": told.answered})
            return
        with self._database.writing() as connection:
            connection.execute(delete(told_sites).filter_by(**which))

    def _put(self, table: Table, which: dict[str, Any], values: dict[str, Any]) -> None:
        with self._database.writing() as connection:
            if connection.execute(update(table).filter_by(**which).values(values)).rowcount == 0:
                connection.execute(insert(table).values(**which, **values))


class SqlHeldCredentials(Part, HeldCredentials):
    def hold(self, credential: HeldCredential, secret: Secret) -> None:
        key = canonical(credential.account)
        with self._database.writing() as connection:
            connection.execute(delete(held_credentials).where(held_credentials.c.account_key == key))
            connection.execute(
                insert(held_credentials).values(
                    account_key=key,
                    account=credential.account,
                    generation=credential.generation,
                    role=credential.role,
                    owner=credential.owner,
                    standing=credential.standing,
                    retry_at=credential.retry_at,
                    sealed=self._database.cipher.seal(_place(credential), secret),
                )
            )

    def held_credentials(self) -> tuple[HeldCredential, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(held_credentials).order_by(held_credentials.c.account_key)).all()
        return tuple(_credential(row) for row in rows)

    def held_secret(self, credential: HeldCredential) -> Secret:
        name = f"{credential.account} generation {credential.generation}"
        with self._database.reading() as connection:
            sealed = connection.execute(select(held_credentials.c.sealed).where(*_this(credential))).scalar()
        if sealed is None:
            raise NotFound(f"{name} is not held here")
        return self._database.cipher.open(_place(credential), bytes(sealed), name)

    def keep_standing(self, credential: HeldCredential) -> None:
        values = {"standing": credential.standing, "retry_at": credential.retry_at}
        with self._database.writing() as connection:
            connection.execute(update(held_credentials).where(*_this(credential)).values(values))

    def let_go(self, account: str) -> None:
        with self._database.writing() as connection:
            this = held_credentials.c.account_key == canonical(account)
            connection.execute(delete(held_credentials).where(this))


@cache
def _known() -> Select[Any]:
    return select(known_sites).order_by(known_sites.c.code)


@lru_cache(maxsize=4096)
def _card(kept: bytes) -> Card:
    """Every site's is read with every bundle."""
    return messages.read(Card, kept)


def _place(credential: HeldCredential) -> Place:
    return Place(Purpose.FROM_SITE, canonical(credential.account), credential.generation)


def _this(credential: HeldCredential) -> tuple[Any, Any]:
    c = held_credentials.c
    return c.account_key == canonical(credential.account), c.generation == credential.generation


def _credential(row: Row[Any]) -> HeldCredential:
    return HeldCredential(
        row.account, row.generation, RoleName(row.role), SiteCode(row.owner), Standing(row.standing), row.retry_at
    )
