"""The estate: taken in as a file, shown, and given back as a file."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Response

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.errors import Refused
from keyturn.model.estate import Sighted
from keyturn.operations.estates import import_estate
from keyturn.operations.plugins import AUTHORITIES, installed
from keyturn.operations.sightings import Found, Record, learn, learnt
from keyturn.server.rest.security import VIEWER, Operator, Site
from keyturn.wire.estate_file.problems import EstateErrors
from keyturn.wire.estate_file.reading import read_estate
from keyturn.wire.estate_file.writing import write_estate
from keyturn.wire.rest import EstateShape, FoundShape, ImportShape, SeenShape


@dataclass(frozen=True, slots=True)
class Sightings:
    seen: list[SeenShape]


router = APIRouter(prefix="/estate", tags=["estate"])


@router.put("")
def replace(parts: Site, person: Operator, text: Annotated[str, Body(media_type="application/toml")]) -> ImportShape:
    """Take in an estate file. All its errors at once, with their lines; then nothing has changed."""
    kinds = [plugin.kind for plugin in installed(AUTHORITIES)]
    try:
        estate = read_estate(text, roles=role_names(), kinds=kinds)
    except EstateErrors as errors:
        raise Refused(f"{errors.message}\n{errors.render('estate')}", errors.hint) from None
    imported = import_estate(parts, text, estate, by=person.name)
    return ImportShape(list(imported.added), list(imported.found), list(imported.missing), list(imported.unreachable))


@router.get("", dependencies=[VIEWER])
def show(parts: Site) -> EstateShape:
    """What the estate holds, counted."""
    estate = parts.store.estate()
    return EstateShape(
        product=estate.product,
        realms=[realm.name for realm in estate.realms],
        sites=[site.code for site in estate.sites],
        clients=sum(1 for _ in estate.all_clients()),
        consumers=len(estate.consumers),
        accounts=len(estate.accounts),
    )


@router.post("/sightings")
def sightings(parts: Site, person: Operator, records: Sightings) -> list[FoundShape]:
    """Keep who was seen using accounts of the estate, and say whom the estate does not name."""
    told = [
        Record(s.domain, s.name, Sighted(s.source, s.first_at, s.last_at, s.accepted, s.wrong, s.how, tuple(s.places)))
        for s in records.seen
    ]
    return [_shape(found) for found in learn(parts, told, by=person.name)]


@router.get("/sightings", dependencies=[VIEWER])
def kept_sightings(parts: Site) -> list[FoundShape]:
    """Who was seen using accounts of the estate so far, or is set up to."""
    return [_shape(found) for found in learnt(parts)]


@router.get("/file", dependencies=[VIEWER], response_class=Response)
def export(parts: Site) -> Response:
    """The estate as it is now, accounts that Keyturn has made included, as a file that can be imported."""
    return Response(write_estate(parts.store.estate()), media_type="application/toml")


def _shape(found: Found) -> FoundShape:
    seen = found.seen
    return FoundShape(
        str(found.account),
        seen.source,
        seen.first_at,
        seen.last_at,
        seen.accepted,
        seen.wrong,
        seen.how,
        found.holder,
        list(seen.places),
    )
