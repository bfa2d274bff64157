"""Bundles posted, taken in for this site or for others, and opened in their order, each exactly once."""

from collections.abc import Callable, Mapping

from keyturn.model.errors import KeyturnError, NotFound, Refused, Unavailable
from keyturn.model.estate import SiteCode
from keyturn.operations.hierarchy_ports import Receipt
from keyturn.operations.neighbours import card_of, here, tree
from keyturn.operations.parts import Parts
from keyturn.operations.status_messages import report
from keyturn.site.bundles import Header, Kind, Lane, header_of, payload_of, seal, sign, verify
from keyturn.site.cards import Card
from keyturn.site.components import ComponentName
from keyturn.site.status_messages import MessageId

Handler = Callable[[Parts, SiteCode, bytes], None]
"""Given who sent it and what is in it. Raises Refused for what must not be believed; runs in the transaction that
ends the bundle's turn, so it happens once."""


def post(parts: Parts, destination: SiteCode, kind: Kind, payload: bytes) -> int:
    """Durable when this returns; on its way as soon as the sender comes round. Returns its number."""
    card, own, keys = card_of(parts, destination), here(parts).code, parts.store.site_keys()
    tree(parts).next_hop(own, card.code)
    sealed = seal(payload, card.recipient)  # before the transaction: it takes longer than others should wait

    def close(number: int) -> bytes:
        return sign(Header(own, card.code, kind, number, parts.now()), sealed, keys)

    number = parts.store.queue(own, card.code, kind, close)
    parts.wake()
    return number


def take_in(parts: Parts, sender: Card, bundle: bytes, *, logged_on: bool) -> Receipt:
    """What a neighbour delivers. Once it is taken it is safe here: the neighbour may forget it. One that came before
    is taken again and dropped.

    `logged_on`: the neighbour has shown the password of a Site Address account, or none was given to it.
    """
    claimed = header_of(bundle)
    own, known = here(parts).code, tree(parts)
    if known.next_hop(own, sender.code) != sender.code:
        raise Refused(f"site {sender.code} is no neighbour of site {own}", hint="keyturn site links")
    if claimed.source not in known:
        return Receipt(False, f"site {claimed.source} is not known here yet")
    header = verify(bundle, card_of(parts, claimed.source).verify_key)
    if known.next_hop(own, header.source) != sender.code:
        raise Refused(f"{header} came through site {sender.code}, which is not on its way")
    if header.lane is not Lane.ACCOUNTS and not logged_on:
        return Receipt(False, "a logon with the Site Address account is asked for", log_on=True)
    if header.destination == own:
        parts.store.arrive(header, bundle)
    elif header.destination in known and known.next_hop(own, header.destination) != sender.code:
        parts.store.pass_on(header, bundle)
    else:
        raise Refused(f"no way leads from site {own} to site {header.destination}")
    parts.wake()
    return Receipt(True)


def open_arrived(parts: Parts, handlers: Mapping[Kind, Handler]) -> int:
    """Everything whose turn has come. A kind without a handler stays for whoever collects it. Returns how many."""
    count = 0
    while headers := parts.store.openable():
        for header in headers:
            _open(parts, header, handlers.get(header.kind))
            count += 1
    return count


def collect(parts: Parts, header: Header) -> bytes:
    """The payload of a delivered bundle. It stays until it is given up with `store.collected`."""
    if header not in parts.store.delivered():
        raise NotFound(f"no bundle {header} is here", hint="keyturn site received")
    return payload_of(parts.store.arrived_bundle(header), parts.store.site_keys())


def _open(parts: Parts, header: Header, handler: Handler | None) -> None:
    try:
        with parts.store.whole():
            if header not in parts.store.openable():
                return  # another worker was faster
            if handler is not None:
                payload = payload_of(parts.store.arrived_bundle(header), parts.store.site_keys())
                handler(parts, header.source, payload)
            parts.store.opened(header, keep=handler is None)
    except Unavailable:
        raise
    except KeyturnError as error:
        with parts.store.whole():
            parts.store.opened(header, keep=False)
            parts.store.tell(header.source, "bundle-refused", str(header), error.message)
            report(parts, ComponentName.DESPOOLER, MessageId.BUNDLE_REFUSED, bundle=header, reason=error.message)
