"""Advertisements: programs offered to collections."""

from dataclasses import dataclass, fields

from fastapi import APIRouter

from keyturn.distribution.findings import Finding
from keyturn.model.software import Advertisement, AdvertisementId, Program
from keyturn.operations import advertising
from keyturn.operations.advertisement_status import ClientStanding, advertisement_status, history, summary
from keyturn.server.rest.security import VIEWER, Approver, Operator, Site

router = APIRouter(prefix="/advertisements", tags=["software"])


@dataclass(frozen=True, slots=True)
class Wanted:
    """`seen` is the digest of what was looked at beforehand."""

    advertisement: Advertisement
    seen: str


@dataclass(frozen=True, slots=True)
class Seen:
    digest: str


@dataclass(frozen=True, slots=True)
class ProspectShape:
    """`programs` in the order in which they run, `contents` the digests of their packages' content. `waits`: for
    another person's approval."""

    digest: str
    programs: list[Program]
    contents: dict[str, str]
    collection: str
    clients: list[str]
    warnings: list[Finding]
    waits: bool


@dataclass(frozen=True, slots=True)
class AdvertisementShape:
    """`digest` names what would run and where; it is empty where a part of that is gone. `agreed` are those who have
    said yes to exactly that, `approved_by` those of them who did as approvers."""

    advertisement: Advertisement
    standing: str
    advertised_by: str
    advertised_at: float
    collection: str
    programs: list[Program]
    contents: dict[str, str]
    digest: str
    agreed: list[str]
    approved_by: list[str]
    cancelled_by: str
    cancelled_at: float | None


@dataclass(frozen=True, slots=True)
class AccessShape:
    """One time that somebody was presented at a share or a distribution point."""

    unc: str
    identity: str
    order: int
    answer: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StandingShape:
    """`state` is `not-heard` or what the client told last; `at` by its clock, `arrived_at` by the site's. `member`: it
    is in the collection now. `remedy` is the way out of `cause`. `run` names one run, from its start to its end."""

    client: str
    site: str
    state: str
    member: bool
    user: str
    program: str
    reason: str
    cause: str
    remedy: str
    message_id: int
    exit_code: int | None
    executed_as: str
    login: str
    run: str
    at: float | None
    arrived_at: float | None
    accesses: list[AccessShape]


@dataclass(frozen=True, slots=True)
class StatusShape:
    """`counts`: how many clients are in each state."""

    counts: dict[str, int]
    clients: list[StandingShape]


@router.post("/preview", dependencies=[VIEWER])
def look_ahead(parts: Site, wanted: Advertisement) -> ProspectShape:
    """What it would run, and on which clients. Nothing is kept."""
    found = advertising.look_ahead(parts, wanted)
    subject = found.subject
    return ProspectShape(
        found.digest,
        list(subject.programs),
        dict(subject.contents),
        subject.collection.name,
        list(found.clients),
        list(found.warnings),
        found.waits,
    )


@router.post("", status_code=201)
def advertise(parts: Site, person: Operator, wanted: Wanted) -> AdvertisementShape:
    """Offer a program to a collection. What runs administratively waits for another person, where two are needed."""
    made = advertising.advertise(parts, wanted.advertisement, wanted.seen, by=person.name)
    return _shape(advertising.show(parts, made.advertisement.advertisement_id))


@router.get("", dependencies=[VIEWER])
def every(parts: Site) -> list[AdvertisementShape]:
    return [_shape(found) for found in advertising.show_all(parts)]


@router.get("/{advertisement_id}", dependencies=[VIEWER])
def show(parts: Site, advertisement_id: str) -> AdvertisementShape:
    return _shape(advertising.show(parts, AdvertisementId(advertisement_id)))


@router.get("/{advertisement_id}/status", dependencies=[VIEWER])
def status(parts: Site, advertisement_id: str) -> StatusShape:
    """How each client of the collection stands with it, by its own word."""
    found = advertisement_status(parts, AdvertisementId(advertisement_id))
    return StatusShape(summary(found), [_standing_shape(one) for one in found])


@router.get("/{advertisement_id}/status/{client}", dependencies=[VIEWER])
def client_history(parts: Site, advertisement_id: str, client: str) -> list[StandingShape]:
    """Everything that is kept of what one client told of it."""
    return [_standing_shape(one) for one in history(parts, AdvertisementId(advertisement_id), client)]


@router.post("/{advertisement_id}/approve")
def approve(parts: Site, person: Approver, advertisement_id: str, seen: Seen) -> AdvertisementShape:
    """Say yes to exactly what was shown."""
    return _shape(advertising.approve(parts, AdvertisementId(advertisement_id), seen.digest, by=person.name))


@router.post("/{advertisement_id}/cancel")
def cancel(parts: Site, person: Operator, advertisement_id: str) -> AdvertisementShape:
    """Offer it to nobody from here on."""
    cancelled = advertising.cancel(parts, AdvertisementId(advertisement_id), by=person.name)
    return _shape(advertising.show(parts, cancelled.advertisement.advertisement_id))


@router.delete("/{advertisement_id}", status_code=204)
def remove(parts: Site, person: Operator, advertisement_id: str) -> None:
    """One that is cancelled or has expired."""
    advertising.remove(parts, AdvertisementId(advertisement_id), by=person.name)


def _shape(shown: advertising.Shown) -> AdvertisementShape:
    advertised, subject = shown.advertised, shown.subject
    digest = subject.digest if subject else ""
    agreed = [consent for consent in shown.consents if consent.digest == digest]
    return AdvertisementShape(
        advertised.advertisement,
        shown.standing,
        advertised.advertised_by,
        advertised.advertised_at,
        subject.collection.name if subject else advertised.advertisement.collection,
        list(subject.programs) if subject else [],
        dict(subject.contents) if subject else {},
        digest,
        [consent.person for consent in agreed],
        [consent.person for consent in agreed if consent.approves],
        advertised.cancelled_by,
        advertised.cancelled_at,
    )


def _standing_shape(found: ClientStanding) -> StandingShape:
    told = {each.name: getattr(found, each.name) for each in fields(found) if each.name != "accesses"}
    accesses = [AccessShape(a.unc, a.identity, a.order, a.answer, a.status, a.seconds) for a in found.accesses]
    return StandingShape(**told, accesses=accesses)
