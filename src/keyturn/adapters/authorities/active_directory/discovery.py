"""A domain looked around in: its users with what tells services from people, its controllers, policies and sites."""

import math
from collections.abc import Iterator, Mapping, Set

from ldap.dn import str2dn

from keyturn.adapters.authorities.active_directory.domain import Domain
from keyturn.adapters.authorities.active_directory.formats import moment
from keyturn.adapters.authorities.active_directory.policy import domain_policy, fine_grained_policy
from keyturn.adapters.authorities.active_directory.published_sites import published_sites
from keyturn.adapters.authorities.active_directory.session import Entry, Session
from keyturn.adapters.authorities.active_directory.states import usable
from keyturn.adapters.authorities.active_directory.strong import strong_groups
from keyturn.operations.surveys import Candidate, LeftOut, NamedPolicy, Survey

_USERS, _MACHINES = "(sAMAccountType=805306368)", "(sAMAccountType=805306369)"
"""MS-ADTS 2.2.15: normal accounts; those of computers, and of services that Windows keeps the password of."""
_USER = (
    "sAMAccountName",
    "description",
    "servicePrincipalName",
    "userAccountControl",
    "msDS-AllowedToDelegateTo",
    "pwdLastSet",
    "lastLogonTimestamp",
    "memberOf",
    "primaryGroupID",
    "isCriticalSystemObject",
    "msDS-ResultantPSO",
    "givenName",
    "sn",
    "mail",
    "manager",
    "employeeID",
)
_MANAGED = {b"msDS-GroupManagedServiceAccount", b"msDS-ManagedServiceAccount"}
_NEVER_EXPIRES = 0x10000
_DELEGATION = {0x80000: "to every service", 0x1000000: "by protocol transition"}
"""Flags of `userAccountControl` (MS-ADTS 2.2.16)."""
_CONTROLLERS = "(&(objectClass=computer)(userAccountControl:1.2.840.113556.1.4.803:=8192))"
_PASSWORD_SETTINGS = "CN=Password Settings Container,CN=System"


def survey(session: Session, domain: Domain, now: float) -> Survey:
    users = list(session.every(session.base, _USERS, _USER))
    strong = strong_groups(session)
    critical = [user for user in users if user.text("isCriticalSystemObject") == "TRUE"]
    candidates = tuple(_candidate(user, strong, now) for user in users if user not in critical)
    return Survey(
        candidates,
        servers=_controllers(session),
        policies=tuple(_policies(session, domain)),
        left_out=(LeftOut("the domain's own", len(critical)), *_machines(session)),
        sites=published_sites(session),
    )


def _candidate(user: Entry, strong: Mapping[str, str], now: float) -> Candidate:
    flags = user.number("userAccountControl")
    path = [part[0] for part in str2dn(user.dn)]
    last_logon = moment(user.number("lastLogonTimestamp"))
    return Candidate(
        name=user.text("sAMAccountName"),
        enabled=usable(user),
        person=_is_person(user),
        units=tuple(value for kind, value, _ in path[1:] if kind.upper() == "OU"),
        description=" ".join(user.texts("description")),
        services=user.texts("servicePrincipalName"),
        delegation=(*user.texts("msDS-AllowedToDelegateTo"), *(n for flag, n in _DELEGATION.items() if flags & flag)),
        strong_groups=tuple(sorted(_strong_of(user, strong))),
        never_expires=bool(flags & _NEVER_EXPIRES),
        password_age_s=_age(moment(user.number("pwdLastSet")), now),
        idle_s=math.inf if last_logon is None else _age(last_logon, now),
        policy=_first_name(user.text("msDS-ResultantPSO")),
    )


def _is_person(user: Entry) -> bool:
    named = user.text("givenName") and user.text("sn")
    return bool(named and any(user.text(name) for name in ("mail", "manager", "employeeID")))


def _strong_of(user: Entry, strong: Mapping[str, str]) -> Set[str]:
    groups = {group.casefold() for group in user.texts("memberOf")} | {str(user.number("primaryGroupID"))}
    return {strong[group] for group in groups & strong.keys()}


def _controllers(session: Session) -> tuple[str, ...]:
    """The PDC emulator first: it takes every change of a password at once, whoever makes it."""
    found = {c.dn.casefold(): c.text("dNSHostName") for c in session.search(_CONTROLLERS, ("dNSHostName",))}
    head = session.read(session.base, ("fSMORoleOwner",))
    settings = head.text("fSMORoleOwner").partition(",")[2] if head else ""
    server = session.read(settings, ("serverReference",)) if settings else None
    emulator = found.get(server.text("serverReference").casefold() if server else "")
    return tuple(sorted(filter(None, found.values()), key=lambda host: (host != emulator, host)))


def _policies(session: Session, domain: Domain) -> Iterator[NamedPolicy]:
    yield NamedPolicy("of the domain", domain_policy(session, domain.policy))
    base = f"{_PASSWORD_SETTINGS},{session.base}"
    for found in session.every(base, "(objectClass=msDS-PasswordSettings)", ("cn",)):
        yield NamedPolicy(found.text("cn"), fine_grained_policy(session, found.dn, domain.policy))


def _machines(session: Session) -> Iterator[LeftOut]:
    computers, managed = 0, []
    for entry in session.every(session.base, _MACHINES, ("sAMAccountName", "objectClass")):
        if _MANAGED & set(entry.values.get("objectclass", ())):
            managed.append(entry.text("sAMAccountName"))
        else:
            computers += 1
    yield LeftOut("managed service accounts, whose passwords the domain itself changes", len(managed), tuple(managed))
    yield LeftOut("computers", computers)


def _age(at: float | None, now: float) -> float | None:
    return None if at is None else max(0.0, now - at)


def _first_name(dn: str) -> str:
    return str(str2dn(dn)[0][0][1]) if dn else ""
