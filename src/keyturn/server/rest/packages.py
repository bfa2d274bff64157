"""Packages: made, read from their sources, distributed, removed."""

from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.model.software import Manifest, Package, PackageId
from keyturn.operations import distributing, software_packages
from keyturn.operations.content import current
from keyturn.operations.content_ports import ContentRecord
from keyturn.operations.software_packages import NewPackage
from keyturn.server.rest.security import VIEWER, Operator, Site

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
    """`points` are the distribution points that are to hold it; `there` how it stands at those that were tried."""

    package: Package
    content: Content | None
    programs: list[str]
    points: list[str]
    there: list[ContentRecord]


@dataclass(frozen=True, slots=True)
class Update:
    """`source`: from now on this one; null: as it is."""

    source: str | None = None


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
        [program.name for program in parts.store.programs() if program.package == this],
        list(parts.store.assigned_points().get(this, ())),
        list(parts.store.contents(this)),
    )


@router.post("/{package_id}/update")
def update(parts: Site, person: Operator, package_id: str, wanted: Update) -> Updated:
    """Read the source again. It takes as long as the files are large."""
    reading = software_packages.update(parts, PackageId(package_id), source=wanted.source, by=person.name)
    package = parts.store.package(PackageId(package_id))
    return Updated(package, _content(reading.manifest), reading.new)


@router.post("/{package_id}/access")
def give_access(parts: Site, person: Operator, package_id: str, wanted: Access) -> Package:
    """Who may read it at a distribution point, besides the machines. Nothing is distributed anew."""
    return software_packages.give_access(parts, PackageId(package_id), wanted.allow, wanted.remove, by=person.name)


@router.post("/{package_id}/distribute", status_code=202)
def distribute(parts: Site, person: Operator, package_id: str, wanted: Points) -> list[str]:
    """To which distribution points it is brought from now on."""
    return list(software_packages.distribute(parts, PackageId(package_id), wanted.systems, by=person.name))


@router.post("/{package_id}/refresh", status_code=202)
def refresh(parts: Site, person: Operator, package_id: str) -> None:
    """Every distribution point of it is compared with what it is to have, and put right."""
    distributing.refresh(parts, parts.store.package(PackageId(package_id)), by=person.name)


@router.delete("/{package_id}", status_code=204)
def remove(parts: Site, person: Operator, package_id: str) -> None:
    """With its programs; what lies at distribution points is taken away."""
    software_packages.remove(parts, PackageId(package_id), by=person.name)


def _content(manifest: Manifest) -> Content:
    return Content(manifest.version, manifest.digest, len(manifest.files), manifest.size)
