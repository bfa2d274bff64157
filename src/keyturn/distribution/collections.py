"""Which clients belong to a collection, by what is known of them.

A fact has one value or several (a machine has several addresses): a comparison holds where any value meets it, and
`is-not` where none is the value. A fact that is not known meets no condition.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from keyturn.distribution.findings import Finding, warning
from keyturn.model.accounts import canonical
from keyturn.model.estate import Holder, HolderKind
from keyturn.model.software import Collection, Comparison, Condition
from keyturn.model.spelling import nearest, shown

Facts: TypeAlias = Mapping[str, tuple[str, ...]]

CLIENT_KINDS: Mapping[HolderKind, str] = {HolderKind.ADVANCED_CLIENT: "advanced", HolderKind.LEGACY_CLIENT: "legacy"}
"""A machine of any other kind is offered no software."""

FROM_THE_ESTATE = ("name", "site", "kind")
"""What the estate says of a client; its own word on these does not count."""


FROM_THE_CLIENT = (
    "os", "os-version", "kernel", "architecture", "host", "domain", "address", "processors", "memory-mb",
    "package-system", "client-version",
)  # fmt: skip
"""What this version's agent tells of its machine, as far as it can find it out; others may tell more."""

_MOST_SHOWN = 25


@dataclass(frozen=True, slots=True)
class KnownClient:
    name: str
    facts: Facts


def known_client(holder: Holder, told: Facts) -> KnownClient:
    """A client of the estate, with what it told of itself."""
    given = {"name": (holder.name,), "kind": (CLIENT_KINDS[holder.kind],)}
    if holder.site:
        given["site"] = (holder.site,)
    own = {fact: values for fact, values in told.items() if fact not in FROM_THE_ESTATE}
    return KnownClient(holder.name, {**own, **given})


def members(collection: Collection, clients: Iterable[KnownClient]) -> tuple[str, ...]:
    """Their names, in the order of `clients`."""
    listed = {canonical(name) for name in collection.listed}
    return tuple(
        client.name for client in clients if canonical(client.name) in listed or _is_queried(collection, client.facts)
    )


def findings_of_queries(collection: Collection, clients: Iterable[KnownClient]) -> tuple[Finding, ...]:
    """A warning for each fact asked for that nobody has: it may be misspelt, or be told by a client to come."""
    told = {fact for client in clients for fact in client.facts} | {*FROM_THE_ESTATE}
    asked = dict.fromkeys(condition.fact for query in collection.queries for condition in query)
    return tuple(_unknown(fact, told) for fact in asked if fact not in told)


def _unknown(fact: str, told: set[str]) -> Finding:
    if fact in FROM_THE_CLIENT:
        text = f"no client of this site has told its {fact} yet: until one does, none meets a condition on it"
        return warning("fact-not-told", text)
    known = sorted(told.union(FROM_THE_CLIENT))
    more = f" and {len(known) - _MOST_SHOWN} more" if len(known) > _MOST_SHOWN else ""
    text = f"no client of this site has told a fact {shown(fact)}: none meets a condition on it"
    return warning("fact-unknown", text, nearest(fact, known, f"known are {', '.join(known[:_MOST_SHOWN])}{more}"))


def meets(condition: Condition, facts: Facts) -> bool:
    values = facts.get(condition.fact, ())
    if condition.comparison is Comparison.IS_NOT:
        return bool(values) and not any(_is(value, condition.value) for value in values)
    return any(_HOLDS[condition.comparison](value, condition.value) for value in values)


def _is_queried(collection: Collection, facts: Facts) -> bool:
    return any(query and all(meets(condition, facts) for condition in query) for query in collection.queries)


def _is(value: str, wanted: str) -> bool:
    return canonical(value) == canonical(wanted)


def _is_like(value: str, pattern: str) -> bool:
    """Goes back to the last `*` alone, so that no pattern takes more than their lengths multiplied."""
    text, wanted = canonical(value), canonical(pattern)
    at = place = resume = 0
    star: int | None = None
    while at < len(text):
        if wanted[place : place + 1] == "*":
            star, resume = place, at
            place += 1
        elif wanted[place : place + 1] in ("?", text[at]):
            at, place = at + 1, place + 1
        elif star is not None:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return not wanted[place:].strip("*")


def _at_least(value: str, wanted: str) -> bool:
    one, other = _parts(value), _parts(wanted)
    longest = max(len(one), len(other))
    return _padded(one, longest) >= _padded(other, longest)


_Part: TypeAlias = tuple[bool, int, str]


def _parts(version: str) -> list[_Part]:
    """Numbers by their size, and above words: `1.0` is later than `1.0rc2`."""
    found = re.findall(r"[0-9]{1,18}|[a-z]+", canonical(version))
    return [(True, int(part), "") if part[0].isdigit() else (False, 0, part) for part in found]


def _padded(parts: list[_Part], length: int) -> list[_Part]:
    """`12` is `12.0`."""
    return parts + [(True, 0, "")] * (length - len(parts))


_HOLDS: Mapping[Comparison, Callable[[str, str], bool]] = {
    Comparison.IS: _is,
    Comparison.LIKE: _is_like,
    Comparison.AT_LEAST: _at_least,
    Comparison.BELOW: lambda value, wanted: not _at_least(value, wanted),
}
