"""Where this site stands among those it knows."""

from collections.abc import Sequence
from functools import lru_cache

from keyturn.model.accounts import same_name
from keyturn.model.errors import NotFound
from keyturn.model.estate import SiteCode
from keyturn.operations.hierarchy_ports import KnownSite
from keyturn.operations.parts import Parts
from keyturn.operations.ports import Store
from keyturn.site.cards import Card
from keyturn.site.hierarchy import Place, Tree


def here(parts: Parts) -> Place:
    """This site. Its parent is the one it has joined, whatever the estate plans."""
    return _here(parts, parts.store.known_sites())


def _here(parts: Parts, known: Sequence[KnownSite]) -> Place:
    for each in known:
        if same_name(each.card.code, parts.settings.site):
            return each.card.place
    site = parts.store.document().site(parts.settings.site)
    return Place(site.code, site.kind, None)


def own_server(store: Store, code: str) -> str:
    """The name under which this site signs what it sends."""
    for known in store.known_sites():
        if same_name(known.card.code, code):
            return known.card.server
    return store.document().site(code).server


def tree(parts: Parts) -> Tree:
    """This site and all it knows of. Refused for what is no tree."""
    known = parts.store.known_sites()
    own = _here(parts, known)
    return _tree((own, *(k.card.place for k in known if k.card.code != own.code)))


@lru_cache(maxsize=4)
def _tree(places: tuple[Place, ...]) -> Tree:
    """Asked for with every bundle, and another one only when a site comes or goes."""
    return Tree(places)


def neighbours(parts: Parts) -> tuple[Card, ...]:
    """The parent and the children."""
    known = parts.store.known_sites()
    own = _here(parts, known)
    cards = (site.card for site in known)
    return tuple(card for card in cards if card.code == own.parent or card.parent == own.code)


def card_of(parts: Parts, code: str) -> Card:
    for known in parts.store.known_sites():
        if same_name(known.card.code, code):
            return known.card
    raise NotFound(f"no site {code} is known here", hint="keyturn site addresses")


def served_by(parts: Parts, server: str) -> Card | None:
    """The site whose server has this name."""
    cards = (known.card for known in parts.store.known_sites())
    return next((card for card in cards if same_name(card.server, server)), None)


def reached_through(parts: Parts, hop: SiteCode) -> tuple[SiteCode, ...]:
    """Every site to which the way leads through this neighbour."""
    known, own = tree(parts), here(parts)
    below = {place.code for place in known.branch(own.code)}
    if hop == own.parent:
        return tuple(k.card.code for k in parts.store.known_sites() if k.card.code not in below)
    return tuple(place.code for place in known.branch(hop))
