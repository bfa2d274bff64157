"""Where each property stands in the text form, and how its value is written there. One table.

Of SMS: the blocks FILE_DEFINITION, SITE_DEFINITION (type, code, description), COMPONENT, SYSTEM_RESOURCE_USE, and
`PROPERTY <name><text><text><number>`. The blocks ADDRESS, SENDER and ACCOUNT are in SMS's style, and Keyturn's.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from keyturn.model.estate import ACCESS_POINT_ROLE, SiteCode, SiteKind
from keyturn.site.control.catalogue import Section
from keyturn.site.control.document import Item, Sealed, Value
from keyturn.site.control.text.lines import Block, Field, Line


@dataclass(frozen=True, slots=True)
class Bare:
    """The field of this number, from 0, of those that stand behind no keyword."""

    number: int


@dataclass(frozen=True, slots=True)
class Named:
    """`PROPERTY <name><1><2><3>`: by the property's name and the slot."""

    name: str
    slot: int


Place: TypeAlias = Bare | Named


@dataclass(frozen=True, slots=True)
class Coding:
    """`read` gives None for what it cannot read: that is left as it stands."""

    write: Callable[[Value], str]
    read: Callable[[str], Value | None]


@dataclass(frozen=True, slots=True)
class Entry:
    property: str
    place: Place
    coding: Coding


@dataclass(frozen=True, slots=True)
class Form:
    """How an item of a section is written. `name_of` gives the item's name from a block, None if it has none;
    `heading` the lines of a new block before its entries."""

    keyword: str
    section: Section
    name_of: Callable[[Block], str | None]
    heading: Callable[[Item, SiteCode], tuple[str, ...]]
    entries: tuple[Entry, ...]


SERIAL = Bare(5)
"""In FILE_DEFINITION: type, description, from, to, time, serial."""

FILE_DEFINITION, SITE_DEFINITION = "FILE_DEFINITION", "SITE_DEFINITION"
PROPERTY = "PROPERTY"


def find(block: Block, place: Place) -> tuple[Line, Field] | None:
    match place:
        case Bare(number):
            return dict(enumerate(block.bare())).get(number)
        case Named(name, slot):
            for line in block.behind(PROPERTY):
                if len(line.fields) > slot and line.fields[0].text.casefold() == name.casefold():
                    return line, line.fields[slot]
            return None


def bare_name(number: int) -> Callable[[Block], str | None]:
    def name_of(block: Block) -> str | None:
        found = find(block, Bare(number))
        return found[1].text if found else None

    return name_of


def _coded(write: dict[str, str]) -> Coding:
    """A few words on either side. What is on neither is passed on as it is, so that it can be refused by name."""
    read = {text: word for word, text in reversed(write.items())}
    return Coding(lambda value: write.get(str(value), str(value)), lambda text: read.get(text, text))


def _write_sealed(value: Value) -> str:
    return _SEALED + base64.b64encode(value.data).decode() if isinstance(value, Sealed) else ""


def _read_sealed(text: str) -> Value | None:
    """What SMS encrypted, in hexadecimal, only its own site's key opens."""
    if not text.startswith(_SEALED):
        return None if _HEXADECIMAL.fullmatch(text) else text
    try:
        return Sealed(base64.b64decode(text.removeprefix(_SEALED), validate=True))
    except binascii.Error:
        return text


_SEALED = "age:"
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2}){8,}|")

TEXT = Coding(str, lambda text: text)
SEALED = Coding(_write_sealed, _read_sealed)
SWITCH = _coded({"yes": "1", "no": "0"})
SITE_TYPE = _coded({SiteKind.PRIMARY: "2", SiteKind.CENTRAL: "2", SiteKind.SECONDARY: "1"})
ADDRESS_TYPE = _coded({"smb": "MS_LAN", "https": "HTTPS"})
SENDER_NAME = _coded({"https": "KEYTURN_HTTPS_SENDER"})
ROLE = _coded(
    {
        ACCESS_POINT_ROLE: "SMS Client Access Point",
        "distribution-point": "SMS Distribution Point",
        "management-point": "SMS Management Point",
    }
)


