"""The site control file: shown, compared, changed by deltas, and its text form."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.operations import site_control
from keyturn.operations.neighbours import card_of
from keyturn.operations.parts import Parts
from keyturn.operations.site_control_exchange import document_of, propose_to, sealed_for
from keyturn.operations.site_control_records import DeltaRecord
from keyturn.operations.site_control_text import export_text, import_text
from keyturn.server.rest.security import VIEWER, Operator, Site
from keyturn.site.control.catalogue import PROPERTIES
from keyturn.site.control.deltas import Operation, Remove, RemoveItem, Set
from keyturn.site.control.difference import difference
from keyturn.site.control.document import Item, Path, Sealed, SiteControl, Value
from keyturn.site.control.paths import read_item, read_path
from keyturn.wire.site_control import (
    ChangeShape,
    DeltaShape,
    DifferenceShape,
    ItemShape,
    PropertyShape,
    SentShape,
    SiteControlShape,
    TextShape,
    TextTakenShape,
)

router = APIRouter(prefix="/site/control", tags=["site"])


@dataclass(frozen=True, slots=True)
class Setting:
    path: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecretSetting:
    path: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Carried out in this order: `remove` (`section.item` or `section.item.property`), `set`, `seal`. `base` is the
    serial it was made for; null: whatever it is now."""

    set: list[Setting] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    remove_items: list[str] = field(default_factory=list)
    seal: list[SecretSetting] = field(default_factory=list)
    base: int | None = None


@dataclass(frozen=True, slots=True)
class TakenText:
    """`content` in Base64. `base` is the serial it was made from; null: the one in it."""

    content: str = field(repr=False)
    base: int | None = None
    leave_estate: bool = False


@router.get("", dependencies=[VIEWER])
def show(parts: Site, serial: int | None = None, site: str | None = None) -> SiteControlShape:
    """The document as it is now, or as it was at a serial; or the newest that a site below has sent."""
    if site is not None and serial is not None:
        raise Refused("of another site only the newest document is here")
    document = document_of(parts, site) if site is not None else _document(parts, serial)
    return SiteControlShape(document.site, document.serial, [_item_shape(item) for item in document.items])


@router.get("/history", dependencies=[VIEWER])
def history(parts: Site) -> list[DeltaShape]:
    """Every delta, applied or refused, oldest first."""
    site_control.current(parts)
    return [_delta_shape(record) for record in parts.store.control_history()]


@router.get("/difference", dependencies=[VIEWER])
def compare(parts: Site, before: int, after: int) -> DifferenceShape:
    """What the document of one serial says differently from another."""
    found = difference(site_control.at_serial(parts, before), site_control.at_serial(parts, after))
    return DifferenceShape(
        added=[_item_shape(item) for item in found.added],
        removed=[_item_shape(item) for item in found.removed],
        changed=[ChangeShape(str(c.path), str(c.before), str(c.after)) for c in found.changed],
    )


@router.post("/deltas")
def propose(parts: Site, person: Operator, proposal: Proposal) -> DeltaShape:
    """Apply a change whole, or refuse it with a status. Either way it is kept in the history."""
    operations = _operations(lambda path, secret: site_control.sealed_here(parts, path, secret), proposal)
    return _delta_shape(site_control.propose(parts, operations, base=proposal.base, by=person.name))


@router.get("/text", dependencies=[VIEWER])
def export(parts: Site, serial: int | None = None) -> TextShape:
    """In the form of SMS's sitectrl.ct0, with what was in the text imported last and Keyturn does not know."""
    return TextShape(base64.b64encode(export_text(parts, serial)).decode())


@router.put("/text")
def take_in(parts: Site, person: Operator, taken: TakenText) -> TextTakenShape:
    """Apply what a text form says differently, whole, or refuse it with a status."""
    try:
        content = base64.b64decode(taken.content, validate=True)
    except binascii.Error:
        raise Refused("the content is not Base64") from None
    done = import_text(parts, content, base=taken.base, leave_estate=taken.leave_estate, by=person.name)
    return TextTakenShape(_delta_shape(done.delta) if done.delta else None, list(done.left))


@router.post("/deltas/{name}")
def propose_below(parts: Site, person: Operator, name: str, proposal: Proposal) -> SentShape:
    """Send a change to a child site, where it is judged. What became of it comes back as a status message."""
    site = card_of(parts, name).code
    operations = _operations(lambda path, secret: sealed_for(parts, site, path, secret), proposal)
    return SentShape(site, propose_to(parts, site, operations, base=proposal.base, by=person.name))


def _operations(seal: Callable[[Path, Secret], Sealed], proposal: Proposal) -> list[Operation]:
    return [
        *(RemoveItem(*read_item(text)) for text in proposal.remove_items),
        *(Remove(read_path(text)) for text in proposal.remove),
        *(Set(read_path(one.path), one.value) for one in proposal.set),
        *(Set(path, seal(path, Secret(one.secret))) for one in proposal.seal for path in [read_path(one.path)]),
    ]


def _document(parts: Parts, serial: int | None) -> SiteControl:
    return site_control.current(parts) if serial is None else site_control.at_serial(parts, serial)


def _item_shape(item: Item) -> ItemShape:
    owners = {known.name: known.owner for known in PROPERTIES[item.section]}
    return ItemShape(
        item.section, item.name, [PropertyShape(name, _said(v), owners[name]) for name, v in item.properties]
    )


def _said(value: Value) -> str:
    return str(value)


def _delta_shape(record: DeltaRecord) -> DeltaShape:
    return DeltaShape(
        number=record.number,
        at=record.at,
        author=record.delta.author,
        base=record.delta.base,
        status=record.status,
        serial=record.serial,
        said=record.said,
        hint=record.hint,
        operations=[_operation_said(operation) for operation in record.delta.operations],
    )


def _operation_said(operation: Operation) -> str:
    match operation:
        case Set(path, value):
            return f"{path}={value}"
        case Remove(path):
            return f"remove {path}"
        case RemoveItem(section, item):
            return f"remove {section}.{item}"
