"""A site with sites above and below it, which are keys and cards and nothing more."""

from dataclasses import replace

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.estate import SiteCode, SiteKind
from keyturn.operations import bundles, hierarchy
from keyturn.operations.estates import import_estate
from keyturn.operations.hierarchy_ports import Joined, Joining, KnownSite, NoLine
from keyturn.operations.neighbours import card_of
from keyturn.site.bundles import Header, Kind, seal, sign
from keyturn.site.cards import Address, Card
from keyturn.site.keys import SiteKeys, new_keys
from keyturn.wire.estate_file.reading import read_estate
from tests.hierarchy import child
from tests.inner_site import InnerSite

KEYS = new_keys()
"""Of whichever site is not this one."""


def card(code: str, parent: str | None, keys: SiteKeys = KEYS) -> Card:
    where = Address(f"https://{code.lower()}.example:8443", "")
    above = None if parent is None else SiteCode(parent)
    return Card(SiteCode(code), SiteKind.PRIMARY, above, f"SRV-{code}", where, keys.verify_key, keys.recipient)


def with_child_planned(site: InnerSite) -> str:
    text = site.store.text() + child("LON", parent="PHX", realm="CORP")
    import_estate(site.parts, text, read_estate(text, roles=role_names()), by="olga")
    return ""


def with_child(site: InnerSite) -> str:
    with_child_planned(site)
    address = Address("https://lon.example:8443", "")
    token = hierarchy.invite(site.parts, "LON", by="olga")
    joining = Joining(
        token, SiteCode("LON"), "SRV-LON", address.url, address.authority, KEYS.verify_key, KEYS.recipient
    )
    hierarchy.accept(site.parts, joining)
    return ""


def with_file(site: InnerSite) -> str:
    """That the child has sent, and nobody has collected."""
    with_child(site)
    header = Header(SiteCode("LON"), SiteCode("PHX"), Kind.STATUS, 1, 0)
    bundle = sign(header, seal(b"from London", site.store.site_keys().recipient), KEYS)
    assert bundles.take_in(site.parts, card_of(site.parts, "LON"), bundle, logged_on=True).taken
    assert bundles.open_arrived(site.parts, {}) == 1
    return ""


class Welcoming(NoLine):
    """A parent that takes in whoever comes."""

    def join(self, _url: str, _fingerprint: str, joining: Joining) -> Joined:
        own = card(joining.code, "CEN")
        return Joined(card("CEN", None), own, ())


def with_parent_in_reach(site: InnerSite) -> str:
    site.store.site_keys()
    site.parts = replace(site.parts, line=Welcoming())
    return ""


def with_parent(site: InnerSite) -> str:
    own = hierarchy.own_card(site.parts)
    site.store.keep_site(KnownSite(replace(own, parent=SiteCode("CEN")), own.code))
    site.store.keep_site(KnownSite(card("CEN", None), SiteCode("CEN")))
    return ""
