"""The policy of each client: made from one reading of everything, and issued anew when it says something else."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from keyturn.distribution.collections import CLIENT_KINDS
from keyturn.distribution.policy_making import (
    Content,
    Issue,
    OnOffer,
    client_accounts,
    digest_of,
    issued,
    next_issue,
    offered_to,
    undated_policy,
)
from keyturn.model.accounts import RealmName, canonical, same_name
from keyturn.model.estate import Estate, HolderKind, SiteCode
from keyturn.model.software import Advertisement, AdvertisementId, ClientKind, DistributionPoint, PackageId, Policy
from keyturn.operations.parts import Parts
from keyturn.operations.software_owner import is_from_above
from keyturn.operations.software_points import content_at_points, points_for, points_in_use, read_at_source
from keyturn.operations.software_reading import InForce, in_force

FRESH_S = 2.0
"""How long a change may go unnoticed by a process that answers clients."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a client is told now. `undated` is shared by all that are told the same."""

    undated: Policy
    issue: Issue

    @property
    def policy(self) -> Policy:
        return issued(self.undated, self.issue)

    @property
    def mark(self) -> str:
        """Another one for each issue, and the same in every process of the site."""
        return f"{self.issue.counter}-{self.issue.digest[:16]}"


@dataclass(frozen=True, slots=True)
class _Client:
    """`at`: this site or one of its secondary sites, in canonical form."""

    at: str
    kind: ClientKind


@dataclass(frozen=True, slots=True)
class _Reading:
    """`on_offer` is by the site that clients are at, `clients` by canonical name. `made` is added to as clients ask."""

    edition: str
    on_offer: Mapping[str, OnOffer]
    clients: Mapping[str, _Client]
    made: dict[tuple[_Client, frozenset[AdvertisementId]], tuple[Policy, str]] = field(default_factory=dict)

    def undated(self, client: str) -> tuple[Policy, str] | None:
        """With its digest. None for whoever is no client of this site."""
        found = self.clients.get(canonical(client))
        if found is None:
            return None
        on_offer = self.on_offer[found.at]
        alike = found, offered_to(on_offer, client)
        if alike not in self.made:
            policy = undated_policy(on_offer, found.kind, alike[1])
            self.made[alike] = policy, digest_of(policy)
        return self.made[alike]


class Policies:
    """Reads everything once for each edition of it, and keeps what each client was told last: that a policy has not
    changed is found without asking the store. Any threads may share one. `clock` only ever rises."""

    def __init__(self, parts: Parts, clock: Callable[[], float]) -> None:
        self._parts = parts
        self._clock = clock
        self._reading: _Reading | None = None
        self._looked = 0.0
        self._issues: dict[str, Issue] = {}
        self._turn = threading.Lock()

    def at_hand(self, client: str) -> Told | None:
        """Without asking the store. None where it has to be asked."""
        reading = self._reading
        if reading is None or self._clock() - self._looked >= FRESH_S:
            return None
        found, last = reading.undated(client), self._issues.get(client)
        if found is None or last is None or self._next(client, last, found[1]) is not None:
            return None
        return Told(found[0], last)

    def of(self, clients: Collection[str]) -> dict[str, Told]:
        """Those of them that are clients of this site."""
        with self._turn:
            reading = self._look()
            undated = {name: found for name in clients if (found := reading.undated(name)) is not None}
            self._issue({name: digest for name, (_, digest) in undated.items()})
            return {name: Told(policy, self._issues[name]) for name, (policy, _) in undated.items()}

    def catch_up(self, client: str, seen: int) -> None:
        """Issue anew for a client that has taken a policy of a higher counter than is known here: the store was put
        back from a backup, and the client refuses what it says. Nothing where that would not help."""
        with self._turn, self._parts.store.whole():
            found, last = self._look().undated(client), self._parts.store.issues([client]).get(client)
            if found is None or last is None or seen <= last.counter:
                return
            issue = next_issue(client, replace(last, digest=""), found[1], 0.0, self._parts.now())
            if issue is not None and issue.counter > seen:
                self._parts.store.keep_issues([issue])
                self._issues[client] = issue

    def legacy(self, clients: Collection[str]) -> list[str]:
        """Those of them that read their policy at an access point."""
        with self._turn:
            known = self._look().clients
        found = ((name, known.get(canonical(name))) for name in clients)
        return [name for name, client in found if client is not None and client.kind is ClientKind.LEGACY]

    def _look(self) -> _Reading:
        now = self._clock()
        if self._reading is None or now - self._looked >= FRESH_S:
            edition = self._parts.store.policy_edition()
            if self._reading is None or self._reading.edition != edition:
                self._reading = _read(self._parts, edition)
            self._looked = now
        return self._reading

    def _issue(self, digests: Mapping[str, str]) -> None:
        """Asks the store before it writes there: another process of the site may have been first."""
        store = self._parts.store
        due = self._due(digests)
        self._issues |= store.issues(due)
        if not self._due(due):
            return
        with store.whole():
            self._issues |= store.issues(due)
            new = self._due(due)
            fresh = [
                issue for name, digest in new.items() if (issue := self._next(name, self._issues.get(name), digest))
            ]
            store.keep_issues(fresh)
        self._issues |= {issue.client: issue for issue in fresh}

    def _due(self, digests: Mapping[str, str]) -> dict[str, str]:
        return {name: digest for name, digest in digests.items() if self._next(name, self._issues.get(name), digest)}

    def _next(self, client: str, last: Issue | None, digest: str) -> Issue | None:
        return next_issue(client, last, digest, self._parts.settings.policy_s, self._parts.now())


