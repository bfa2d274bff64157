"""Site control files between sites: a child's document goes to every site above it, a delta from above goes to it.

Bundles are signed by the site they come from, so what is said of a site is believed from that site alone.
"""

from collections.abc import Sequence

from keyturn.model.accounts import same_name
from keyturn.model.errors import KeyturnError, NotFound, Refused
from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.operations.bundles import post
from keyturn.operations.neighbours import card_of, here, tree
from keyturn.operations.parts import Parts
from keyturn.operations.site_control import current, receive
from keyturn.operations.status_messages import report
from keyturn.site.bundles import Kind
from keyturn.site.components import ComponentName
from keyturn.site.control.deltas import Delta, Operation
from keyturn.site.control.document import Path, Sealed, SiteControl
from keyturn.site.control.json_form import delta_text, document_text, read_document
from keyturn.site.control.secrets import seal_for_site
from keyturn.site.status_messages import MessageId

_DELTA, _DOCUMENT, _OUTCOME = b"delta\n", b"document\n", b"outcome\n"
"""What a payload begins with."""


def tell_above(parts: Parts) -> None:
    """The site control manager's turn: follow the estate, and let the sites above have what they have not seen."""
    document = current(parts)
    told = parts.store.control_copy(document.site)
    above = tree(parts).line(document.site)[1:]
    if not above or (told is not None and told.serial == document.serial):
        return
    with parts.store.whole():
        for place in above:
            post(parts, place.code, Kind.CONTROL, _DOCUMENT + document_text(document).encode())
        parts.store.keep_control_copy(document)


def propose_to(
    parts: Parts, code: SiteCode, operations: Sequence[Operation], *, base: int | None = None, by: str
) -> int:
    """Send a delta to a child site. It is judged there; what became of it comes back as a status message. Returns the
    serial it was made for: unless said, that of the newest document that has come from there."""
    if card_of(parts, code).parent != here(parts).code:
        raise Refused(f"site {code} does not stand right below this one", hint="its control file is changed there")
    serial = document_of(parts, code).serial if base is None else base
    delta = Delta(code, f"site {here(parts).code}", serial, tuple(operations))
    with parts.store.whole():
        post(parts, code, Kind.CONTROL, _DELTA + delta_text(delta).encode())
        parts.store.tell(by, "site-control-proposed", code, f"for serial {serial}")
    return serial


def document_of(parts: Parts, code: str) -> SiteControl:
    """This site's own, or the newest that a site below has sent."""
    if same_name(code, parts.settings.site):
        return current(parts)
    copy = parts.store.control_copy(SiteCode(code))
    if copy is None:
        raise NotFound(f"no site control file of site {code} has come here", hint="keyturn site links")
    return copy


def sealed_for(parts: Parts, code: SiteCode, path: Path, secret: Secret) -> Sealed:
    return seal_for_site(card_of(parts, code).recipient, code, path, secret)


def take(parts: Parts, source: SiteCode, payload: bytes) -> None:
    """A bundle about control files. Refused for what its sender has no say in."""
    if payload.startswith(_DELTA):
        _take_delta(parts, source, payload.removeprefix(_DELTA))
    elif payload.startswith(_DOCUMENT):
        _take_document(parts, source, payload.removeprefix(_DOCUMENT))
    elif payload.startswith(_OUTCOME):
        said = payload.removeprefix(_OUTCOME).decode("utf-8", "replace")[:_LONGEST]
        report(parts, ComponentName.SITE_CONTROL_MANAGER, MessageId.CONTROL_TOLD, site=source, said=said)
    else:
        raise Refused(f"site {source} sent something about a control file that is not known here")


def _take_delta(parts: Parts, source: SiteCode, content: bytes) -> None:
    record = receive(parts, content, source=source)
    said = (
        f"{record.status}, serial {record.serial}" if record.serial is not None else f"{record.status}: {record.said}"
    )
    post(parts, source, Kind.CONTROL, _OUTCOME + said.encode())


def _take_document(parts: Parts, source: SiteCode, content: bytes) -> None:
    try:
        document = read_document(content.decode())
    except (KeyturnError, UnicodeDecodeError):
        raise Refused(f"site {source} sent a site control file that cannot be read") from None
    if not same_name(document.site, source):
        raise Refused(f"site {source} sent the site control file of site {document.site}")
    known = parts.store.control_copy(source)
    if known is None or known.serial < document.serial:
        parts.store.keep_control_copy(document)


_LONGEST = 500
