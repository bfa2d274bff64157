"""Bundles on their way: what leaves, what passes through, what arrives. Each is there once, by its number."""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.schema_bundles import arrivals, outbox, streams
from keyturn.model.errors import NotFound
from keyturn.model.estate import SiteCode
from keyturn.operations.hierarchy_ports import Queues
from keyturn.site.bundles import Header, Kind, header_of, lane_of

_LISTED = 1000
"""Bundles named at a time."""


class SqlQueues(Part, Queues):
    def queue(self, source: SiteCode, destination: SiteCode, kind: Kind, close: Callable[[int], bytes]) -> int:
        stream = {"source": source, "destination": destination, "lane": lane_of(kind)}
        with self._database.writing() as connection:
            number = _last(connection, stream) + 1
            bundle = close(number)
            _advance(connection, stream, number)
            _keep(connection, outbox, header_of(bundle), bundle)
        return number

    def pass_on(self, header: Header, bundle: bytes) -> bool:
        """Bundles of a stream come in their order, so one number says which were here."""
        stream = _stream(header)
        with self._database.writing() as connection:
            if header.sequence <= _last(connection, stream):
                return False
            _advance(connection, stream, header.sequence)
            _keep(connection, outbox, header, bundle)
            return True

    def outgoing(self, destinations: Collection[SiteCode], most: int) -> tuple[Header, ...]:
        order = (outbox.c.lane, outbox.c.source, outbox.c.destination, outbox.c.sequence)
        theirs = outbox.c.destination.in_(list(destinations))
        return self._headers(outbox, theirs, order, most)

    def outgoing_bundle(self, header: Header) -> bytes:
        return self._bundle(outbox, header)

    def sent(self, header: Header) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(outbox).where(_this(outbox, header)))

    def queued(self) -> dict[SiteCode, int]:
        counted = select(outbox.c.destination, func.count()).group_by(outbox.c.destination)
        with self._database.reading() as connection:
            return {SiteCode(destination): count for destination, count in connection.execute(counted)}

    def arrive(self, header: Header, bundle: bytes) -> bool:
        with self._database.writing() as connection:
            here = select(arrivals.c.sequence).where(_this(arrivals, header))
            if header.sequence <= _last(connection, _stream(header)) or connection.execute(here).first():
                return False
            _keep(connection, arrivals, header, bundle)
            return True

    def openable(self) -> tuple[Header, ...]:
        of_stream = and_(*(streams.c[name] == arrivals.c[name] for name in ("source", "destination", "lane")))
        last = select(func.coalesce(func.max(streams.c.last), 0)).where(of_stream).scalar_subquery()
        order = (arrivals.c.lane, arrivals.c.source)
        return self._headers(arrivals, arrivals.c.sequence == last + 1, order, _LISTED)

    def arrived_bundle(self, header: Header) -> bytes:
        return self._bundle(arrivals, header)

    def opened(self, header: Header, *, keep: bool) -> None:
        this = _this(arrivals, header)
        with self._database.writing() as connection:
            _advance(connection, _stream(header), header.sequence)
            if keep:
                connection.execute(update(arrivals).where(this).values(opened_at=self._database.now()))
            else:
                connection.execute(delete(arrivals).where(this))

    def delivered(self) -> tuple[Header, ...]:
        order = (arrivals.c.opened_at, arrivals.c.source, arrivals.c.sequence)
        return self._headers(arrivals, arrivals.c.opened_at.is_not(None), order, _LISTED)

    def collected(self, header: Header) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(arrivals).where(_this(arrivals, header), arrivals.c.opened_at.is_not(None)))

    def _headers(self, table: Table, which: Any, order: tuple[Any, ...], most: int) -> tuple[Header, ...]:
        c = table.c
        named = select(c.source, c.destination, c.kind, c.sequence, c.created).where(which).order_by(*order).limit(most)
        with self._database.reading() as connection:
            return tuple(_header(row) for row in connection.execute(named))

    def _bundle(self, table: Table, header: Header) -> bytes:
        with self._database.reading() as connection:
            found = connection.execute(select(table.c.bundle).where(_this(table, header))).scalar()
        if found is None:
            raise NotFound(f"no bundle {header} is here")
        return bytes(found)


def _keep(connection: Connection, table: Table, header: Header, bundle: bytes) -> None:
    values = {"sequence": header.sequence, "kind": header.kind, "created": header.created, "bundle": bundle}
    connection.execute(insert(table).values(**_stream(header), **values))


def _last(connection: Connection, stream: dict[str, str]) -> int:
    """The number that the stream has come to here, 0 at its beginning."""
    its = (streams.c[name] == value for name, value in stream.items())
    return connection.execute(select(streams.c.last).where(*its)).scalar() or 0


def _advance(connection: Connection, stream: dict[str, str], number: int) -> None:
    its = (streams.c[name] == value for name, value in stream.items())
    if connection.execute(update(streams).where(*its).values(last=number)).rowcount == 0:
        connection.execute(insert(streams).values(**stream, last=number))


def _stream(header: Header) -> dict[str, str]:
    return {"source": header.source, "destination": header.destination, "lane": header.lane}


def _this(table: Table, header: Header) -> Any:
    its = (table.c[name] == value for name, value in _stream(header).items())
    return and_(*its, table.c.sequence == header.sequence)


def _header(row: Any) -> Header:
    return Header(SiteCode(row.source), SiteCode(row.destination), Kind(row.kind), row.sequence, row.created)
