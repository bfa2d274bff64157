"""What each client is to do, made from everything that its site offers.

A policy names only what is the client's own: offers to collections it is in, and the accounts that its kind of client
holds. Two clients of one kind in the same collections are told the same, but for their names.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from keyturn.model.accounts import RealmName, canonical, same_name
from keyturn.model.estate import Estate, SiteCode
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    ClientAccounts,
    ClientKind,
    CollectionId,
    DistributionPoint,
    LogSettings,
    Offer,
    Package,
    PackageId,
    Policy,
    Program,
    ProgramName,
)

_ROLES: Mapping[str, tuple[ClientKind, str]] = {
    "client-connection-default": (ClientKind.LEGACY, "client_connection"),
    "client-connection-additional": (ClientKind.LEGACY, "client_connection"),
    "software-installation": (ClientKind.LEGACY, "software_installation"),
    "network-access": (ClientKind.ADVANCED, "network_access"),
}
"""Which kind of client uses an account of this role, and as what (Table 12.2). The catalogues of both products name
them alike."""


@dataclass(frozen=True, slots=True)
class Content:
    """Of a package: its manifest's digest, and the points that have exactly that version, in the order in which they
    are tried. `source` where clients read it themselves."""

    digest: str = ""
    points: tuple[DistributionPoint, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class OnOffer:
    """All that a site has for its clients, in one reading: what nobody has approved is not in it. `members` are names
    of clients in canonical form. `lifetime_s` is how long a policy holds."""

    site: SiteCode
    realm: RealmName
    lifetime_s: float
    packages: Mapping[PackageId, Package] = field(default_factory=dict)
    programs: Mapping[ProgramName, Program] = field(default_factory=dict)
    advertisements: tuple[Advertisement, ...] = ()
    members: Mapping[CollectionId, frozenset[str]] = field(default_factory=dict)
    content: Mapping[PackageId, Content] = field(default_factory=dict)
    points: tuple[DistributionPoint, ...] = ()
    accounts: Mapping[ClientKind, ClientAccounts] = field(default_factory=dict)
    logs: LogSettings = LogSettings()


@dataclass(frozen=True, slots=True)
class Issue:
    """The policy that a client was told last: `digest` of what it said, when it was made, and under which counter."""

    client: str
    digest: str
    counter: int
    issued_at: float


def offered_to(on_offer: OnOffer, client: str) -> frozenset[AdvertisementId]:
    name = canonical(client)
    return frozenset(
        each.advertisement_id
        for each in on_offer.advertisements
        if name in on_offer.members.get(each.collection, frozenset())
    )


def undated_policy(on_offer: OnOffer, kind: ClientKind, wanted: frozenset[AdvertisementId]) -> Policy:
    """For any client of that kind to which these advertisements are offered. It bears no name and no counter yet, and
    its moments count from 0."""
    offers = (_offer(on_offer, each) for each in on_offer.advertisements if each.advertisement_id in wanted)
    return Policy(
        site=on_offer.site,
        client="",
        counter=0,
        issued_at=0,
        expires_at=on_offer.lifetime_s,
        offers=tuple(offer for offer in offers if offer is not None),
        accounts=on_offer.accounts.get(kind, ClientAccounts()),
        points=on_offer.points,
        realm=on_offer.realm,
        logs=on_offer.logs,
        kind=kind,
    )


def digest_of(undated: Policy) -> str:
    return hashlib.sha256(msgspec.json.encode(undated)).hexdigest()


def issued(undated: Policy, issue: Issue) -> Policy:
    expires_at = issue.issued_at + undated.expires_at
    return replace(
        undated, client=issue.client, counter=issue.counter, issued_at=issue.issued_at, expires_at=expires_at
    )


def next_issue(client: str, last: Issue | None, digest: str, lifetime_s: float, now: float) -> Issue | None:
    """None while the last one still tells the same and is not yet half way to its end.

    A counter is at least the second in which it was given: a site whose store was put back from a backup does not
    count where its clients have been before.
    """
    if last is not None and last.digest == digest and abs(now - last.issued_at) < lifetime_s / 2:
        return None
    return Issue(client, digest, max(int(now), last.counter + 1 if last else 1), now)


def client_accounts(estate: Estate, site: str) -> dict[ClientKind, ClientAccounts]:
    """The site's accounts that are in use, by who uses them, in the estate's order."""
    found: dict[ClientKind, dict[str, list[str]]] = {kind: {} for kind in ClientKind}
    for managed in estate.accounts:
        role = _ROLES.get(managed.role.rpartition("/")[2])
        if role is None or not managed.usable or not _is_among(site, managed.sites):
            continue
        kind, purpose = role
        found[kind].setdefault(purpose, []).append(str(managed.account))
    return {
        kind: ClientAccounts(**{purpose: tuple(names) for purpose, names in purposes.items()})
        for kind, purposes in found.items()
    }


def _is_among(site: str, sites: Iterable[SiteCode]) -> bool:
    return any(same_name(site, each) for each in sites)


def _offer(on_offer: OnOffer, advertisement: Advertisement) -> Offer | None:
    """None where it, or what has to run before it, is not to be had: half an installation is worse than none."""
    return _offer_of(on_offer, advertisement, frozenset())


def _offer_of(on_offer: OnOffer, advertisement: Advertisement, before: frozenset[ProgramName]) -> Offer | None:
    """`before`: the programs that this one is to precede. One that would precede itself is not to be had."""
    name = advertisement.program
    program, package = on_offer.programs.get(name), on_offer.packages.get(name.package)
    if program is None or package is None or name in before:
        return None
    first: tuple[Offer, ...] = ()
    if program.run_first is not None:
        found = _offer_of(on_offer, replace(advertisement, program=program.run_first), before | {name})
        if found is None:
            return None
        first = (found,)
    content = on_offer.content.get(package.package_id, Content())
    return Offer(advertisement, program, package, content.digest, content.points, first, content.source)
