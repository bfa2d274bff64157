"""A document as text: into the text that there was, changing only what is different, or from nothing."""

from keyturn.model.estate import SiteCode
from keyturn.site.control.document import Item, SiteControl, item_key
from keyturn.site.control.text.forms import (
    FILE_DEFINITION,
    FORMS,
    PROPERTY,
    SERIAL,
    Entry,
    Named,
    find,
)
from keyturn.site.control.text.lines import Block, ControlText, Edits, Encoding
from keyturn.site.control.text.reading import modelled

_BY_SECTION = {form.section: form for form in FORMS}
_MARKED_UTF8 = Encoding("utf-8", "strict", b"\xef\xbb\xbf")


def new_text(document: SiteControl) -> ControlText:
    """In the ANSI code page, as SMS does; in UTF-8 with a mark where that has no place for a name."""
    site = document.site
    head = ("1", "Keyturn", site, site, "0", str(document.serial))
    lines = ["SITE CONTROL FILE [Keyturn][1]", *_block(FILE_DEFINITION, tuple(f"<{field}>" for field in head))]
    for item in document.items:
        lines += _new_block(item, site)
    ended = tuple(f"{line}\r\n" for line in lines)
    try:
        "".join(ended).encode("cp1252")
    except UnicodeEncodeError:
        return ControlText(ended, _MARKED_UTF8)
    return ControlText(ended)


def updated(text: ControlText, before: SiteControl | None, after: SiteControl) -> ControlText:
    """`before` is what the text says; None: nobody knows, so every value is looked at.

    Blocks and lines of other things stay where and as they are. What is new comes last in its block, or in the file.
    """
    blocks = text.blocks()
    places = {item_key(form.section, name): block for form, block, name in reversed([*modelled(blocks)])}
    old = before.by_key() if before else {}
    new = after.by_key()
    edits = Edits()
    for key, item in new.items():
        if key not in places:
            edits.behind.extend(_new_block(item, after.site))
        elif item != old.get(key):
            _update(edits, text, places[key], item)
    for key in old.keys() - new.keys():
        if key in places:
            edits.without.update(range(places[key].first, places[key].last + 1))
    _set_serial(edits, blocks, after.serial)
    return text.edited(edits)


def _update(edits: Edits, text: ControlText, block: Block, item: Item) -> None:
    missing: list[Entry] = []
    for entry in _BY_SECTION[item.section].entries:
        value = item.get(entry.property)
        found = find(block, entry.place)
        if found is None:
            missing.append(entry)
        elif value != "" or entry.coding.read(found[1].text) is not None:
            edits.set(*found, entry.coding.write(value))
    lines = [text.indent(block) + line for line in _properties(tuple(missing), item)]
    edits.before.setdefault(block.last, []).extend(lines)


def _set_serial(edits: Edits, blocks: tuple[Block, ...], serial: int) -> None:
    for block in blocks:
        found = find(block, SERIAL) if block.keyword == FILE_DEFINITION else None
        if found is not None:
            edits.set(*found, str(serial))


def _new_block(item: Item, site: SiteCode) -> list[str]:
    form = _BY_SECTION[item.section]
    return _block(form.keyword, (*form.heading(item, site), *_properties(form.entries, item)))


def _properties(entries: tuple[Entry, ...], item: Item) -> list[str]:
    """Those of one name share a line."""
    lines: dict[str, dict[int, str]] = {}
    for entry in entries:
        written = entry.coding.write(item.get(entry.property))
        if written and isinstance(entry.place, Named):
            lines.setdefault(entry.place.name, {})[entry.place.slot] = written
    return [_property(Named(name, 0), slots) for name, slots in lines.items()]


def _property(place: Named, slots: dict[int, str]) -> str:
    values = (slots.get(1, ""), slots.get(2, ""), slots.get(3, "0"))
    return f"{PROPERTY} <{place.name}>" + "".join(f"<{value}>" for value in values)


def _block(keyword: str, lines: tuple[str, ...]) -> list[str]:
    return [f"BEGIN_{keyword}", *(f"\t{line}" for line in lines), f"END_{keyword}"]
