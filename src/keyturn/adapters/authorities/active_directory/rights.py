"""What an account may do, by names that can be compared: groups, service principal names, delegation."""

from collections.abc import Collection
from dataclasses import dataclass

from ldap.dn import dn2str, str2dn

from keyturn.adapters.authorities.active_directory.directory import group_named, groups_with, require
from keyturn.adapters.authorities.active_directory.formats import neighbour, sid_text
from keyturn.adapters.authorities.active_directory.session import Entry, Session
from keyturn.adapters.authorities.active_directory.states import NAMING
from keyturn.lifecycle.ports import Rights
from keyturn.model.accounts import Account, canonical
from keyturn.model.errors import AuthorityError

_RIGHTS = (*NAMING, "primaryGroupID", "servicePrincipalName", "msDS-AllowedToDelegateTo", "userAccountControl")
_GROUP = ("sAMAccountName",)

_DELEGATION = {
    0x80000: "delegation:unconstrained",
    0x1000000: "delegation:protocol-transition",
    0x100000: "delegation:never-of-this-account",
}
"""Flags of `userAccountControl` (MS-ADTS 2.2.16)."""


@dataclass(frozen=True, slots=True)
class Model:
    """An account that another is made like."""

    container: str
    groups: tuple[Entry, ...]
    primary: int


def rights(session: Session, account: Account) -> Rights:
    """Groups in which it stands itself, and its primary group. What they lead to in turn is the same for equals.

    Rights that other objects grant to its identity are not among them: whoever gives those names a group.
    """
    entry = require(session, account, _RIGHTS)
    return Rights(frozenset(group.text("sAMAccountName") for group in _groups(session, entry)), _grants(entry))


def model(session: Session, account: Account) -> Model:
    entry = require(session, account, _RIGHTS)
    container = dn2str(str2dn(entry.dn)[1:])
    return Model(container, tuple(_groups(session, entry)), entry.number("primaryGroupID"))


def join_like(session: Session, entry: Entry, wanted: Model) -> None:
    made = session.read(entry.dn, _RIGHTS)
    has = {group.dn for group in _groups(session, made)} if made else set()
    for group in wanted.groups:
        if group.dn not in has:
            _join(session, entry, group)


def join(session: Session, account: Account, groups: Collection[str]) -> None:
    """AuthorityError, permanent, for a group that the domain does not have; those before it are joined already."""
    entry = require(session, account, _RIGHTS)
    has = {canonical(group.text("sAMAccountName")) for group in _groups(session, entry)}
    for name in sorted(groups):
        if canonical(name) in has:
            continue
        group = group_named(session, name, _GROUP)
        if group is None:
            raise AuthorityError(f"{account.realm} has no group {name}", permanent=True)
        _join(session, entry, group)


def _join(session: Session, entry: Entry, group: Entry) -> None:
    doing = f"putting {entry.text('sAMAccountName')} into {group.text('sAMAccountName')}"
    session.has_member(doing, group.dn, entry.dn)


def _groups(session: Session, entry: Entry) -> list[Entry]:
    sid = neighbour(sid_text(entry.raw("objectSid")), entry.number("primaryGroupID"))
    primary = session.identity(sid, _GROUP)
    return [*groups_with(session, entry.dn, _GROUP), *([primary] if primary else [])]


def _grants(entry: Entry) -> frozenset[str]:
    flags = entry.number("userAccountControl")
    return frozenset(
        [
            *(f"spn:{name}" for name in entry.texts("servicePrincipalName")),
            *(f"delegation:to:{name}" for name in entry.texts("msDS-AllowedToDelegateTo")),
            *(name for flag, name in _DELEGATION.items() if flags & flag),
        ]
    )
