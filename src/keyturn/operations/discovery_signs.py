"""What makes an account look like a service's, and what it would be called in the catalogue: tables, and adding up."""

import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from keyturn.model.accounts import RoleName
from keyturn.model.estate import RealmKind
from keyturn.operations.surveys import Candidate


class Certainty(StrEnum):
    LIKELY = "likely"
    POSSIBLE = "possible"
    NONE = "none"
    """No sign of being a service account; listed only where the estate has it already."""


@dataclass(frozen=True, slots=True)
class Verdict:
    certainty: Certainty
    reasons: tuple[str, ...]


LIKELY, POSSIBLE = 3, 2
"""From how many points on."""

DAY_S = 86400
_OLD_S = 365 * DAY_S
"""People are made to change theirs, or ask for a new one, within a year."""
_MANY = 3

NAME_BEGINNINGS = (
    "svc",
    "srv",
    "service",
    "sql",
    "mssql",
    "sms",
    "sccm",
    "backup",
    "bkp",
    "daemon",
    "ldap",
    "oracle",
    "postgres",
    "mysql",
    "sharepoint",
    "jenkins",
    "nagios",
    "zabbix",
    "iis",
    "ftp",
)
"""No family name is known to begin like one of these, so that `svcsql01` needs nothing between."""
NAME_WORDS = ("app", "batch", "scan", "task", "job", "sync", "bot", "agent", "monitor", "db", "web", "api")
"""Only as words of their own: `app-billing` and not `Appleby`."""
DESCRIPTION_WORDS = (
    "service account",
    "services",
    "service",
    "backup",
    "scheduled task",
    "sql server",
    "application",
    "used by",
    "runs as",
    "do not change",
    "do not disable",
    "do not reset",
    "do not delete",
    "daemon",
)
UNIT_WORDS = ("service account", "services", "service", "svc", "applications")


@dataclass(frozen=True, slots=True)
class Sign:
    """`reason` says what shows, after the account's name; empty where nothing does."""

    points: int
    reason: Callable[[Candidate], str]


def weigh(candidate: Candidate) -> Verdict:
    shown = [(sign.points, reason) for sign in SIGNS if (reason := sign.reason(candidate))]
    points = sum(points for points, _ in shown)
    certainty = Certainty.LIKELY if points >= LIKELY else Certainty.POSSIBLE if points >= POSSIBLE else Certainty.NONE
    return Verdict(certainty, (*(reason for _, reason in shown), *candidate.remarks))


def _services(candidate: Candidate) -> str:
    return f"has {_counted(candidate.services, 'service principal name')}" if candidate.services else ""


def _delegation(candidate: Candidate) -> str:
    return f"may act for others ({', '.join(candidate.delegation[:_MANY])})" if candidate.delegation else ""


def _nature(candidate: Candidate) -> str:
    return candidate.nature


def _name(candidate: Candidate) -> str:
    name = candidate.name.casefold()
    beginning = next((word for word in NAME_BEGINNINGS if name.startswith(word)), "")
    if beginning:
        return f"its name begins with {beginning}"
    word = _first_word(NAME_WORDS + NAME_BEGINNINGS, name)
    return f"its name has the word {word}" if word else ""


def _unit(candidate: Candidate) -> str:
    found = next((unit for unit in candidate.units if _first_word(UNIT_WORDS, unit.casefold())), "")
    return f"lies in {found}" if found else ""


def _description(candidate: Candidate) -> str:
    word = _first_word(DESCRIPTION_WORDS, candidate.description.casefold())
    return f'its description says "{word}"' if word else ""


def _never_expires(candidate: Candidate) -> str:
    return "its password never expires" if candidate.never_expires else ""


def _old_password(candidate: Candidate) -> str:
    age = candidate.password_age_s
    return f"its password is {_span(age)} old" if age is not None and age > _OLD_S else ""


def _strong(candidate: Candidate) -> str:
    return f"has the rights of {', '.join(candidate.strong_groups[:_MANY])}" if candidate.strong_groups else ""


def _last_logon(candidate: Candidate) -> str:
    idle_s = candidate.idle_s
    if idle_s is None or idle_s == math.inf:
        return "" if idle_s is None else "has never logged on"
    return f"logged on {_RECENTLY.get(round(idle_s / DAY_S)) or _span(idle_s) + ' ago'}"


_RECENTLY = {0: "today", 1: "yesterday"}


def _span(seconds: float) -> str:
    days = round(seconds / DAY_S)
    return f"{days} days" if days < 2 * 365 else f"{days // 365} years"


def _policy(candidate: Candidate) -> str:
    return f"under the fine-grained policy {candidate.policy}" if candidate.policy else ""


def _disabled(candidate: Candidate) -> str:
    return "" if candidate.enabled else "is disabled"


def _person(candidate: Candidate) -> str:
    return "but has what people have: names, an address" if candidate.person else ""


SIGNS: tuple[Sign, ...] = (
    Sign(3, _services),
    Sign(3, _delegation),
    Sign(2, _nature),
    Sign(2, _name),
    Sign(2, _unit),
    Sign(1, _description),
    Sign(1, _never_expires),
    Sign(1, _old_password),
    Sign(0, _strong),
    Sign(0, _last_logon),
    Sign(0, _policy),
    Sign(0, _disabled),
    Sign(-2, _person),
)
"""Keyturn's own rule. What counts nothing is told because it says how much hangs on the account."""


@dataclass(frozen=True, slots=True)
class Called:
    """An account whose product gave it its name (the catalogue's `name_pattern`)."""

    name: re.Pattern[str]
    role: str


CALLED: tuple[Called, ...] = tuple(
    Called(re.compile(pattern, re.IGNORECASE), f"sms2003/{role}")
    for pattern, role in (
        (r"SMSServer_\w{3}", "server-connection"),
        (r"SMSSvc_\w{3}_.{1,4}", "remote-service"),
        (r"SMSClient_\w{3}", "client-connection-default"),
        (r"SMS&_.+", "client-services-dc"),
        (r"SMS#_.+", "ccm-boot-loader-dc"),
        (r"SMSCliToknAcct&", "client-user-token-dc"),
    )
)

BY_KIND: dict[str, str] = {
    RealmKind.POSTGRESQL: "generic/database",
    RealmKind.MARIADB: "generic/database",
    RealmKind.SQL_SERVER: "generic/database",
}


def role_for(candidate: Candidate, kind: str) -> RoleName:
    """A proposal: an account that several machines bear in its service names is shared by them."""
    for called in CALLED:
        if called.name.fullmatch(candidate.name):
            return RoleName(called.role)
    if kind in BY_KIND:
        return RoleName(BY_KIND[kind])
    return RoleName("generic/shared-service" if len(_machines(candidate.services)) > 1 else "generic/service")


def _machines(services: Collection[str]) -> frozenset[str]:
    """Of `class/host:port/name`, the hosts by their first label: a service is often listed by both of its names."""
    hosts = (service.split("/")[1] for service in services if "/" in service)
    return frozenset(host.partition(":")[0].partition(".")[0].casefold() for host in hosts)


def _first_word(words: Collection[str], text: str) -> str:
    return next((word for word in words if re.search(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])", text)), "")


def _counted(names: Collection[str], what: str) -> str:
    shown = ", ".join(list(names)[:_MANY])
    more = len(names) - _MANY
    return f"the {what}{'s' if len(names) > 1 else ''} {shown}" + (f" and {more} more" if more > 0 else "")
