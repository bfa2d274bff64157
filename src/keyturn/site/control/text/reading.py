"""What a text form says differently from the document: the operations it amounts to, and what is not its to say."""

from collections.abc import Iterator
from dataclasses import dataclass

from keyturn.model.accounts import same_name
from keyturn.model.errors import Refused
from keyturn.site.control.catalogue import ADDABLE, FIXED, Owner, property_of
from keyturn.site.control.deltas import Operation, RemoveItem, Set
from keyturn.site.control.document import Item, ItemKey, Path, SiteControl, item_key
from keyturn.site.control.text.forms import (
    FILE_DEFINITION,
    SERIAL,
    SITE_DEFINITION,
    Entry,
    Form,
    find,
    form_of,
)
from keyturn.site.control.text.lines import Block, ControlText


@dataclass(frozen=True, slots=True)
class Reading:
    """`base` is the serial in the text. `others` are the places where it says something else than the estate does, or
    names what the estate does not have."""

    base: int
    operations: tuple[Operation, ...]
    others: tuple[str, ...]


def compare(text: ControlText, document: SiteControl) -> Reading:
    """What the text does not say is not compared, except for items that are made and removed here alone.

    Refused for a text of another site, and for one without a serial.
    """
    blocks = text.blocks()
    _refuse_other_site(blocks, document)
    known = document.by_key()
    operations: list[Operation] = []
    others: list[str] = []
    seen: set[ItemKey] = set()
    for form, block, name in modelled(blocks):
        key = item_key(form.section, name)
        item = known.get(key)
        if key in seen and item is not None:
            raise Refused(f"line {block.first + 1}: {form.section}.{name} is there twice")
        seen.add(key)
        if item is None and form.section in FIXED:
            continue  # a component that Keyturn does not have
        if item is None and form.section not in ADDABLE:
            others.append(f"{form.section}.{name}")
            continue
        for entry, operation in _differing(form, block, item or Item(form.section, name)):
            declared = property_of(form.section, entry.property)
            if declared is not None and declared.owner is Owner.CONTROL_FILE:
                operations.append(operation)
            else:
                others.append(str(operation.path))
    gone = [item for key, item in known.items() if item.section in ADDABLE and key not in seen]
    operations += [RemoveItem(item.section, item.name) for item in gone]
    return Reading(_serial(blocks), tuple(operations), tuple(others))


def modelled(blocks: tuple[Block, ...]) -> Iterator[tuple[Form, Block, str]]:
    """The blocks of the forms that are known, with the name of the item that each is about."""
    for block in blocks:
        form = form_of(block.keyword)
        name = form.name_of(block) if form else None
        if form and name:
            yield form, block, name


def _differing(form: Form, block: Block, item: Item) -> Iterator[tuple[Entry, Set]]:
    for entry in form.entries:
        found = find(block, entry.place)
        if found is None or found[1].text == entry.coding.write(item.get(entry.property)):
            continue
        value = entry.coding.read(found[1].text)
        if value is not None:
            yield entry, Set(Path(item.section, item.name, entry.property), value)


def _refuse_other_site(blocks: tuple[Block, ...], document: SiteControl) -> None:
    codes = [name for form, _, name in modelled(blocks) if form.keyword == SITE_DEFINITION]
    if len(codes) != 1:
        raise Refused(f"the file has {len(codes)} site definitions", hint="a site control file has one")
    if not same_name(codes[0], document.site):
        raise Refused(f"the file is that of site {codes[0]}, and this is {document.site}")


def _serial(blocks: tuple[Block, ...]) -> int:
    for block in blocks:
        found = find(block, SERIAL) if block.keyword == FILE_DEFINITION else None
        if found and found[1].text.isdecimal():
            return int(found[1].text)
    raise Refused("the file has no serial in its FILE_DEFINITION", hint="say which it was made from: --base")
