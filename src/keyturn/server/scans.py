"""What an enrolled machine is told to look for in its own files, and what it says it has found there."""

from collections.abc import Iterator
from itertools import groupby

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from keyturn.model.estate import Sighted
from keyturn.operations.parts import Parts
from keyturn.operations.sightings import Record, learn, to_look_for
from keyturn.server.agents import json_response
from keyturn.server.callers import Callers, arrive
from keyturn.wire import scan as wire
from keyturn.wire.agent import read
from keyturn.wire.evidence.machine_scan import where
from keyturn.wire.evidence.sightings import SCAN


def routes(parts: Parts, authorities: frozenset[str]) -> list[Route]:
    callers = Callers(parts.store, parts.now)

    async def names(request: HttpRequest) -> Response:
        await callers.of(await arrive(request, authorities))
        return json_response(wire.Wanted(await run_in_threadpool(to_look_for, parts)))

    async def report(request: HttpRequest) -> Response:
        arrived = await arrive(request, authorities, wire.MAX_REPORT)
        client = await callers.of(arrived)
        records = list(_records(client.name, read(wire.ScanReport, arrived.body), parts.now()))
        if records:
            await run_in_threadpool(learn, parts, records, by=client.name)
        return Response(b"{}", media_type="application/json")

    return [Route(wire.NAMES, names, methods=["GET"]), Route(wire.REPORT, report, methods=["POST"])]


def _records(machine: str, report: wire.ScanReport, now: float) -> Iterator[Record]:
    """A machine speaks of itself alone, by the name it has signed with, and never of a time to come."""
    at = min(report.at, now)
    for account, places in groupby(sorted(report.places, key=_account), key=_account):
        realm, _, name = account.partition("\\")
        found = tuple(where(place) for place in places)
        yield Record(realm, name, Sighted(machine, at, at, len(found), 0, SCAN, found[: wire.MOST_PLACES]))


def _account(place: wire.Place) -> str:
    return place.account
