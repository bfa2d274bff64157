"""What a site control file can say: its sections, their properties, what each value may be, and whose it is.

Whoever a property belongs to is the only one who changes it. What describes accounts, servers and the hierarchy is the
estate's: the control file follows it. How the site works is the control file's own, and stands nowhere else.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from keyturn.site.components import ComponentName


class Section(StrEnum):
    SITE = "site"
    """One item, named by the site's code."""
    ADDRESS = "address"
    """How another site is reached; an item is named by that site's code."""
    SENDER = "sender"
    COMPONENT = "component"
    ACCOUNT = "account"
    r"""An item is named `REALM\name`; its password stands nowhere."""
    SYSTEM = "system"
    """A site system in one role; an item is named `server/role`."""


class Owner(StrEnum):
    ESTATE = "estate"
    HIERARCHY = "hierarchy"
    """Sites that have joined."""
    CONTROL_FILE = "control file"


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    SWITCH = "yes or no"
    ACCOUNT = "REALM\\name"
    SECRET = "secret"


@dataclass(frozen=True, slots=True)
class Property:
    name: str
    kind: Kind = Kind.TEXT
    owner: Owner = Owner.CONTROL_FILE
    default: str = ""


def _of_the_estate(name: str, kind: Kind = Kind.TEXT) -> Property:
    return Property(name, kind, Owner.ESTATE)


PROPERTIES: dict[Section, tuple[Property, ...]] = {
    Section.SITE: (
        _of_the_estate("name"),
        _of_the_estate("server"),
        _of_the_estate("kind"),
        _of_the_estate("parent"),
        _of_the_estate("realm"),
        _of_the_estate("logon-installation", Kind.SWITCH),
        _of_the_estate("setup-file", Kind.SWITCH),
        Property("comment"),
    ),
    Section.ADDRESS: (
        Property("url", owner=Owner.HIERARCHY),
        Property("enabled", Kind.SWITCH),
        Property("type"),
        Property("order", Kind.NUMBER),
        Property("place"),
        Property("account", Kind.ACCOUNT),
        Property("password", Kind.SECRET),
    ),
    Section.SENDER: (
        Property("at-once", Kind.NUMBER, default="8"),
        Property("longest-retry-s", Kind.NUMBER, default="300"),
    ),
    Section.COMPONENT: (Property("enabled", Kind.SWITCH, default="yes"),),
    Section.ACCOUNT: (
        _of_the_estate("role"),
        _of_the_estate("generation", Kind.NUMBER),
        _of_the_estate("life"),
    ),
    Section.SYSTEM: (_of_the_estate("share"),),
}
"""In the order in which they are shown."""

SENDER = "https"

FIXED: dict[Section, tuple[str, ...]] = {
    Section.SENDER: (SENDER,),
    Section.COMPONENT: tuple(name for name in ComponentName if name is not ComponentName.SITE_COMPONENT_MANAGER),
}
"""Items that every site has, with their defaults at first. They are set, never removed. The component that starts all
others is none of them."""

ADDABLE = frozenset({Section.ADDRESS})
"""Where a delta may make items and remove them."""

LONGEST_VALUE = 1000


def property_of(section: Section, name: str) -> Property | None:
    return next((known for known in PROPERTIES[section] if known.name == name), None)


def problem(known: Property, value: str) -> str:
    """What is wrong with the value of a property that is no secret; empty if nothing is."""
    if len(value) > LONGEST_VALUE or not _WRITABLE.fullmatch(value):
        return f"is longer than {LONGEST_VALUE} characters, or has <, > or a control character in it"
    if value == "" or _FORMS[known.kind].fullmatch(value):
        return ""
    return f"is not {_SAID[known.kind]}"


_WRITABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f<>\u2028\u2029\ud800-\udfff]*")
"""What stands between two brackets on one line of the text form."""

_FORMS = {
    Kind.TEXT: re.compile(r".*"),
    Kind.NUMBER: re.compile(r"0|[1-9][0-9]{0,8}"),
    Kind.SWITCH: re.compile(r"yes|no"),
    Kind.ACCOUNT: re.compile(r"[^\\]+\\[^\\]+"),
    Kind.SECRET: re.compile(r"(?!)"),
}

_SAID = {
    Kind.TEXT: "text",
    Kind.NUMBER: "a whole number below 1,000,000,000",
    Kind.SWITCH: "yes or no",
    Kind.ACCOUNT: "an account, written REALM\\name",
    Kind.SECRET: "sealed",
}
