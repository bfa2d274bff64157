"""Where clients find a package: at which distribution points, or else at its source."""

from collections.abc import Mapping

from keyturn.distribution.shares import share_of
from keyturn.model.accounts import same_name
from keyturn.model.estate import Estate, SiteSystem
from keyturn.model.software import DistributionPoint, Package, PackageId
from keyturn.operations.distributing import point_of, points_of
from keyturn.operations.left_out import is_left_out
from keyturn.operations.parts import Parts


def points_in_use(parts: Parts, estate: Estate) -> dict[str, SiteSystem]:
    """By their names without case, in the estate's order."""
    without = parts.store.left_out()
    ours = points_of(parts, estate).items()
    return {name: system for name, system in ours if not is_left_out(system.name, without)}


def points_for(parts: Parts, systems: Mapping[str, SiteSystem], at: str) -> dict[str, DistributionPoint]:
    """For the clients of one site: its own points, and for those of a secondary site this site's behind them."""
    near = [(name, system) for name, system in systems.items() if same_name(system.site, at)]
    ours = [(name, system) for name, system in systems.items() if same_name(system.site, parts.settings.site)]
    return {name: point_of(system) for name, system in (*near, *ours)}


def content_at_points(
    parts: Parts, points: Mapping[str, DistributionPoint], packages: Mapping[PackageId, Package]
) -> dict[PackageId, tuple[DistributionPoint, ...]]:
    """Where clients find exactly the current version of each."""
    there = {(record.package, record.system.casefold()): record.there for record in parts.store.contents()}
    return {
        name: tuple(point for system, point in points.items() if there.get((name, system)) == package.source_version)
        for name, package in packages.items()
    }


def read_at_source(parts: Parts, packages: Mapping[PackageId, Package]) -> dict[PackageId, str]:
    """Those that are assigned to no distribution point and whose source is on a share. One that is only on its way to a
    point waits for that: thousands of clients are not sent to somebody's file server meanwhile."""
    assigned = parts.store.assigned_points()
    return {
        name: package.source
        for name, package in packages.items()
        if share_of(package.source) and not assigned.get(name)
    }
