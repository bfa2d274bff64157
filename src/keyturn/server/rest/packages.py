"""Packages: made, read from their sources, distributed, removed."""

from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.model.software import Manifest, Package, PackageId
from keyturn.operations import distributing, software_packages
from keyturn.operations.content import current
from keyturn.operations.content_ports import ContentRecord
from keyturn.operations.content_progress import reading_of
from keyturn.operations.software_packages import NewPackage
from keyturn.operations.source_records import SourceReading
from keyturn.server.rest.security import VIEWER, Operator, Site, Stopping

router = APIRouter(prefix="/packages", tags=["software"])


@dataclass(frozen=True, slots=True)
class Content:
    """Of one reading of the source. `size` in bytes; `digest` names it."""

    version: int
    digest: str
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class PackageDetail:
    """`reading`: its source is being read. `points` are the distribution points that are to hold it; `there` how it
    stands at those that were tried."""

    package: Package
    content: Content | None
    reading: SourceReading | None
    programs: list[str]
    points: list[str]
    there: list[ContentRecord]


@dataclass(frozen=True, slots=True)
class Update:
    """`source`: from now on this one; null: as it is. `every_file`: also those that have not changed."""

    source: str | None = None
    every_file: bool = False


@dataclass(frozen=True, slots=True)
class Updated:
    """`new`: the source held something else than before."""

    package: Package
    content: Content
    new: bool


@dataclass(frozen=True, slots=True)
class Access:
    allow: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Points:
    """None: every distribution point of the site."""

    systems: list[str] = field(default_factory=list)


@router.get("", dependencies=[VIEWER])
def every(parts: Site) -> list[Package]:
    return list(parts.store.packages())


@router.post("", status_code=201)
def add(parts: Site, person: Operator, wanted: NewPackage) -> Package:
    """A package, whose source is not read yet."""
    return software_packages.add(parts, wanted, by=person.name)


@router.get("/{package_id}", dependencies=[VIEWER])
def show(parts: Site, package_id: str) -> PackageDetail:
    package = parts.store.package(PackageId(package_id))
    this = package.package_id
    return PackageDetail(
        package,
        _content(manifest) if (manifest := current(parts, package)) else None,
        reading_of(parts, package),
        [program.name for program in parts.store.programs() if program.package == this],
        list(parts.store.assigned_points().get(this, ())),
        list(parts.store.contents(this)),
    )


@router.post("/{package_id}/update")
def update(parts: Site, person: Operator, stopping: Stopping, package_id: str, wanted: Update) -> Updated:
    """Read the source again. It takes as long as the files are large, and goes on where nobody waits for the answer."""
    this = PackageId(package_id)
    found = software_packages.update(
        parts, this, source=wanted.source, every_file=wanted.every_file, by=person.name, stopping=stopping
    )
    return Updated(parts.store.package(this), _content(found.manifest), found.new)


@router.get("/{package_id}/reading", dependencies=[VIEWER])
def reading(parts: Site, package_id: str) -> SourceReading | None:
    """How far the reading of its source is; null where none is under way."""
    return reading_of(parts, parts.store.package(PackageId(package_id)))


@router.post("/{package_id}/access")
def give_access(parts: Site, person: Operator, package_id: str, wanted: Access) -> Package:
    """Who may read it at a distribution point, besides the machines. Nothing is distributed anew."""
    return software_packages.give_access(parts, PackageId(package_id), wanted.allow, wanted.remove, by=person.name)


@router.post("/{package_id}/distribute", status_code=202)
def distribute(parts: Site, person: Operator, package_id: str, wanted: Points) -> list[str]:
    """To which distribution points it is brought from now on."""
    return list(software_packages.distribute(parts, PackageId(package_id), wanted.systems, by=person.name))


@router.post("/{package_id}/refresh", status_code=202)
def refresh(parts: Site, person: Operator, package_id: str) -> list[str]:
    """Which distribution points are compared with what they are to have, and put right."""
    return list(distributing.refresh(parts, parts.store.package(PackageId(package_id)), by=person.name))


@router.delete("/{package_id}", status_code=204)
def remove(parts: Site, person: Operator, package_id: str) -> None:
    """With its programs; what lies at distribution points is taken away."""
    software_packages.remove(parts, PackageId(package_id), by=person.name)


def _content(manifest: Manifest) -> Content:
    return Content(manifest.version, manifest.digest, len(manifest.files), manifest.size)
