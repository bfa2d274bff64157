"""Advertisements, who agreed to them, and what clients told of themselves."""

import json
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_software import advertisements, client_facts, consents
from keyturn.adapters.store.software import changed
from keyturn.adapters.store.software_json import from_text, to_text
from keyturn.distribution.approval import Consent
from keyturn.model.accounts import canonical
from keyturn.model.errors import NotFound
from keyturn.model.software import Advertisement, AdvertisementId
from keyturn.operations.software_ports import Advertised, ToldFacts


class SqlAdvertisements(Part):
    """The part of `SoftwareStore` that holds who is offered what, and who said so."""

    def advertised(self) -> tuple[Advertised, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(advertisements).order_by(advertisements.c.advertisement_id)).all()
        return tuple(map(_advertised, rows))

    def advertisement(self, advertisement_id: AdvertisementId) -> Advertised:
        this = advertisements.c.advertisement_id == advertisement_id.strip().upper()
        with self._database.reading() as connection:
            row = connection.execute(select(advertisements).where(this)).one_or_none()
        if row is None:
            raise NotFound(f"no advertisement {advertisement_id}", hint="keyturn advertisement list")
        return _advertised(row)

    def keep_advertisement(self, advertised: Advertised) -> None:
        advertisement_id = advertised.advertisement.advertisement_id
        values = {
            "value": to_text(advertised.advertisement),
            "advertised_by": advertised.advertised_by,
            "advertised_at": advertised.advertised_at,
            "cancelled_by": advertised.cancelled_by,
            "cancelled_at": advertised.cancelled_at,
        }
        this = advertisements.c.advertisement_id == advertisement_id
        with self._database.writing() as connection:
            if not connection.execute(update(advertisements).where(this).values(values)).rowcount:
                connection.execute(insert(advertisements).values(advertisement_id=advertisement_id, **values))
            changed(connection)

    def remove_advertisement(self, advertisement_id: AdvertisementId) -> None:
        with self._database.writing() as connection:
            for table in (consents, advertisements):
                connection.execute(delete(table).where(table.c.advertisement_id == advertisement_id))
            changed(connection)

    def consent(self, consent: Consent) -> None:
        this = {
            "advertisement_id": consent.advertisement_id,
            "digest": consent.digest,
            "person_key": canonical(consent.person),
        }
        with self._database.writing() as connection:
            found = connection.execute(select(consents).where(*(consents.c[k] == v for k, v in this.items()))).first()
            if found is not None and (found.approves or not consent.approves):
                return
            connection.execute(delete(consents).where(*(consents.c[k] == v for k, v in this.items())))
            said = {"person": consent.person, "approves": consent.approves, "at": consent.at}
            connection.execute(insert(consents).values(**this, **said))
            changed(connection)

    def consents(self, advertisement_id: AdvertisementId) -> tuple[Consent, ...]:
        theirs = select(consents).where(consents.c.advertisement_id == advertisement_id)
        with self._database.reading() as connection:
            rows = connection.execute(theirs.order_by(consents.c.at, consents.c.person_key)).all()
        return tuple(
            Consent(AdvertisementId(row.advertisement_id), row.digest, row.person, row.approves, row.at) for row in rows
        )

    def forget_consents(self, advertisement_id: AdvertisementId) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(consents).where(consents.c.advertisement_id == advertisement_id))
            changed(connection)

    def keep_facts(self, told: ToldFacts) -> None:
        this = client_facts.c.name_key == canonical(told.client)
        facts = json.dumps(dict(told.facts), sort_keys=True)
        values = {"name": told.client, "facts": facts, "signed": told.signed, "told_at": told.told_at}
        with self._database.writing() as connection:
            found = connection.execute(select(client_facts).where(this)).one_or_none()
            if found is not None and found.signed and not told.signed:
                return
            if found is None:
                connection.execute(insert(client_facts).values(name_key=canonical(told.client), **values))
            else:
                connection.execute(update(client_facts).where(this).values(values))
            if found is None or found.facts != facts:  # most clients say the same, week after week
                changed(connection)

    def facts(self) -> tuple[ToldFacts, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(client_facts).order_by(client_facts.c.name_key)).all()
        return tuple(ToldFacts(row.name, _facts(row.facts), row.signed, row.told_at) for row in rows)


def _facts(text: str) -> dict[str, tuple[str, ...]]:
    return {fact: tuple(values) for fact, values in json.loads(text).items()}


def _advertised(row: Row[Any]) -> Advertised:
    return Advertised(
        from_text(row.value, Advertisement, f"advertisement {row.advertisement_id}"),
        row.advertised_by,
        row.advertised_at,
        row.cancelled_by,
        row.cancelled_at,
    )
