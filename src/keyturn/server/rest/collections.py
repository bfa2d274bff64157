"""Collections of clients."""

from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.distribution.findings import Finding
from keyturn.distribution.queries import write_query
from keyturn.model.software import Collection
from keyturn.operations import software_collections
from keyturn.operations.parts import Parts
from keyturn.server.rest.security import VIEWER, Operator, Site

router = APIRouter(prefix="/collections", tags=["software"])


@dataclass(frozen=True, slots=True)
class Wanted:
    """`queries`: as in `os is debian and os-version at least 12`. `replacing`: in the place of the one of that name."""

    name: str
    listed: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    replacing: bool = False


@dataclass(frozen=True, slots=True)
class CollectionShape:
    """A client is in it that is listed, or that meets any of the queries."""

    id: str
    name: str
    listed: list[str]
    queries: list[str]


@dataclass(frozen=True, slots=True)
class CollectionDetail(CollectionShape):
    """`warnings`: what a query asks for that no client of this site has told."""

    warnings: list[Finding]


@router.get("", dependencies=[VIEWER])
def every(parts: Site) -> list[CollectionShape]:
    return [_shape(collection) for collection in parts.store.collections()]


@router.post("", status_code=201)
def add(parts: Site, person: Operator, wanted: Wanted) -> CollectionDetail:
    """A collection by the clients' names, by queries over what is known of them, or both."""
    made = software_collections.add(
        parts, wanted.name, wanted.listed, wanted.queries, replacing=wanted.replacing, by=person.name
    )
    return _detail(parts, made)


@router.get("/{name}", dependencies=[VIEWER])
def show(parts: Site, name: str) -> CollectionDetail:
    """By its identifier or its name."""
    return _detail(parts, parts.store.collection(name))


@router.get("/{name}/members", dependencies=[VIEWER])
def members(parts: Site, name: str) -> list[str]:
    """The clients that are in it now."""
    return list(software_collections.members_of(parts, name))


@router.delete("/{name}", status_code=204)
def remove(parts: Site, person: Operator, name: str) -> None:
    """Refused while something is advertised to it."""
    software_collections.remove(parts, name, by=person.name)


def _detail(parts: Parts, collection: Collection) -> CollectionDetail:
    shape = _shape(collection)
    warnings = list(software_collections.doubts_of(parts, collection))
    return CollectionDetail(shape.id, shape.name, shape.listed, shape.queries, warnings)


def _shape(collection: Collection) -> CollectionShape:
    queries = [write_query(conditions) for conditions in collection.queries]
    return CollectionShape(collection.collection_id, collection.name, list(collection.listed), queries)
