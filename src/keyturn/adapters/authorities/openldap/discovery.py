"""A directory's accounts with what tells services from people."""

from collections import defaultdict

from ldap.dn import str2dn

from keyturn.adapters.authorities.openldap.entry import WANTED, record
from keyturn.adapters.authorities.openldap.session import Entry, Session
from keyturn.adapters.authorities.openldap.settings import Settings
from keyturn.operations.surveys import Candidate, LeftOut, Survey

_ACCOUNTS = "(&(objectClass=person)(uid=*))"
_OTHERS = "(&(uid=*)(userPassword=*)(!(objectClass=person)))"
_OF_PROGRAMS = ("applicationProcess", "simpleSecurityObject", "account")
_OF_PEOPLE = ("givenName", "mail", "employeeNumber", "manager")
_PERSON_FROM = 2


def survey(session: Session, settings: Settings, now: float) -> Survey:
    """What is no `person` cannot be worked with, and is named."""
    wanted = (*WANTED, "objectClass", "description", *_OF_PEOPLE)
    found = session.every(settings.accounts, _ACCOUNTS, wanted)
    others = [e.attributes["uid"][0].decode() for e in session.every(settings.accounts, _OTHERS, ("uid",))]
    groups = _groups(session, settings.groups)
    return Survey(
        tuple(_candidate(entry, settings.accounts, groups[entry.dn.casefold()], now) for entry in found),
        servers=settings.hosts,
        left_out=(
            LeftOut("with a password and not of the class person, which Keyturn wants", len(others), tuple(others)),
        ),
    )


def _candidate(entry: Entry, base: str, groups: list[str], now: float) -> Candidate:
    of = record(entry)
    path = [parts[0] for parts in str2dn(entry.dn)[: -len(str2dn(base)) or None]]
    has = {name.casefold() for name in entry.attributes}
    classes = {value.decode().casefold() for value in entry.attributes.get("objectClass", ())}
    nature = next((name for name in _OF_PROGRAMS if name.casefold() in classes), "")
    return Candidate(
        name=of.name,
        enabled=not of.disabled,
        nature=f"is of the class {nature}" if nature else "",
        person=sum(name.casefold() in has for name in _OF_PEOPLE) >= _PERSON_FROM,
        units=tuple(name for kind, name, _ in path if kind.lower() == "ou"),
        description=" ".join(value.decode("utf-8", "replace") for value in entry.attributes.get("description", ())),
        password_age_s=max(0.0, now - of.mark) if of.mark else None,
        idle_s=None if of.last_logon_at is None else max(0.0, now - of.last_logon_at),
        policy=(of.policy or "").partition(",")[0].partition("=")[2],
        remarks=(f"is in {', '.join(groups)}",) if groups else (),
    )


def _groups(session: Session, base: str) -> defaultdict[str, list[str]]:
    """Names of groups by the member's."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for group in session.every(base, "(objectClass=groupOfNames)", ("cn", "member")):
        for member in group.attributes.get("member", ()):
            found[member.decode().casefold()].append(group.attributes["cn"][0].decode())
    return found
