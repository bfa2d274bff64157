"""Removing a site server: who would be orphaned by it, and taking a site out of the estate."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from keyturn.lifecycle.guards import orphaned_by_removal, refuse_removal
from keyturn.model.accounts import same_name
from keyturn.model.errors import Refused
from keyturn.model.estate import Estate, Site, SiteCode
from keyturn.operations.estates import Imported, import_estate
from keyturn.operations.parts import Parts


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing the site server would mean. `orphans` are clients that would not learn the new password; `below`
    are sites of which it is the parent."""

    site: str
    server: str
    orphans: tuple[str, ...]
    below: tuple[str, ...]


def foresee_removal(parts: Parts, code: str) -> Removal:
    estate = parts.store.estate()
    site = estate.site(code)
    orphans = orphaned_by_removal(estate, site, logon_installation=site.logon_installation)
    return Removal(site.code, site.server, tuple(orphans), _below(estate, site))


def remove(parts: Parts, code: str, write: Callable[[Estate], str], *, by: str) -> Imported:
    """Take the site, its systems and its clients out of the estate. Its accounts stay, for whoever retires them.

    `write` puts an estate into the form that is kept. Refused for this site itself, for a parent, and where clients
    would be orphaned.
    """
    estate = parts.store.estate()
    site = estate.site(code)
    refuse_removal(estate, site, logon_installation=site.logon_installation)
    if below := _below(estate, site):
        raise Refused(f"site {site.code} is the parent of {', '.join(below)}", hint="remove those first, or move them")
    if same_name(site.code, parts.settings.site):
        raise Refused(
            f"site {site.code} is this one, and nobody would be orphaned",
            hint="stop it, keep its directory for its envelopes, and remove it at its parent",
        )
    without = _without(estate, site.code)
    with parts.store.whole():
        imported = import_estate(parts, write(without), without, by=by)
        parts.store.tell(by, "site-removed", site.code, site.server)
    return imported


def _below(estate: Estate, site: Site) -> tuple[str, ...]:
    return tuple(s.code for s in estate.sites if s.parent is not None and same_name(s.parent, site.code))


def _without(estate: Estate, code: SiteCode) -> Estate:
    return replace(
        estate,
        sites=tuple(site for site in estate.sites if site.code != code),
        systems=tuple(system for system in estate.systems if system.site != code),
        clients=tuple(client for client in estate.clients if client.site != code),
        groups=tuple(group for group in estate.groups if group.like.site != code),
        consumers=tuple(c for c in estate.consumers if c.holder.site != code),
        accounts=tuple(
            replace(m, sites=tuple(site for site in m.sites if site != code))
            for m in estate.accounts
            if m.sites != (code,)
        ),
    )
