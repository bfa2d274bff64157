"""The document itself: items of sections, each with its properties. Immutable: a change makes another document."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from keyturn.model.accounts import canonical
from keyturn.model.estate import SiteCode
from keyturn.site.control.catalogue import PROPERTIES, Section


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret under the site's own key. Its text form says so, and nothing of it."""

    data: bytes = field(repr=False)

    def __str__(self) -> str:
        return "<sealed>"


Value: TypeAlias = str | Sealed


@dataclass(frozen=True, slots=True)
class Path:
    """`section.item.property`. Items may have dots in their names, sections and properties have none."""

    section: Section
    item: str
    property: str

    def __str__(self) -> str:
        return f"{self.section}.{self.item}.{self.property}"


@dataclass(frozen=True, slots=True)
class Item:
    """`properties` in the catalogue's order, without those that are empty."""

    section: Section
    name: str
    properties: tuple[tuple[str, Value], ...] = ()

    def get(self, name: str) -> Value:
        """Empty where it has none."""
        return dict(self.properties).get(name, "")

    def text(self, name: str) -> str:
        return str(self.get(name))

    def but(self, name: str, value: Value) -> "Item":
        """The item with another value; an empty one takes the property away."""
        known = {**dict(self.properties), name: value}
        ordered = [one.name for one in PROPERTIES[self.section]]
        return replace(self, properties=tuple((name, known[name]) for name in ordered if known.get(name, "") != ""))

    @property
    def key(self) -> "ItemKey":
        return item_key(self.section, self.name)


ItemKey: TypeAlias = tuple[Section, str]
"""What items are told apart by: names compare without regard to case."""


def item_key(section: Section, name: str) -> ItemKey:
    return section, canonical(name)


@dataclass(frozen=True, slots=True)
class SiteControl:
    """`serial` rises by one with every change; the first document has 0."""

    site: SiteCode
    serial: int
    items: tuple[Item, ...]

    def find(self, section: Section, name: str) -> Item | None:
        wanted = item_key(section, name)
        return next((item for item in self.items if item.key == wanted), None)

    def of(self, section: Section) -> Iterator[Item]:
        return (item for item in self.items if item.section is section)

    def by_key(self) -> dict[ItemKey, Item]:
        return {item.key: item for item in self.items}


def in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    """By section as in the catalogue, then by name."""
    places = {section: place for place, section in enumerate(Section)}
    return tuple(sorted(items, key=lambda item: (places[item.section], canonical(item.name))))
