"""The estate as the file says it, not yet known to be consistent."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from keyturn.model.accounts import AnyAccount, reference
from keyturn.model.estate import (
    ClientGroup,
    Consumer,
    Estate,
    Holder,
    ManagedAccount,
    Realm,
    Site,
    SiteSystem,
)
from keyturn.wire.estate_file.problems import Problem
from keyturn.wire.estate_file.table import Table

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Entry(Generic[T_co]):
    """A thing, and the table it was read from."""

    thing: T_co
    table: Table

    def problem(self, key: str, message: str, hint: str = "", *index: int) -> Problem:
        """On the line of `key`, or of the element at `index` in it, or of the thing where it has no such key."""
        return Problem(self.table.line(key, *index), f"{self.table.title} {message}", hint)

    def line(self, key: str) -> int:
        return self.table.line(key)


@dataclass(frozen=True)
class Draft:
    """Whatever is empty where a name belongs was complained about already: the checks pass over it."""

    product: str
    realms: tuple[Entry[Realm], ...]
    sites: tuple[Entry[Site], ...]
    systems: tuple[Entry[SiteSystem], ...]
    clients: tuple[Entry[Holder], ...]
    groups: tuple[Entry[ClientGroup], ...]
    accounts: tuple[Entry[ManagedAccount], ...]
    consumers: tuple[Entry[Consumer], ...]

    def estate(self) -> Estate:
        return Estate(
            product=self.product,
            realms=tuple(entry.thing for entry in self.realms),
            sites=tuple(entry.thing for entry in self.sites),
            systems=tuple(entry.thing for entry in self.systems),
            clients=tuple(entry.thing for entry in self.clients),
            groups=tuple(entry.thing for entry in self.groups),
            consumers=tuple(entry.thing for entry in self.consumers),
            accounts=tuple(entry.thing for entry in self.accounts),
        )

    @cached_property
    def realm_named(self) -> Mapping[str, Entry[Realm]]:
        return {entry.thing.name: entry for entry in self.realms if entry.thing.name}

    @cached_property
    def site_coded(self) -> Mapping[str, Entry[Site]]:
        return {entry.thing.code: entry for entry in self.sites if entry.thing.code}

    def home(self, site: str | None) -> Realm | None:
        """The realm of a site; None where either is unknown."""
        entry = self.site_coded.get(site or "")
        realm = self.realm_named.get(entry.thing.realm) if entry else None
        return realm.thing if realm else None

    def kind_of(self, realm: str) -> str | None:
        """None for a realm that is not there."""
        entry = self.realm_named.get(realm)
        return entry.thing.kind if entry else None

    def holders(self) -> Iterator[tuple[Entry[object], Holder]]:
        """Every client, the pattern of each group, and every consumer."""
        for client in self.clients:
            yield client, client.thing
        for group in self.groups:
            yield group, group.thing.like
        for consumer in self.consumers:
            yield consumer, consumer.thing.holder

    def accounts_written(self, written: str) -> Collection[AnyAccount]:
        """The accounts that `REALM\\name`, `REALM/name` or a name alone may stand for, as `Estate.managed` reads it."""
        return self._references.get(reference(written), {})

    @cached_property
    def _references(self) -> Mapping[str, Collection[AnyAccount]]:
        references: dict[str, dict[AnyAccount, None]] = {}
        for entry in self.accounts:
            account = entry.thing.account
            for written in (str(account), account.name):
                references.setdefault(reference(written), {})[account] = None
        return references
