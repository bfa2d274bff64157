"""The hierarchy as this site knows it: sites invited, joined, introduced to each other, and left.

Who vouches for whom: a token and a pinned authority make parent and child known to each other. All others are known
by the word of a neighbour: below a child by that child's, everywhere else by the parent's. A neighbour that speaks of
a site on another side is not believed.
"""

from collections.abc import Sequence
from dataclasses import replace

from keyturn.model.accounts import same_name
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import Site, SiteCode, SiteKind
from keyturn.model.secret import Secret
from keyturn.operations.bundles import post
from keyturn.operations.client_ports import EnrolledClient
from keyturn.operations.clients import hash_token
from keyturn.operations.entitlements import offer_to_enrolled
from keyturn.operations.hierarchy_ports import Joined, Joining, KnownSite
from keyturn.operations.neighbours import here, neighbours, tree
from keyturn.operations.parts import Parts
from keyturn.operations.secondary import is_furnished, refuse_at_secondary
from keyturn.site import messages
from keyturn.site.bundles import Kind
from keyturn.site.cards import Address, Card
from keyturn.site.messages import Sites


def invite(parts: Parts, code: str, *, by: str) -> Secret:
    """A token by which exactly this site joins below this one, once, within the settings' time."""
    refuse_at_secondary(parts, "sites below", f"keyturn site invite {code}")
    site = _child(parts, code)
    token = Secret(parts.token())
    with parts.store.whole():
        parts.store.invite(site.server, hash_token(token), parts.now() + parts.settings.invitation_s, by)
        parts.store.tell(by, "site-invited", site.code)
    return token


def accept(parts: Parts, joining: Joining) -> Joined:
    """A site that comes with its token. Refused where the estate has it elsewhere, or another site has its code."""
    site = _child(parts, joining.code)
    if not same_name(site.server, joining.server):
        raise Refused(
            f"the server of site {site.code} is {joining.server}, and {site.server} in the estate of its parent",
            hint="let both estates name the same server",
        )
    if site.kind is SiteKind.SECONDARY and joining.furnished:
        raise Refused(
            f"site {site.code} is to be a secondary site, and has accounts or software of its own",
            hint="found it in a new directory: keyturn init --no-default-account",
        )
    own = own_card(parts)
    address = Address(joining.url, joining.authority)
    card = Card(site.code, site.kind, own.code, site.server, address, joining.verify_key, joining.recipient)
    _refuse_second_way(parts, card, introduced_by=card.code)
    with parts.store.whole():
        parts.store.enrol(hash_token(joining.token), _as_client(card, parts.now()))
        gone = _forget_branch(parts, card.code) if card.code in tree(parts) else ()
        parts.store.keep_site(KnownSite(card, card.code))
        parts.store.keep_site(KnownSite(own, own.code))
        parts.store.tell(card.code, "site-joined", card.code, f"below {own.code}")
        others = tuple(known.card for known in parts.store.known_sites() if known.introduced_by != card.code)
        _announce(parts, Sites((card,), gone), heard_from=card.code)
    offer_to_enrolled(parts, only=card.server)
    return Joined(own, card, tuple(other for other in others if other.code != own.code))


def join(parts: Parts, url: str, fingerprint: str, token: Secret, *, by: str) -> Card:
    """Take this site's place below the parent at `url`. Returns the parent's card."""
    own = own_card(parts)
    if own.parent is not None:
        raise Refused(f"site {own.code} stands below site {own.parent} already", hint="keyturn site leave")
    joining = Joining(
        token,
        own.code,
        own.server,
        own.address.url,
        own.address.authority,
        own.verify_key,
        own.recipient,
        is_furnished(parts),
    )
    joined = parts.line.join(url, fingerprint, joining)
    if not same_name(joined.own.code, own.code):
        raise Refused(f"the parent took this site for {joined.own.code}")
    parent, place = joined.parent, replace(own, kind=joined.own.kind, parent=joined.parent.code)
    below = tuple(known.card for known in parts.store.known_sites() if known.card.code != own.code)
    with parts.store.whole():
        parts.store.keep_site(KnownSite(place, own.code))
        for card in (parent, *joined.others):
            parts.store.keep_site(KnownSite(card, parent.code))
        _enrol(parts, parent)
        tree(parts)
        _announce(parts, Sites((parent, *joined.others)), heard_from=parent.code)
        if below:
            post(parts, parent.code, Kind.SITES, messages.write(Sites(below)))
        parts.store.tell(by, "site-joined", own.code, f"below {parent.code}")
    offer_to_enrolled(parts, only=parent.server)
    return parent


def leave(parts: Parts, *, by: str) -> SiteCode:
    """Let go of the parent and of everything beyond it. What was queued for them is thrown away. Returns its code."""
    own = own_card(parts)
    if own.parent is None:
        raise Refused(f"site {own.code} stands below no other site")
    beyond = tuple(k.card.code for k in parts.store.known_sites() if same_name(k.introduced_by, own.parent))
    with parts.store.whole():
        for code in beyond:
            parts.store.forget_site(code)
        parts.store.keep_site(KnownSite(replace(own, parent=None), own.code))
        for held in parts.store.held_credentials():
            if held.owner in beyond:
                parts.store.let_go(held.account)
        _announce(parts, Sites(left=beyond), heard_from=own.parent)
        parts.store.tell(by, "site-left", own.code, f"below {own.parent}")
    return own.parent


