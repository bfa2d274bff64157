"""Groups with far more rights than changing passwords needs: who is in one could take the whole domain over."""

from collections.abc import Mapping

from keyturn.adapters.authorities.active_directory.formats import sid_text
from keyturn.adapters.authorities.active_directory.session import Session

_OF_A_DOMAIN = frozenset({512, 518, 519})
"""Domain, schema and enterprise administrators, by the last part of a SID (MS-DTYP 2.4.2.4)."""
_OF_EVERY_MACHINE = frozenset({"S-1-5-32-544", "S-1-5-32-548"})
"""Administrators; account operators, who may change every ordinary account."""
_IN_ANY_LANGUAGE = {512: "Domain Admins", 518: "Schema Admins", 519: "Enterprise Admins"} | {
    544: "Administrators",
    548: "Account Operators",
}


def is_strong(sid: str) -> bool:
    before, _, number = sid.rpartition("-")
    return sid in _OF_EVERY_MACHINE or (before.startswith("S-1-5-21-") and int(number) in _OF_A_DOMAIN)


def named(sid: str) -> str:
    """As the group is called in English, whatever this domain calls it."""
    return _IN_ANY_LANGUAGE[int(sid.rpartition("-")[2])]


def strong_groups(session: Session) -> Mapping[str, str]:
    """The strong group that each group leads to, by the group's name in small letters, and by the number that a member
    has it as `primaryGroupID`. A strong group leads to itself."""
    groups = list(session.every(session.base, "(objectClass=group)", ("objectSid", "memberOf")))
    found: dict[str, str] = {}
    for group in groups:
        sid = sid_text(group.raw("objectSid"))
        if is_strong(sid):
            found[group.dn.casefold()] = found[sid.rpartition("-")[2]] = named(sid)
    while True:
        more = {
            group.dn.casefold(): found[outer]
            for group in groups
            for outer in (name.casefold() for name in group.texts("memberOf"))
            if outer in found and group.dn.casefold() not in found
        }
        if not more:
            return found
        found |= more
