"""What a secondary site leaves to its parent: accounts, software, and sites below. Its store has none of them."""

from itertools import chain

from keyturn.model.accounts import reference, same_name
from keyturn.model.errors import Refused
from keyturn.model.estate import SiteCode, SiteKind
from keyturn.operations.parts import Parts
from keyturn.operations.software_owner import is_from_above


def refuse_at_secondary(parts: Parts, what: str, command: str, *, account: str = "") -> None:
    """`command` is for the site that has `what`: the one that rotates `account` where this one holds it, else the
    parent. A site that has joined no other is none, whatever it is to be."""
    card = next((k.card for k in parts.store.known_sites() if same_name(k.card.code, parts.settings.site)), None)
    if card is None or card.kind is not SiteKind.SECONDARY or card.parent is None:
        return
    owner = _owner(parts, account) or card.parent
    raise Refused(f"secondary site {card.code} has no {what} of its own", hint=f"at site {owner}: {command}")


def is_furnished(parts: Parts) -> bool:
    """Whether this site has made what a secondary one has not."""
    store = parts.store
    made = chain(
        (package.package_id for package in store.packages()),
        (collection.collection_id for collection in store.collections()),
        (each.advertisement.advertisement_id for each in store.advertised()),
    )
    return bool(store.estate().accounts) or any(not is_from_above(parts, identifier) for identifier in made)


def _owner(parts: Parts, account: str) -> SiteCode | None:
    """Written with its realm or without, as people do."""
    named = reference(account)
    for held in parts.store.held_credentials():
        whole = reference(held.account)
        if named in (whole, whole.partition("\\")[2]):
            return held.owner
    return None
