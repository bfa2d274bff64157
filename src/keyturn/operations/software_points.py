"""At which of this site's distribution points a package lies."""

from collections.abc import Mapping

from keyturn.model.estate import Estate
from keyturn.model.software import DistributionPoint, Package, PackageId
from keyturn.operations.distributing import point_of, points_of
from keyturn.operations.left_out import is_left_out
from keyturn.operations.parts import Parts


def points_in_use(parts: Parts, estate: Estate) -> dict[str, DistributionPoint]:
    """By their systems' names without case, in the estate's order."""
    without = parts.store.left_out()
    ours = points_of(parts, estate.systems).items()
    return {name: point_of(system) for name, system in ours if not is_left_out(system.name, without)}


def content_at_points(
    parts: Parts, points: Mapping[str, DistributionPoint], packages: Mapping[PackageId, Package]
) -> dict[PackageId, tuple[DistributionPoint, ...]]:
    """Where clients find exactly the current version of each."""
    there = {(record.package, record.system.casefold()): record.there for record in parts.store.contents()}
    return {
        name: tuple(point for system, point in points.items() if there.get((name, system)) == package.source_version)
        for name, package in packages.items()
    }
