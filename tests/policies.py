"""Offers and policies as a client gets them, for tests: what matters is said, the rest is as usual."""

from dataclasses import replace

from keyturn.model.estate import SiteCode
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    Assignment,
    ClientAccounts,
    ClientKind,
    CollectionId,
    DistributionPoint,
    Event,
    Offer,
    Package,
    PackageId,
    Policy,
    Program,
    Rerun,
)

NETWORK, INSTALLER, CONNECTION = "CORP\\naa", "CORP\\installer", "CORP\\SMSClient_PHX"
ACCOUNTS = ClientAccounts((CONNECTION,), (NETWORK,), (INSTALLER,))
POINT = DistributionPoint("DP1", r"\\dp1.corp.example\smspkg$")
NOW = 1_000_000.0


def offer(
    number: int = 1,
    *,
    assignments: tuple[Assignment, ...] = (Event.AS_SOON_AS_POSSIBLE,),
    rerun: Rerun = Rerun.NEVER,
    available_at: float = 0,
    expires_at: float | None = None,
    digest: str = "",
    points: tuple[DistributionPoint, ...] = (),
    first: tuple[Offer, ...] = (),
    package: str = "",
    **program: object,
) -> Offer:
    """Advertisement `PHX2000N` of a program of package `PHX0000N`."""
    package_id = PackageId(package or f"PHX{number:05}")
    named = Program(package_id, **{"name": "install", "command_line": "./install.sh", **program})  # type: ignore[arg-type]
    advertisement = Advertisement(
        AdvertisementId(f"PHX2{number:04}"),
        named.ref,
        CollectionId("PHX00100"),
        available_at,
        expires_at=expires_at,
        assignments=assignments,
        rerun=rerun,
    )
    return Offer(advertisement, named, Package(package_id, "a package"), digest, points, first)


def policy(*offers: Offer, counter: int = 1, kind: ClientKind = ClientKind.ADVANCED, **others: object) -> Policy:
    usual = Policy(
        site=SiteCode("PHX"),
        client="PC-0001",
        counter=counter,
        issued_at=0,
        expires_at=10 * NOW,
        offers=offers,
        accounts=ACCOUNTS,
        points=(POINT,),
        kind=kind,
    )
    return replace(usual, **others)  # type: ignore[arg-type]
