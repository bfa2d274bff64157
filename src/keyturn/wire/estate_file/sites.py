"""Rules for site codes, the tree of sites and their site systems."""

import re
from collections.abc import Callable, Iterator, Mapping

from keyturn.model.accounts import canonical, same_name
from keyturn.model.estate import ACCESS_POINT_ROLE, DISTRIBUTION_POINT_ROLE, SiteKind
from keyturn.model.spelling import shown
from keyturn.wire.estate_file.draft import Draft
from keyturn.wire.estate_file.names import repeated, unknown, unlisted
from keyturn.wire.estate_file.problems import Problem

_CODE = re.compile(r"[A-Z0-9]{3}")
_DEVICES = frozenset({"AUX", "CON", "NUL", "PRN"})
"""Folders are named after the site code, and Windows makes none of these names (Q279868)."""

_SMS_PARENTS = {
    SiteKind.PRIMARY: {SiteKind.CENTRAL, SiteKind.PRIMARY},
    SiteKind.SECONDARY: {SiteKind.CENTRAL, SiteKind.PRIMARY},
}
PARENTS: Mapping[str, Mapping[SiteKind, set[SiteKind]]] = {
    # The central site of SMS 2003 is a primary site like others, only without a parent.
    "sms2003": _SMS_PARENTS,
    "generic": _SMS_PARENTS,
    # A central administration site has primary sites below it and nothing else.
    "configmgr": {SiteKind.PRIMARY: {SiteKind.CENTRAL}, SiteKind.SECONDARY: {SiteKind.PRIMARY}},
}
"""Which kinds of site each kind may have as its parent, by product."""

_PLACE: Mapping[SiteKind, str] = {
    SiteKind.CENTRAL: "nothing is above a central site: leave out its parent, or make it a primary site",
    SiteKind.PRIMARY: "a primary site stands alone or below the central site",
    SiteKind.SECONDARY: "a secondary site stands below a primary site",
}


def _codes(draft: Draft) -> Iterator[Problem]:
    for entry in draft.sites:
        code = entry.thing.code
        if code in _DEVICES:
            hint = "folders are named after the site code: choose another one"
            yield entry.problem("code", "bears the name of a Windows device", hint)
        elif code and not _CODE.fullmatch(code):
            hint = f"write {code.upper()}" if _CODE.fullmatch(code.upper()) else ""
            yield entry.problem("code", "has a malformed code: it takes three of A to Z and 0 to 9", hint)


def _one_of_each_code(draft: Draft) -> Iterator[Problem]:
    yield from repeated(((entry, canonical(entry.thing.code)) for entry in draft.sites if entry.thing.code), key="code")


def _realms(draft: Draft) -> Iterator[Problem]:
    for entry in draft.sites:
        yield from unknown(entry, "realm", "realm", entry.thing.realm, draft.realm_named)


def _centrals(draft: Draft) -> Iterator[Problem]:
    first = None
    for entry in draft.sites:
        if entry.thing.kind is not SiteKind.CENTRAL:
            continue
        if entry.thing.parent is not None:
            yield entry.problem("parent", "is a central site and has a parent", _PLACE[SiteKind.CENTRAL])
        if first is not None:
            message = f"is a second central site, after site {first.thing.code} on line {first.line('code')}"
            yield entry.problem("kind", message, "a hierarchy has one central site")
        first = first or entry


def _parents(draft: Draft) -> Iterator[Problem]:
    allowed = PARENTS[draft.product]
    for entry in draft.sites:
        site = entry.thing
        yield from unknown(entry, "parent", "parent", site.parent, draft.site_coded)
        if site.kind is SiteKind.SECONDARY and site.parent is None:
            yield entry.problem("code", "is a secondary site without a parent", _PLACE[site.kind])
        parent = draft.site_coded.get(site.parent or "")
        if parent is None or site.kind is SiteKind.CENTRAL or parent.thing.kind in allowed[site.kind]:
            continue
        below_secondary = parent.thing.kind is SiteKind.SECONDARY
        hint = "a secondary site is never a parent" if below_secondary else _PLACE[site.kind]
        message = f"is a {site.kind} site under the {parent.thing.kind} site {shown(parent.thing.code)}"
        yield entry.problem("parent", message, hint)


def _loops(draft: Draft) -> Iterator[Problem]:
    walked: set[str] = set()
    for entry in draft.sites:
        code: str | None = entry.thing.code
        trail: list[str] = []
        while code and code in draft.site_coded and code not in walked:
            walked.add(code)
            trail.append(code)
            code = draft.site_coded[code].thing.parent
        if code in trail:
            loop = trail[trail.index(code) :]
            first = min((draft.site_coded[member] for member in loop), key=lambda member: member.line("parent"))
            way = " → ".join([*loop, loop[0]])
            yield first.problem("parent", f"is in a loop of parents: {shown(way)}", "the sites form a tree")


def _recovery_accounts(draft: Draft) -> Iterator[Problem]:
    """A name that means nothing would let the only way to repair clients be rotated."""
    for entry in draft.sites:
        yield from unlisted(draft, entry, "recovery_account", entry.thing.recovery_account)


def _setup_files(draft: Draft) -> Iterator[Problem]:
    for entry in draft.sites:
        for index, written in enumerate(entry.thing.setup_accounts):
            yield from unlisted(draft, entry, "setup_accounts", written, index)
        if entry.thing.setup_accounts and not entry.thing.setup_file:
            hint = "add setup_file = true, or leave setup_accounts out"
            yield entry.problem("setup_accounts", "has accounts of a setup file and was set up without one", hint)


def _systems(draft: Draft) -> Iterator[Problem]:
    """A machine may serve several sites, and is listed once for each."""
    for entry in draft.systems:
        yield from unknown(entry, "site", "site", entry.thing.site, draft.site_coded)
    named = ((entry, (canonical(entry.thing.name), entry.thing.site)) for entry in draft.systems if entry.thing.name)
    yield from repeated(named, key="name")


def _shares(draft: Draft) -> Iterator[Problem]:
    """Clients look for a share on access points and distribution points only, and log on to it as `REALM\\name`."""
    for entry in draft.systems:
        if entry.thing.share is None:
            continue
        if not {ACCESS_POINT_ROLE, DISTRIBUTION_POINT_ROLE} & set(entry.thing.roles):
            message = "has a share and is no access point and no distribution point"
            yield entry.problem("share", message, f'roles = ["{ACCESS_POINT_ROLE}"]')
        realm = draft.home(entry.thing.site)
        domain = dict(realm.connection).get("domain") if realm else None
        if realm and domain and not same_name(domain, realm.name):
            message = f"has a share, on which accounts of realm {realm.name} would be strangers to domain {domain}"
            yield entry.problem("share", message, f"call the realm {domain}")


RULES: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    _codes,
    _one_of_each_code,
    _realms,
    _centrals,
    _parents,
    _loops,
    _recovery_accounts,
    _setup_files,
    _systems,
    _shares,
)
