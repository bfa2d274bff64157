"""How people write a place in the control file: `address.NYC.place`, and with a value `address.NYC.place=https://…`."""

from keyturn.model.errors import Refused
from keyturn.site.control.catalogue import PROPERTIES, Section
from keyturn.site.control.document import Path


def read_path(text: str) -> Path:
    """Refused, with what there is instead."""
    section, dot, rest = text.partition(".")
    item, last_dot, name = rest.rpartition(".")
    if not dot or not last_dot or not item.strip():
        raise Refused(f"{text} is not SECTION.ITEM.PROPERTY", hint=f"sections: {', '.join(Section)}")
    found = _section(section)
    known = [one.name for one in PROPERTIES[found]]
    if name not in known:
        raise Refused(f"{found} has no property {name}", hint=f"it has {', '.join(known)}")
    return Path(found, item.strip(), name)


def read_item(text: str) -> tuple[Section, str]:
    section, dot, item = text.partition(".")
    if not dot or not item.strip():
        raise Refused(f"{text} is not SECTION.ITEM", hint=f"sections: {', '.join(Section)}")
    return _section(section), item.strip()


def _section(text: str) -> Section:
    try:
        return Section(text)
    except ValueError:
        raise Refused(f"there is no section {text}", hint=f"sections: {', '.join(Section)}") from None