def _read(parts: Parts, edition: str) -> _Reading:
    """The edition was found before: what has changed since is found at the next look."""
    site, estate, offered = parts.settings.site, parts.store.estate(), in_force(parts)
    packages, systems = offered.authored.packages, points_in_use(parts, estate)
    sources = read_at_source(parts, packages)
    members = {name: frozenset(map(canonical, names)) for name, names in offered.members.items()}

    def on_offer_at(code: str) -> OnOffer:
        points = points_for(parts, systems, code)
        lying = content_at_points(parts, points, packages)
        ready = (each for each in offered.advertisements if not _is_under_way(parts, offered, each, lying))
        return OnOffer(
            site=SiteCode(site),
            realm=_realm(estate, code),
            lifetime_s=parts.settings.policy_s,
            packages=packages,
            programs=offered.authored.programs,
            advertisements=tuple(ready),
            members=members,
            content={
                package: Content(digest, lying.get(package, ()), sources.get(package, ""))
                for package, digest in offered.authored.contents.items()
            },
            points=tuple(points.values()),
            accounts=client_accounts(estate, code),
            logs=parts.settings.client_logs,
        )

    codes = (site, *(below.code for below in estate.secondaries_of(site)))
    return _Reading(edition, {canonical(code): on_offer_at(code) for code in codes}, _clients(estate, site))


def _is_under_way(
    parts: Parts,
    offered: InForce,
    advertisement: Advertisement,
    lying: Mapping[PackageId, tuple[DistributionPoint, ...]],
) -> bool:
    """Whether content that was handed down is on its way to a distribution point here: nobody has told a person of this
    site that it may be advertised now, and a client that is too early fails for good."""
    if not is_from_above(parts, advertisement.advertisement_id):
        return False
    subject, assigned = offered.authored.subject(advertisement), parts.store.assigned_points()
    contents = subject.contents if subject else ()
    return any(digest and assigned.get(package) and not lying.get(package) for package, digest in contents)


def _clients(estate: Estate, site: str) -> dict[str, _Client]:
    """All of the site's, and the legacy ones of its secondary sites: these log on, and the accounts are here."""
    own, below = canonical(site), {canonical(each.code) for each in estate.secondaries_of(site)}

    @cache
    def client_of(code: SiteCode | None, kind: HolderKind) -> _Client | None:
        at = canonical(code or "")
        served = at == own or (at in below and kind is HolderKind.LEGACY_CLIENT)
        return _Client(at, ClientKind(CLIENT_KINDS[kind])) if served and kind in CLIENT_KINDS else None

    found = ((holder.name, client_of(holder.site, holder.kind)) for holder in estate.all_clients())
    return {canonical(name): client for name, client in found if client is not None}


def _realm(estate: Estate, site: str) -> RealmName:
    return next((each.realm for each in estate.sites if same_name(each.code, site)), RealmName(""))
