"""Sites above and below this one: invited, joined, their links, and what is sent to them by hand."""

import base64
from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.operations import bundles, hierarchy, links
from keyturn.operations.parts import Parts
from keyturn.server.rest.security import VIEWER, Operator, Site
from keyturn.site.bundles import Header, Kind, is_made_by_sites

router = APIRouter(prefix="/hierarchy", tags=["hierarchy"])


@dataclass(frozen=True, slots=True)
class Invited:
    code: str


@dataclass(frozen=True, slots=True)
class SiteInvitation:
    """`token` lets the site join once; it is shown here and nowhere again."""

    code: str
    url: str
    token: str = field(repr=False)
    lasts_s: float


@dataclass(frozen=True, slots=True)
class ToJoin:
    """`fingerprint` is the SHA-256 of the parent's certificate authority."""

    url: str
    fingerprint: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SiteShape:
    code: str
    kind: str
    parent: str | None
    server: str
    url: str


@dataclass(frozen=True, slots=True)
class LinkShape:
    """`state` is idle, sending, in trouble or held; moments are seconds since the epoch."""

    code: str
    direction: str
    state: str
    queued: int
    beyond: tuple[str, ...]
    last_sent_at: float | None
    next_try_at: float | None
    trouble: str


@dataclass(frozen=True, slots=True)
class AddressShape:
    code: str
    kind: str
    parent: str | None
    server: str
    url: str
    through: str
    introduced_by: str
    account: str | None
    generation: int | None
    standing: str | None


@dataclass(frozen=True, slots=True)
class ToSend:
    """`payload` is in Base64."""

    destination: str
    kind: str
    payload: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BundleShape:
    source: str
    destination: str
    kind: str
    sequence: int
    created: float


@dataclass(frozen=True, slots=True)
class ToCollect:
    source: str
    kind: str
    sequence: int
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """In Base64."""

    payload: str = field(repr=False)


@router.post("/invitations", status_code=201)
def invite_site(parts: Site, person: Operator, invited: Invited) -> SiteInvitation:
    """A one-use token by which the site joins below this one."""
    token = hierarchy.invite(parts, invited.code, by=person.name)
    return SiteInvitation(invited.code, parts.address.url, token.reveal(), parts.settings.invitation_s)


@router.post("/join")
def join_parent(parts: Site, person: Operator, wanted: ToJoin) -> SiteShape:
    """Join below another site, with a token that was made there."""
    card = hierarchy.join(parts, wanted.url, wanted.fingerprint, Secret(wanted.token), by=person.name)
    return SiteShape(card.code, card.kind, card.parent, card.server, card.address.url)


@router.post("/leave")
def leave_parent(parts: Site, person: Operator) -> Invited:
    """Let go of the parent and everything beyond it."""
    return Invited(hierarchy.leave(parts, by=person.name))


@router.delete("/sites/{name}", status_code=204)
def dismiss_site(parts: Site, person: Operator, name: str) -> None:
    """Let the child of that code go, and everything below it."""
    hierarchy.dismiss(parts, name, by=person.name)


@router.get("/links", dependencies=[VIEWER])
def show_links(parts: Site) -> list[LinkShape]:
    """How the way to the parent and to each child stands."""
    return [_link(link) for link in links.links(parts)]


@router.get("/addresses", dependencies=[VIEWER])
def show_addresses(parts: Site) -> list[AddressShape]:
    """Every site that is known here, and how it is reached."""
    return [_address(address) for address in links.addresses(parts)]


@router.post("/bundles", status_code=202)
def send_bundle(parts: Site, person: Operator, wanted: ToSend) -> BundleShape:
    """Queue a file for another site."""
    kind = _kind(wanted.kind)
    if is_made_by_sites(kind):
        raise Refused(f"bundles of kind {kind} are made by the sites themselves")
    payload = base64.b64decode(wanted.payload)
    with parts.store.whole():
        number = bundles.post(parts, SiteCode(wanted.destination), kind, payload)
        parts.store.tell(person.name, "bundle-queued", wanted.destination, f"{kind} {number}, {len(payload)} bytes")
    return BundleShape(parts.settings.site, wanted.destination, kind, number, parts.now())


@router.get("/received", dependencies=[VIEWER])
def show_received(parts: Site) -> list[BundleShape]:
    """What other sites sent and nobody has collected, oldest first."""
    return [_bundle(header) for header in parts.store.delivered()]


@router.post("/collect")
def collect_bundle(parts: Site, person: Operator, wanted: ToCollect) -> Payload:
    """The file inside a bundle that was received. The site gives it up, unless it is to be kept."""
    header = _delivered(parts, wanted)
    payload = bundles.collect(parts, header)
    with parts.store.whole():
        if not wanted.keep:
            parts.store.collected(header)
        parts.store.tell(person.name, "bundle-collected", str(header))
    return Payload(base64.b64encode(payload).decode())


def _delivered(parts: Parts, wanted: ToCollect) -> Header:
    for header in parts.store.delivered():
        if (header.source, header.kind, header.sequence) == (wanted.source, wanted.kind, wanted.sequence):
            return header
    what = f"{wanted.kind} {wanted.sequence} from {wanted.source}"
    raise NotFound(f"no bundle {what} is here", hint="keyturn site received")


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise NotFound(f"no kind of bundle {text}", hint="one of " + ", ".join(sorted(Kind))) from None


def _link(link: links.Link) -> LinkShape:
    record = link.record
    return LinkShape(
        link.to.code,
        "up" if link.is_parent else "down",
        link.state,
        link.queued,
        link.beyond,
        record.last_sent_at,
        record.next_try_at or None,
        record.trouble,
    )


def _address(address: links.SiteAddress) -> AddressShape:
    card, held = address.card, address.account
    return AddressShape(
        card.code,
        card.kind,
        card.parent,
        card.server,
        card.address.url,
        address.next_hop,
        address.introduced_by,
        held.account if held else None,
        held.generation if held else None,
        held.standing if held else None,
    )


def _bundle(header: Header) -> BundleShape:
    return BundleShape(header.source, header.destination, header.kind, header.sequence, header.created)
