"""Access points on shares, their permissions, and the inboxes of the site."""

from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter
from fastapi.responses import Response

from keyturn.operations.access_logons import points_of
from keyturn.operations.access_permissions import Applied, apply_permissions, repair_permissions
from keyturn.operations.inbox_ports import InboxCount, SeenClient
from keyturn.operations.inboxes import tend
from keyturn.server.access_point import access_files
from keyturn.server.rest.security import VIEWER, Operator, Site
from keyturn.site.permissions import DeadEntry

router = APIRouter(tags=["inboxes"])


@dataclass(frozen=True, slots=True)
class Point:
    """`boxes` counts what lay in each at the last visit."""

    system: str
    share: str
    reached: bool
    tried_at: float
    trouble: str
    hint: str
    boxes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Inboxes:
    access_points: list[Point]
    inboxes: list[InboxCount]


@dataclass(frozen=True, slots=True)
class File:
    number: int
    inbox: str
    box: str
    name: str
    source: str
    signed: bool
    arrived_at: float
    state: str
    note: str


@dataclass(frozen=True, slots=True)
class Repair:
    """`carry_out`: else it is only shown. `system`: this access point alone."""

    carry_out: bool = False
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a dead identity. `live` is None where nobody bears the account's name now."""

    system: str
    path: str
    account: str
    dead: str
    live: str | None


@dataclass(frozen=True, slots=True)
class Repaired:
    """`closed` says which lists could not be read or changed, and why."""

    entries: list[Entry]
    closed: list[str]


@router.get("/inboxes", dependencies=[VIEWER])
def inboxes(parts: Site) -> Inboxes:
    """Each inbox with what waits, and each access point on a share with why it is not reached."""
    systems = points_of(parts.store.estate(), parts.settings.site)
    points = []
    for system in systems:
        record = parts.store.point(system.name)
        told = (record.tried_at, record.trouble, record.hint, dict(record.lying))
        reached = record.tried_at > 0 and not record.trouble
        points.append(Point(system.name, system.share or "", reached, *told))
    return Inboxes(points, list(parts.store.inbox_counts()))


@router.get("/inboxes/files", dependencies=[VIEWER])
def inbox_files(parts: Site) -> list[File]:
    """Files that wait for whoever reads them, and bad ones."""
    return [
        File(f.number, f.inbox, f.box, f.name, f.source, f.signed, f.arrived_at, f.state, f.note)
        for f in parts.store.inbox_files()
    ]


@router.get("/inboxes/files/{number}")
def inbox_file(parts: Site, number: int, _: Operator) -> Response:
    """What the client wrote, as it came."""
    return Response(parts.store.inbox_file(number).content, media_type="application/octet-stream")


@router.post("/inboxes/visit")
def visit(parts: Site, person: Operator) -> Inboxes:
    """Visit every access point now."""
    parts.store.tell(person.name, "access-points-visited", parts.settings.site)
    tend(parts, partial(access_files, parts), at_once=True)
    return inboxes(parts)


@router.get("/inboxes/clients", dependencies=[VIEWER])
def seen_clients(parts: Site) -> list[SeenClient]:
    """The last discovery record of each client."""
    return list(parts.store.seen_clients())


@router.post("/access-points/{system}/permissions")
def set_permissions(parts: Site, system: str, person: Operator) -> Applied:
    """Set the permissions of an access point, on its boxes and the files in them."""
    return apply_permissions(parts, system, by=person.name)


@router.post("/access-points/repair")
def repair(parts: Site, wanted: Repair, person: Operator) -> Repaired:
    """Entries that name an identity whose account was made anew; repaired where told to."""
    found = repair_permissions(parts, wanted.system, by=person.name, carry_out=wanted.carry_out)
    entries = [_entry(system, dead) for system, one in found.items() for dead in one.dead]
    return Repaired(entries, [why for one in found.values() for why in one.closed])


def _entry(system: str, dead: DeadEntry) -> Entry:
    return Entry(system, dead.path, dead.account, dead.ace.sid, dead.live)
