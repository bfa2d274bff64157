"""Packages: made, read from their sources, given to distribution points and to accounts, removed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from posixpath import normpath

from keyturn.distribution.authoring import findings_of_package
from keyturn.model.accounts import reference, same_name
from keyturn.model.errors import Refused
from keyturn.model.software import Package, PackageId
from keyturn.operations.content import Reading, read_source
from keyturn.operations.content_progress import never
from keyturn.operations.distributing import POINT_ROLE
from keyturn.operations.package_access import refuse_strangers
from keyturn.operations.parts import Parts
from keyturn.operations.secondary import refuse_at_secondary
from keyturn.operations.software_changes import changing, live, refuse_unfit
from keyturn.operations.software_owner import refuse_from_above
from keyturn.operations.software_points import points_in_use
from keyturn.operations.software_ports import Numbered
from keyturn.operations.software_reading import authored

_NO_POINT = f'give a site system the role "{POINT_ROLE}" in the estate file, then keyturn estate import'


@dataclass(frozen=True, slots=True)
class NewPackage:
    name: str
    source: str = ""
    publisher: str = ""
    product_version: str = ""
    language: str = ""
    access: tuple[str, ...] = ()


def add(parts: Parts, wanted: NewPackage, *, by: str) -> Package:
    """Its source is not read yet."""
    refuse_at_secondary(parts, "software", "keyturn package add")
    package = Package(
        PackageId(""),
        wanted.name,
        _normal(wanted.source),
        wanted.publisher,
        wanted.product_version,
        wanted.language,
        access=_accounts(parts, wanted.access),
    )
    refuse_unfit(f"package {package.name}", findings_of_package(package))
    _refuse_foreign_source(parts, package.source)
    with changing(parts, by=by):
        number = parts.store.next_number(Numbered.PACKAGE)
        package = replace(package, package_id=PackageId(f"{parts.settings.site}{number:05X}"))
        parts.store.keep_package(package)
        parts.store.tell(by, "package-added", package.package_id, f"{package.name}, from {package.source or 'nowhere'}")
    return package


def update(
    parts: Parts,
    package_id: PackageId,
    *,
    source: str | None = None,
    every_file: bool = False,
    by: str,
    stopping: Callable[[], bool] = never,
) -> Reading:
    """Read the source again, or another one from now on. What was agreed to with the old content has to be agreed to
    with the new."""
    package = parts.store.package(package_id)
    _refuse_from_above(parts, package, "update")
    if source is not None and _normal(source) != package.source:
        package = replace(package, source=_normal(source))
        refuse_unfit(f"package {package.package_id}", findings_of_package(package))
        _refuse_foreign_source(parts, package.source)
        with changing(parts, by=by):
            fresh = replace(parts.store.package(package_id), source=package.source)
            parts.store.keep_package(fresh)
            parts.store.tell(by, "package-source-changed", package.package_id, package.source)
    _refuse_foreign_source(parts, package.source)
    return read_source(parts, package.package_id, by=by, every_file=every_file, stopping=stopping)


def give_access(
    parts: Parts, package_id: PackageId, allow: Sequence[str], remove: Sequence[str], *, by: str
) -> Package:
    """Who may read it at a distribution point. Its content is not distributed anew."""
    _refuse_from_above(parts, parts.store.package(package_id), "access")
    allowed = _accounts(parts, allow)
    with changing(parts, by=by):
        package = parts.store.package(package_id)
        gone = {reference(name) for name in remove}
        strangers = [name for name in remove if reference(name) not in set(map(reference, package.access))]
        if strangers:
            raise Refused(f"{', '.join(strangers)} may not read {package.package_id} as it is")
        kept = [name for name in package.access if reference(name) not in gone]
        known = set(map(reference, kept))
        package = replace(package, access=(*kept, *(name for name in allowed if reference(name) not in known)))
        parts.store.keep_package(package)
        parts.store.tell(by, "package-access", package.package_id, ", ".join(package.access) or "everybody")
    return package


def distribute(parts: Parts, package_id: PackageId, systems: Sequence[str], *, by: str) -> tuple[str, ...]:
    """To these distribution points, and no others; to every one of this site where none is named. The distribution
    manager does the rest."""
    parts.store.package(package_id)  # whatever else is wrong, that it is not there comes first
    points = [system.name for system in points_in_use(parts, parts.store.estate()).values()]
    if not points:
        raise Refused("this site has no distribution point", hint=_NO_POINT)
    strangers = [name for name in systems if not any(same_name(name, point) for point in points)]
    if strangers:
        raise Refused(f"{', '.join(strangers)} is no distribution point of this site", hint=_NO_POINT)
    chosen = tuple(point for point in points if not systems or any(same_name(point, name) for name in systems))
    with changing(parts, by=by):
        package = parts.store.package(package_id)
        parts.store.assign_points(package.package_id, chosen)
        parts.store.tell(by, "package-distributed", package.package_id, ", ".join(chosen))
    return chosen


def remove(parts: Parts, package_id: PackageId, *, by: str) -> None:
    """With its programs. The distribution manager takes its content off the points."""
    with changing(parts, by=by):
        package, read = parts.store.package(package_id), authored(parts.store)
        _refuse_from_above(parts, package, "remove")
        own = {program.ref for program in read.of_package(package.package_id)}
        used = [str(p.ref) for p in read.programs.values() if p.run_first in own and p.ref not in own]
        used += [a.advertisement.advertisement_id for a in live(parts) if a.advertisement.program in own]
        if used:
            raise Refused(
                f"package {package.package_id} is in use: {', '.join(used)}", hint="keyturn advertisement cancel ID"
            )
        parts.store.remove_package(package.package_id)
        parts.store.tell(by, "package-removed", package.package_id, package.name)


def _refuse_from_above(parts: Parts, package: Package, verb: str) -> None:
    this = package.package_id
    refuse_from_above(parts, f"package {this}", this, f"keyturn package {verb} {this}")


def _normal(source: str) -> str:
    """As the rules for what may be a source compare it."""
    if source.startswith("/"):
        return normpath("/" + source.lstrip("/"))
    return source.rstrip("\\")


def _refuse_foreign_source(parts: Parts, source: str) -> None:
    """The server reads it with its own rights, and hands it to the whole fleet: a key of the site would be a package
    like any other. On a share it would log on wherever it is told to."""
    if source and not any(_lies_in(source, folder) for folder in parts.settings.package_sources):
        raise Refused(
            f"{source} is outside of the folders that packages are read from: "
            + ", ".join(parts.settings.package_sources),
            hint="put it there, or add its folder to package_sources in keyturn.toml and restart the site",
        )


def _lies_in(source: str, folder: str) -> bool:
    if folder.startswith("\\\\"):
        names = source.casefold().split("\\")
        above = folder.rstrip("\\").casefold().split("\\")
        return names[: len(above)] == above and ".." not in names
    return f"{source}/".startswith(normpath(folder).rstrip("/") + "/")


def _accounts(parts: Parts, names: Sequence[str]) -> tuple[str, ...]:
    """By the realm's own name; the account may be one that Keyturn does not look after."""
    written = [name.replace("/", "\\") for name in names]
    refuse_unfit("package access", findings_of_package(Package(PackageId(""), "access", access=tuple(written))))
    estate = parts.store.estate()
    split = (name.partition("\\") for name in written)
    found = tuple(dict.fromkeys(f"{estate.realm(realm).name}\\{name}" for realm, _, name in split))
    refuse_strangers(parts, estate, found)
    return found
