"""The site control file with its whole history, and its text form as imported last."""

from typing import Any

from sqlalchemy import Row, delete, insert, select

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.errors import Unreadable
from keyturn.adapters.store.schema_site_control import control_copies, control_deltas, control_texts
from keyturn.model.accounts import canonical
from keyturn.model.estate import SiteCode
from keyturn.operations.site_control_records import DeltaRecord, SiteControls
from keyturn.site.control.deltas import Delta, DeltaStatus
from keyturn.site.control.document import SiteControl
from keyturn.site.control.json_form import BadForm, delta_text, document_text, read_delta, read_document


class SqlSiteControls(Part, SiteControls):
    def control(self, serial: int | None = None) -> SiteControl | None:
        newest = select(control_deltas.c.document).order_by(control_deltas.c.serial.desc()).limit(1)
        made = control_deltas.c.serial.is_not(None) if serial is None else control_deltas.c.serial == serial
        with self._database.reading() as connection:
            text = connection.execute(newest.where(made)).scalar()
        return _read_document(text) if text is not None else None

    def control_history(self) -> tuple[DeltaRecord, ...]:
        with self._database.reading() as connection:
            return tuple(_record(row) for row in connection.execute(_HISTORY))

    def keep_delta(
        self, delta: Delta, status: DeltaStatus, document: SiteControl | None, said: str = "", hint: str = ""
    ) -> DeltaRecord:
        serial = document.serial if document else None
        at = self._database.now()
        values = {
            "at": at,
            "delta": delta_text(delta),
            "status": status,
            "said": said,
            "hint": hint,
            "serial": serial,
            "document": document_text(document) if document else None,
        }
        with self._database.writing() as connection:
            [number] = connection.execute(insert(control_deltas).values(values)).inserted_primary_key or (0,)
        return DeltaRecord(number, at, delta, status, serial, said, hint)

    def control_copy(self, site: SiteCode) -> SiteControl | None:
        with self._database.reading() as connection:
            its = select(control_copies.c.document).where(control_copies.c.site_key == canonical(site))
            text = connection.execute(its).scalar()
        return _read_document(text) if text is not None else None

    def keep_control_copy(self, document: SiteControl) -> None:
        key = canonical(document.site)
        values = {"site_key": key, "at": self._database.now(), "document": document_text(document)}
        with self._database.writing() as connection:
            connection.execute(delete(control_copies).where(control_copies.c.site_key == key))
            connection.execute(insert(control_copies).values(values))

    def control_text(self) -> tuple[int, bytes] | None:
        newest = select(control_texts).order_by(control_texts.c.number.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(newest).one_or_none()
        return (row.serial, row.text) if row else None

    def keep_control_text(self, text: bytes, serial: int, by: str) -> None:
        values = {"at": self._database.now(), "imported_by": by, "serial": serial, "text": text}
        with self._database.writing() as connection:
            connection.execute(insert(control_texts).values(values))


_HISTORY = select(*(column for column in control_deltas.columns if column is not control_deltas.c.document)).order_by(
    control_deltas.c.number
)


def _record(row: Row[Any]) -> DeltaRecord:
    try:
        delta = read_delta(row.delta)
        return DeltaRecord(row.number, row.at, delta, DeltaStatus(row.status), row.serial, row.said, row.hint)
    except (BadForm, ValueError) as error:
        raise Unreadable(f"delta {row.number} of the site control file is not as this Keyturn writes it") from error


def _read_document(text: str) -> SiteControl:
    try:
        return read_document(text)
    except BadForm as error:
        raise Unreadable("the site control file in the store is not as this Keyturn would have written it") from error
