"""What a secondary site leaves to its parent: accounts, software, and sites below. Its store has none of them."""

from itertools import chain

from keyturn.model.accounts import reference, same_name
from keyturn.model.errors import Refused
from keyturn.model.estate import SiteCode, SiteKind
from keyturn.operations.parts import Parts
from keyturn.operations.software_owner import is_from_above
from keyturn.site.cards import Card


def refuse_at_secondary(parts: Parts, what: str, command: str, *, account: str = "") -> None:
    """`command` is for the site that has `what`: the one that rotates `account` where this one holds it, else the
    parent. A site that has joined no other is none, whatever it is to be."""
    card = _secondary(parts)
    if card is not None:
        owner = _owner(parts, account) or card.parent
        raise Refused(f"secondary site {card.code} has no {what} of its own", hint=f"at site {owner}: {command}")


def refuse_store_move(parts: Parts) -> None:
    """Its store is a queue and what was given to it, for one server: a file beside it is all that it needs."""
    card = _secondary(parts)
    if card is not None:
        raise Refused(
            f"secondary site {card.code} has no store of its own to move, only its queue, which is a file",
            hint="stop the site and move its whole directory; a site that needs a database server is a primary site",
        )


def is_furnished(parts: Parts) -> bool:
    """Whether this site has made what a secondary one has not."""
    store = parts.store
    made = chain(
        (package.package_id for package in store.packages()),
        (collection.collection_id for collection in store.collections()),
        (each.advertisement.advertisement_id for each in store.advertised()),
    )
    return bool(store.estate().accounts) or any(not is_from_above(parts, identifier) for identifier in made)


def parent_of_secondary(parts: Parts) -> SiteCode | None:
    """None for a site that is no secondary one."""
    card = _secondary(parts)
    return card.parent if card else None


def _secondary(parts: Parts) -> Card | None:
    """This site's card where it is one below another site."""
    card = next((k.card for k in parts.store.known_sites() if same_name(k.card.code, parts.settings.site)), None)
    joined = card is not None and card.kind is SiteKind.SECONDARY and card.parent is not None
    return card if joined else None


def _owner(parts: Parts, account: str) -> SiteCode | None:
    """Written with its realm or without, as people do."""
    named = reference(account)
    for held in parts.store.held_credentials():
        whole = reference(held.account)
        if named in (whole, whole.partition("\\")[2]):
            return held.owner
    return None