def _system_name(block: Block) -> str | None:
    """`server/role`, from the network path of the resource, `…MSWNET:["SMS_SITE=ABC"]\\\\SERVER\\`, and the role."""
    resource = next((line.fields[1].text for line in block.behind("RESOURCE") if len(line.fields) > 1), "")
    role = next((line.fields[0].text for line in block.behind("ROLE") if line.fields), "")
    server = _NETWORK_PATH.search(resource)
    return f"{server[1]}/{ROLE.read(role)}" if server and role else None


def _system_heading(item: Item, site: SiteCode) -> tuple[str, ...]:
    server, _, role = item.name.partition("/")
    path = f'["Display=\\\\{server}\\"]MSWNET:["SMS_SITE={site}"]\\\\{server}\\'
    return f"RESOURCE<Windows NT Server><{path}>", f"ROLE<{ROLE.write(role)}>"


_NETWORK_PATH = re.compile(r"\\\\([^\\]+)\\$")


def _sender_name(block: Block) -> str | None:
    name = bare_name(0)(block)
    return str(SENDER_NAME.read(name)) if name is not None else None


def _bare_heading(
    *properties: tuple[str, Coding], written: Callable[[str], str] = str
) -> Callable[..., tuple[str, ...]]:
    """The item's name in the first field, and these properties in those that follow."""

    def heading(item: Item, _: SiteCode) -> tuple[str, ...]:
        following = (f"<{coding.write(item.get(name))}>" for name, coding in properties)
        return f"<{written(item.name)}>", *following

    return heading


def _site_heading(item: Item, site: SiteCode) -> tuple[str, ...]:
    return f"<{SITE_TYPE.write(item.get('kind'))}>", f"<{site}>", f"<{item.text('name')}>"


FORMS: tuple[Form, ...] = (
    Form(
        SITE_DEFINITION,
        Section.SITE,
        bare_name(1),
        _site_heading,
        (
            Entry("kind", Bare(0), SITE_TYPE),
            Entry("name", Bare(2), TEXT),
            Entry("server", Named("Site Server", 1), TEXT),
            Entry("parent", Named("Parent Site Code", 1), TEXT),
            Entry("realm", Named("Site Domain", 1), TEXT),
            Entry("logon-installation", Named("Logon Installation", 3), SWITCH),
            Entry("setup-file", Named("Account Setup File", 3), SWITCH),
            Entry("comment", Named("Comments", 1), TEXT),
        ),
    ),
    Form(
        "ADDRESS",
        Section.ADDRESS,
        bare_name(0),
        _bare_heading(("type", ADDRESS_TYPE), ("order", TEXT)),
        (
            Entry("type", Bare(1), ADDRESS_TYPE),
            Entry("order", Bare(2), TEXT),
            Entry("url", Named("Server", 1), TEXT),
            Entry("enabled", Named("Enabled", 3), SWITCH),
            Entry("place", Named("Connection Point", 1), TEXT),
            Entry("account", Named("LAN Login", 1), TEXT),
            Entry("password", Named("LAN Login", 2), SEALED),
        ),
    ),
    Form(
        "SENDER",
        Section.SENDER,
        _sender_name,
        _bare_heading(written=SENDER_NAME.write),
        (
            Entry("at-once", Named("Maximum Concurrent Sendings", 3), TEXT),
            Entry("longest-retry-s", Named("Longest Retry Delay (seconds)", 3), TEXT),
        ),
    ),
    Form(
        "COMPONENT",
        Section.COMPONENT,
        bare_name(0),
        _bare_heading(),
        (Entry("enabled", Named("Enabled", 3), SWITCH),),
    ),
    Form(
        "ACCOUNT",
        Section.ACCOUNT,
        bare_name(0),
        _bare_heading(),
        (
            Entry("role", Named("Role", 1), TEXT),
            Entry("generation", Named("Generation", 3), TEXT),
            Entry("life", Named("Life", 1), TEXT),
        ),
    ),
    Form(
        "SYSTEM_RESOURCE_USE",
        Section.SYSTEM,
        _system_name,
        _system_heading,
        (Entry("share", Named("Share", 1), TEXT),),
    ),
)


def form_of(keyword: str) -> Form | None:
    return next((form for form in FORMS if form.keyword == keyword), None)
