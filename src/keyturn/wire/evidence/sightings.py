"""A logon somebody made, as a directory wrote it down, and many of them added up."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from keyturn.model.accounts import canonical
from keyturn.model.logon import Answer
from keyturn.wire.scan import MOST_PLACES

SCAN = "scan"
"""How: nobody has logged on, but a machine is set up to."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """`domain` may be empty, NetBIOS or DNS, as the client wrote it. `machine` and `address` are where it came from,
    each empty where the record does not say. `answer` None: refused for a reason that says nothing of the password.
    `place`: a file of the machine that names the account."""

    at: float
    name: str
    domain: str
    machine: str
    address: str
    how: str
    answer: Answer | None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """All sightings of one account from one machine: `source` is its name, or an address that has none. `places` are
    the first MOST_PLACES of its files."""

    name: str
    domain: str
    source: str
    first_at: float
    last_at: float
    accepted: int = 0
    wrong: int = 0
    other: int = 0
    how: frozenset[str] = frozenset()
    places: tuple[str, ...] = ()

    @property
    def times(self) -> int:
        return self.accepted + self.wrong + self.other


def add_up(sightings: Iterable[Sighting], names: dict[str, str] | None = None) -> tuple[Seen, ...]:
    """By account and source, the most frequent first. `names` gives machines to addresses."""
    found: dict[tuple[str, ...], Seen] = {}
    for sighting in sightings:
        source = _source(sighting, names or {})
        key = (canonical(sighting.name), canonical(source), *_realm(sighting))
        known = found.get(key)
        if known is None:
            known = Seen(sighting.name, sighting.domain, source, sighting.at, sighting.at)
        found[key] = _with(known, sighting)
    return tuple(sorted(found.values(), key=lambda seen: (canonical(seen.name), -seen.times, canonical(seen.source))))


def read_hosts(text: str) -> dict[str, str]:
    """Addresses and names as in a hosts file: an address, then its name; more names and comments are left out."""
    found = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) >= 2:
            found[plain_address(words[0])] = words[1]
    return found


def plain_address(text: str) -> str:
    """An IPv4 address however it is wrapped; empty for none, and for this machine itself."""
    try:
        found = ip_address(text.strip().strip("[]"))
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None) or found
    return "" if mapped.is_loopback or mapped.is_unspecified else str(mapped)


def _source(sighting: Sighting, names: dict[str, str]) -> str:
    """What a client says of its name may be empty or wrong; an address that is known by name comes first."""
    host = names.get(sighting.address) or sighting.machine.lstrip("\\") or sighting.address
    return host.partition(".")[0] if host and not plain_address(host) else host


def _realm(sighting: Sighting) -> tuple[str, ...]:
    """A scan names the realm as the estate does; of a logon each record writes it in another way."""
    return (canonical(sighting.domain),) if sighting.how == SCAN else ()


def _with(seen: Seen, one: Sighting) -> Seen:
    return replace(
        seen,
        domain=seen.domain or one.domain,
        first_at=min(seen.first_at, one.at),
        last_at=max(seen.last_at, one.at),
        accepted=seen.accepted + (one.answer is Answer.ACCEPTED),
        wrong=seen.wrong + (one.answer is Answer.WRONG_PASSWORD),
        other=seen.other + (one.answer not in (Answer.ACCEPTED, Answer.WRONG_PASSWORD)),
        how=seen.how | ({one.how} if one.how else frozenset()),
        places=(*seen.places, one.place)[:MOST_PLACES] if one.place else seen.places,
    )