def dismiss(parts: Parts, code: str, *, by: str) -> tuple[SiteCode, ...]:
    """Let a child and everything below it go. Its queue is thrown away; who is enrolled stays so until the estate
    says otherwise. Returns who is gone."""
    child = next((k.card for k in parts.store.known_sites() if same_name(k.card.code, code)), None)
    if child is None or child.parent != parts.settings.site:
        raise NotFound(f"no site {code} stands right below this one", hint="keyturn site links")
    with parts.store.whole():
        gone = _forget_branch(parts, child.code)
        _announce(parts, Sites(left=gone), heard_from=child.code)
        parts.store.tell(by, "site-dismissed", child.code, ", ".join(gone))
    return gone


def learn(parts: Parts, source: SiteCode, payload: bytes) -> None:
    """What a neighbour says of the sites on its side. Refused, all of it, where it speaks of others."""
    said = messages.read(Sites, payload)
    if source not in {card.code for card in neighbours(parts)}:
        raise Refused(f"site {source} is no neighbour, and tells of others")
    for code in said.left:
        known = next((k for k in parts.store.known_sites() if same_name(k.card.code, code)), None)
        if known is not None and known.introduced_by == source and known.card.code != source:
            parts.store.forget_site(known.card.code)
    for card in said.joined:
        _refuse_second_way(parts, card, introduced_by=source)
        _refuse_other_side(parts, card, source)
        before = next((k.card for k in parts.store.known_sites() if k.card.code == card.code), None)
        if before is not None and before.verify_key != card.verify_key:
            parts.store.forget_site(card.code)
        parts.store.keep_site(KnownSite(card, source))
        parts.store.tell(source, "site-introduced", card.code, f"below {card.parent}")
        _enrol_where_expected(parts, card)
    tree(parts)
    _announce(parts, said, heard_from=source)
    for card in said.joined:
        offer_to_enrolled(parts, only=card.server)


def own_card(parts: Parts) -> Card:
    site, place, keys = parts.store.estate().site(parts.settings.site), here(parts), parts.store.site_keys()
    return Card(place.code, place.kind, place.parent, site.server, parts.address, keys.verify_key, keys.recipient)


def _child(parts: Parts, code: str) -> Site:
    site = parts.store.estate().site(code)
    if site.parent is None or not same_name(site.parent, parts.settings.site):
        raise Refused(
            f"site {site.code} does not stand below site {parts.settings.site} in the estate",
            hint=f'parent = "{parts.settings.site}" at its [[site]]',
        )
    return site


def _refuse_second_way(parts: Parts, card: Card, *, introduced_by: SiteCode) -> None:
    """One code, one site, one place."""
    if same_name(card.code, parts.settings.site):
        raise Refused(f"another site bears the code {card.code}, which is this site's", hint="give it another code")
    for known in parts.store.known_sites():
        if same_name(known.card.code, card.code) and known.introduced_by != introduced_by:
            raise Refused(
                f"site {card.code} below {card.parent} has the code of the site below {known.card.parent}",
                hint="a site code is given once in a hierarchy",
            )


def _refuse_other_side(parts: Parts, card: Card, source: SiteCode) -> None:
    """A child speaks of what is below it, the parent of everything that is not below this site."""
    if source == here(parts).parent:
        if card.parent is not None and same_name(card.parent, parts.settings.site):
            raise Refused(f"site {source} tells of site {card.code} below this one")
        return
    known = tree(parts)
    below = {place.code for place in known.branch(source)}
    if card.parent not in below:
        raise Refused(f"site {source} tells of site {card.code} below {card.parent}, which is not its own branch")


def _forget_branch(parts: Parts, code: SiteCode) -> tuple[SiteCode, ...]:
    gone = tuple(place.code for place in tree(parts).branch(code))
    for one in gone:
        parts.store.forget_site(one)
    return gone


def _announce(parts: Parts, said: Sites, *, heard_from: SiteCode) -> None:
    for card in neighbours(parts):
        if card.code != heard_from:
            post(parts, card.code, Kind.SITES, messages.write(said))


def _enrol_where_expected(parts: Parts, card: Card) -> None:
    """A name that the estate does not give to this site's server may be another machine's."""
    sites: Sequence[Site] = parts.store.estate().sites
    if any(same_name(s.code, card.code) and same_name(s.server, card.server) for s in sites):
        _enrol(parts, card)


def _enrol(parts: Parts, card: Card) -> None:
    """As a holder of accounts, which signs its requests. A token of the moment stands for the word that is believed."""
    token = hash_token(Secret(parts.token()))
    parts.store.invite(card.server, token, parts.now() + parts.settings.invitation_s, card.code)
    parts.store.enrol(token, _as_client(card, parts.now()))


def _as_client(card: Card, now: float) -> EnrolledClient:
    return EnrolledClient(card.server, card.verify_key, card.recipient, enrolled_at=now)
