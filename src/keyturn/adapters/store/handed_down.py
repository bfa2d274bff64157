"""Software between sites: what was handed down, what came from above, what is to be told there."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Table, delete, func, insert, select, update

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.errors import Unreadable
from keyturn.adapters.store.schema_handed_down import from_above, handed_down, reports_for_above
from keyturn.distribution.handed_down import Awaited, Range, ToldReport
from keyturn.model.estate import SiteCode
from keyturn.operations.handing_ports import FromAbove, HandedDownStore

T = TypeVar("T")


class SqlHandedDown(Part, HandedDownStore):
    def handed_down(self) -> Mapping[SiteCode, str]:
        with self._database.reading() as connection:
            return {SiteCode(row.site): row.digest for row in connection.execute(select(handed_down))}

    def note_handed_down(self, site: SiteCode, digest: str) -> None:
        self._put_site(handed_down, site, {"digest": digest})

    def from_above(self) -> tuple[FromAbove, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(from_above).order_by(from_above.c.site)).all()
        return tuple(
            FromAbove(
                SiteCode(row.site),
                _read(row.awaited, tuple[Awaited, ...]),
                _read(row.asked, tuple[Range, ...]),
                row.asked_at,
            )
            for row in rows
        )

    def keep_from_above(self, record: FromAbove) -> None:
        values = {"awaited": _text(record.awaited), "asked": _text(record.asked), "asked_at": record.asked_at}
        self._put_site(from_above, record.site, values)

    def forget_from_above(self, site: SiteCode) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(from_above).where(from_above.c.site == site))

    def queue_report(self, owner: SiteCode, told: ToldReport) -> None:
        with self._database.writing() as connection:
            last = connection.execute(select(func.max(reports_for_above.c.number))).scalar() or 0
            row = {"number": last + 1, "owner": owner, "report": _text(told)}
            connection.execute(insert(reports_for_above).values(row))

    def queued_reports(self, most: int) -> tuple[tuple[int, SiteCode, ToldReport], ...]:
        wanted = select(reports_for_above).order_by(reports_for_above.c.number).limit(most)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return tuple((row.number, SiteCode(row.owner), _read(row.report, ToldReport)) for row in rows)

    def unqueue_reports(self, numbers: Collection[int]) -> None:
        with self._database.writing() as connection:
            these = reports_for_above.c.number.in_(list(numbers))
            connection.execute(delete(reports_for_above).where(these))

    def _put_site(self, table: Table, site: SiteCode, values: dict[str, Any]) -> None:
        with self._database.writing() as connection:
            if connection.execute(update(table).where(table.c.site == site).values(values)).rowcount == 0:
                connection.execute(insert(table).values(site=site, **values))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _read(text: str, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=shape)
    except (ValueError, RecursionError):
        raise Unreadable("software between sites stands in the store in a shape that is not known") from None
