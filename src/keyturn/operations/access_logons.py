"""The site's own logon at an access point on a share: with which account, and within the lockout budget."""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Protocol, TypeVar

from keyturn.lifecycle.budgeted import room_for_one
from keyturn.model.accounts import Account, Credential, RoleName, same_name
from keyturn.model.errors import AuthorityError, BudgetExhausted, NotFound
from keyturn.model.estate import ACCESS_POINT_ROLE, Estate, ManagedAccount, SiteSystem
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.inbox_ports import PointTrouble, ReachedPoint
from keyturn.operations.parts import Parts
from keyturn.operations.secondary import parent_of_secondary
from keyturn.site.permissions import SERVER_CONNECTION

FILES = (SERVER_CONNECTION,)
"""Files are carried with this account."""
PERMISSIONS = (RoleName("sms2003/site-system-connection"), RoleName("sms2003/service"))
"""Permissions are set with the first of these that the site has: with what the site server reaches its systems."""


def points_of(estate: Estate, site: str) -> tuple[SiteSystem, ...]:
    """The access points on shares that the site sees to: its own, and those of its secondary sites."""
    return tuple(s for s in estate.systems_in_care_of(site) if ACCESS_POINT_ROLE in s.roles and s.share)


def point_named(estate: Estate, site: str, name: str) -> SiteSystem:
    for system in points_of(estate, site):
        if same_name(system.name, name):
            return system
    raise NotFound(f"site {site} has no access point {name} on a share", hint="keyturn site inboxes")


class Door(Protocol):
    def log_on(self, account: str, secret: Secret) -> Answer: ...


D = TypeVar("D", bound=Door)


def inside(parts: Parts, system: SiteSystem, roles: Collection[RoleName]) -> AbstractContextManager[ReachedPoint]:
    """The access point, logged on to. Everything that keeps the site out is PointTrouble."""
    share = system.share or ""
    return let_in(parts, system.name, share, roles, lambda: parts.access_point(share).reach())


@contextmanager
def let_in(
    parts: Parts,
    name: str,
    share: str,
    roles: Collection[RoleName],
    reach: Callable[[], AbstractContextManager[D]],
) -> Iterator[D]:
    """Any share, as `inside`. `name` is the system's, under which a refusal is remembered."""
    managed = _account(parts, roles)
    try:
        identity = parts.authorities(managed.account.realm).find(managed.account.name)
    except AuthorityError as error:
        raise PointTrouble(f"the realm of {managed.account} was not asked: {error.message}", error.hint) from None
    if identity is None:
        raise PointTrouble(f"there is no account {managed.account} any more", hint="keyturn site reset makes it anew")
    with reach() as door:
        _log_on(parts, name, share, door, managed, identity)
        yield door


def _account(parts: Parts, roles: Collection[RoleName]) -> ManagedAccount:
    site, estate = parts.settings.site, parts.store.estate()
    for role in roles:
        for managed in estate.accounts:
            ours = managed.role == role and managed.usable and any(same_name(code, site) for code in managed.sites)
            if ours and managed.generation is not None:
                return _settled(parts, managed)
    names = " or ".join(role.partition("/")[2] for role in roles)
    parent = parent_of_secondary(parts)
    raise PointTrouble(
        f"site {site} has no {names} account whose password is known",
        hint=f"a secondary site has none: name the share in the estate of site {parent}, which sees to it, and not here"
        if parent
        else "list it as an [[account]] of the site, then keyturn account adopt",
    )


def _settled(parts: Parts, managed: ManagedAccount) -> ManagedAccount:
    if parts.store.changing(managed.account):
        raise PointTrouble(f"the password of {managed.account} is being changed", hint="keyturn plan list")
    return managed


def _log_on(parts: Parts, name: str, share: str, door: Door, managed: ManagedAccount, identity: Account) -> None:
    """A password that a file server called wrong is not presented again at any: not before it is another one."""
    assert managed.generation is not None
    mark = f"{identity.sid} generation {managed.generation}"
    known = {name, *(system.name for system in parts.store.document().systems if system.share)}
    if any(parts.store.point(each).refused == mark for each in known):
        raise PointTrouble(
            f"the password of {managed.account} was called wrong, so it is not presented again",
            hint=f"keyturn envelope verify tells whether somebody else has changed it; then keyturn account adopt "
            f"'{managed.account}'",
        )
    secret = parts.store.secret(Credential(managed.account, managed.generation))
    try:
        target = room_for_one(parts.authorities(managed.account.realm), parts.store, identity, parts.now())
        number = parts.store.begin(identity, target.replica, parts.now(), target.last_bad_at)
        answer = door.log_on(str(managed.account), secret)
        parts.store.end(number, answer)
    except (AuthorityError, BudgetExhausted) as error:
        raise PointTrouble(error.message, error.hint) from None
    if answer is Answer.WRONG_PASSWORD:
        parts.store.note_point(replace(parts.store.point(name), refused=mark))
    if answer is not Answer.ACCEPTED:
        raise PointTrouble(f"{share} answered {managed.account}: {answer}", _WAYS_OUT.get(answer, ""))


_WAYS_OUT = {
    Answer.LOCKED: "unlock the account; it is tried again by itself",
    Answer.DISABLED: "enable the account",
    Answer.NO_SHARE: "share it again, or correct `share` in the estate",
    Answer.NO_SHARE_ACCESS: "let the account into the share itself; keyturn site apply-acl sees to what is in it",
}
