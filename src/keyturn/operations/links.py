"""The links of this site, as people look at them."""

from dataclasses import dataclass

from keyturn.model.accounts import same_name
from keyturn.model.estate import SiteCode
from keyturn.operations.hierarchy_ports import HeldCredential, LinkRecord
from keyturn.operations.neighbours import here, neighbours, reached_through, tree
from keyturn.operations.parts import Parts
from keyturn.operations.site_control import setting
from keyturn.operations.site_credentials import is_address_account
from keyturn.site.cards import Card
from keyturn.site.control.catalogue import Section
from keyturn.site.control.document import Path


@dataclass(frozen=True, slots=True)
class Link:
    """`queued` counts the bundles that leave this way, `beyond` names whoever is reached through this neighbour.
    `is_open` unless the control file says that nothing is sent there."""

    to: Card
    is_parent: bool
    queued: int
    beyond: tuple[SiteCode, ...]
    record: LinkRecord
    is_open: bool

    @property
    def state(self) -> str:
        if not self.is_open:
            return "held"
        return "in trouble" if self.record.trouble else "sending" if self.queued else "idle"


@dataclass(frozen=True, slots=True)
class SiteAddress:
    """How a site is reached. `account` is what this site logs on with there; None: its key alone lets it in."""

    card: Card
    next_hop: SiteCode
    introduced_by: SiteCode
    account: HeldCredential | None


def links(parts: Parts) -> tuple[Link, ...]:
    own, queued = here(parts), parts.store.queued()
    return tuple(
        Link(
            card,
            card.code == own.parent,
            sum(queued.get(c, 0) for c in beyond),
            beyond,
            parts.store.link(card.code),
            is_open(parts, card),
        )
        for card in neighbours(parts)
        for beyond in [reached_through(parts, card.code)]
    )


def is_open(parts: Parts, to: Card) -> bool:
    """Whether the control file lets anything be sent there."""
    return setting(parts, Path(Section.ADDRESS, to.code, "enabled"), "yes") != "no"


def addresses(parts: Parts) -> tuple[SiteAddress, ...]:
    """Of every site that is known here but this one."""
    own, known = here(parts).code, tree(parts)
    accounts = {c.owner: c for c in parts.store.held_credentials() if is_address_account(c)}
    return tuple(
        SiteAddress(site.card, known.next_hop(own, site.card.code), site.introduced_by, accounts.get(site.card.code))
        for site in parts.store.known_sites()
        if not same_name(site.card.code, own)
    )
