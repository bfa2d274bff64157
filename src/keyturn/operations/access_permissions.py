"""The permissions of an access point on a share: set as the table has them, and repaired where they name the dead."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from keyturn.model.accounts import Account, RealmName, canonical
from keyturn.model.estate import Estate
from keyturn.operations.access_logons import PERMISSIONS, inside, point_named, points_of
from keyturn.operations.inbox_ports import AccessDenied, ReachedPoint
from keyturn.operations.parts import Parts
from keyturn.operations.status_messages import report
from keyturn.site.access_points import BAD_BOX, BOXES, ROOT
from keyturn.site.components import ComponentName
from keyturn.site.permissions import DeadEntry, Grantee, dead_entries, grantee_of, repaired, wanted
from keyturn.site.status_messages import MessageId

_PLACES = (ROOT, *BOXES, BAD_BOX)


@dataclass(frozen=True, slots=True)
class Applied:
    """`accounts` that the lists name, by identity. `closed` says which lists could not be set, and why."""

    accounts: dict[str, str]
    closed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """On one access point. `closed` says which lists could not be read or changed, and why."""

    dead: tuple[DeadEntry, ...]
    closed: tuple[str, ...]


def apply_permissions(parts: Parts, name: str, *, by: str) -> Applied:
    """Make the boxes of an access point, and set the whole list of each and of every file in it."""
    estate = parts.store.estate()
    system = point_named(estate, parts.settings.site, name)
    sids, named = defaultdict[Grantee, list[str]](list), dict[str, str]()
    for grantee, account in grantees(parts, estate):
        sids[grantee].append(account.sid)
        named[account.sid] = str(account)
    _announce(parts, "permissions-set", system.name, named, by)
    closed: list[str] = []
    with inside(parts, system, PERMISSIONS) as point:
        for box in _PLACES:
            if box != ROOT:
                point.make(box)
            for path in _paths(point, box):
                with _noting(closed):
                    point.set_permissions(path, wanted(box, sids))
    report(parts, ComponentName.INBOX_MANAGER, MessageId.PERMISSIONS_SET, system=system.name, by=by)
    return Applied(named, tuple(closed))


def repair_permissions(parts: Parts, name: str | None, *, by: str, carry_out: bool) -> dict[str, Found]:
    """Every entry of a dead identity on one access point or on all, by the access point's name. Repaired only when
    told to."""
    estate, site = parts.store.estate(), parts.settings.site
    systems = points_of(estate, site) if name is None else (point_named(estate, site, name),)
    found = {}
    for system in systems:
        known = _known(parts, estate, system.name)
        live = {account: _live(parts, account) for account in known.values()}
        if carry_out:
            named = {sid: account for account, sid in live.items() if sid}
            _announce(parts, "permissions-repaired", system.name, named, by)
        with inside(parts, system, PERMISSIONS) as point:
            found[system.name] = _see_to(point, known, live, carry_out=carry_out)
        if carry_out:
            repairs = sum(entry.live is not None for entry in found[system.name].dead)
            whose = {"system": system.name, "by": by}
            report(parts, ComponentName.INBOX_MANAGER, MessageId.PERMISSIONS_REPAIRED, **whose, count=repairs)
    return found


def _announce(parts: Parts, kind: str, system: str, named: dict[str, str], by: str) -> None:
    """Before any list is changed: an identity that was given rights and is not remembered could not be found again."""
    with parts.store.whole():
        parts.store.note_granted(system, named)
        parts.store.tell(by, kind, system)


def _see_to(point: ReachedPoint, known: dict[str, str], live: dict[str, str | None], *, carry_out: bool) -> Found:
    found: list[DeadEntry] = []
    closed: list[str] = []
    for box in _PLACES:
        for path in _paths(point, box):
            with _noting(closed):
                given = point.permissions(path)
                dead = dead_entries(path, given.aces, known, live)
                if carry_out and repaired(given, dead) != given:
                    point.set_permissions(path, repaired(given, dead))
                found += dead
    return Found(tuple(found), tuple(closed))


@contextmanager
def _noting(closed: list[str]) -> Iterator[None]:
    """One list that is closed to us does not keep the others from being seen to."""
    try:
        yield
    except AccessDenied as error:
        closed.append(error.message)


def _paths(point: ReachedPoint, box: str) -> list[str]:
    """The box, and the files in it: each has a list of its own, made when the file was."""
    return [box] if box == ROOT else [box, *(rf"{box}\{lying.name}" for lying in point.files(box))]


def grantees(parts: Parts, estate: Estate) -> Iterator[tuple[Grantee, Account]]:
    """Accounts of the site that play a part in the table, with the identity that bears each name now. Clients of its
    secondary sites are its own, while files are carried with its own account everywhere."""
    own = [canonical(parts.settings.site)]
    served = [*own, *(canonical(site.code) for site in estate.secondaries_of(parts.settings.site))]
    for managed in estate.accounts:
        grantee = grantee_of(managed.role)
        codes = served if grantee is Grantee.CLIENT_CONNECTION else own
        if grantee is None or not managed.usable or not any(canonical(code) in codes for code in managed.sites):
            continue
        account = parts.authorities(managed.account.realm).find(managed.account.name)
        if account is not None:
            yield grantee, account


def _known(parts: Parts, estate: Estate, system: str) -> dict[str, str]:
    """The account that an identity is or was: as the store has it, and as it was when it was given rights here."""
    ours = {m.account.sid: str(m.account) for m in estate.accounts if isinstance(m.account, Account)}
    return {**ours, **parts.store.granted(system)}


def _live(parts: Parts, account: str) -> str | None:
    realm, _, name = account.partition("\\")
    found = parts.authorities(RealmName(realm)).find(name)
    return found.sid if found is not None else None
