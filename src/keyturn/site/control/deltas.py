"""A proposed change of the site control file, and what becomes of it: applied whole, or refused with a status.

(SMS writes proposals as *.ct1 and works them off in order; one under a bad key is discarded with a status: Q297870.)
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from keyturn.model.accounts import same_name
from keyturn.model.estate import SiteCode
from keyturn.site.control.catalogue import ADDABLE, FIXED, Kind, Owner, Property, Section, problem, property_of
from keyturn.site.control.document import Item, ItemKey, Path, Sealed, SiteControl, Value, in_order, item_key


@dataclass(frozen=True, slots=True)
class Set:
    """In a section where items may be made, setting a property of one that is not there makes it."""

    path: Path
    value: Value = field(repr=False)
    """Left out of tracebacks: somebody may have put a password there in clear."""


@dataclass(frozen=True, slots=True)
class Remove:
    path: Path


@dataclass(frozen=True, slots=True)
class RemoveItem:
    section: Section
    item: str


Operation: TypeAlias = Set | Remove | RemoveItem


@dataclass(frozen=True, slots=True)
class Delta:
    """`author` is a person's name, or `site CODE`. `base` is the serial of the document it was made for."""

    site: SiteCode
    author: str
    base: int
    operations: tuple[Operation, ...]


class DeltaStatus(StrEnum):
    APPLIED = "applied"
    STALE = "stale"
    OTHER_SITE = "other-site"
    UNKNOWN = "unknown"
    NOT_ITS_OWN = "not-its-own"
    INVALID = "invalid-value"
    WRONG_KEY = "wrong-key"
    NOT_SIGNED = "not-signed"
    """By neither the site itself nor its parent."""


@dataclass(frozen=True, slots=True)
class Applied:
    document: SiteControl


@dataclass(frozen=True, slots=True)
class RefusedDelta:
    """`said` names the thing, and holds no value: it may be a secret that somebody put in the wrong place."""

    status: DeltaStatus
    said: str
    hint: str = ""


Opens: TypeAlias = Callable[[Path, Sealed], bool]
"""Whether this site's key opens what is sealed, and it was sealed for this very place."""


def apply(document: SiteControl, delta: Delta, *, opens: Opens, on_behalf_of: Owner) -> Applied | RefusedDelta:
    """All of the delta or nothing. `on_behalf_of` says whose properties its author may change."""
    if not same_name(delta.site, document.site):
        return RefusedDelta(DeltaStatus.OTHER_SITE, f"it is for site {delta.site}, and this is {document.site}")
    if delta.base != document.serial:
        return RefusedDelta(
            DeltaStatus.STALE,
            f"it was made for serial {delta.base}, and the document is at {document.serial}",
            hint=f"keyturn site control diff {delta.base} {document.serial}, then propose it anew",
        )
    items = document.by_key()
    for operation in delta.operations:
        if refused := _carry_out(items, operation, opens, on_behalf_of):
            return refused
    return Applied(SiteControl(document.site, document.serial + 1, in_order(items.values())))


def without_values(delta: Delta) -> Delta:
    """As it may be kept when it was refused: what came in clear for a place that should be sealed, or for none that is
    known, may be a password."""
    return replace(delta, operations=tuple(map(_without_value, delta.operations)))


def _without_value(operation: Operation) -> Operation:
    if not isinstance(operation, Set) or isinstance(operation.value, Sealed):
        return operation
    known = property_of(operation.path.section, operation.path.property)
    is_plain = known is not None and known.kind is not Kind.SECRET and not problem(known, operation.value)
    return operation if is_plain else replace(operation, value="")


def _carry_out(items: dict[ItemKey, Item], operation: Operation, opens: Opens, owner: Owner) -> RefusedDelta | None:
    match operation:
        case RemoveItem(section, name):
            return _take_away(items, section, name, owner)
        case Remove(path):
            return _put(items, path, "", opens, owner)
        case Set(path, value):
            return _put(items, path, value, opens, owner)


def _take_away(items: dict[ItemKey, Item], section: Section, name: str, owner: Owner) -> RefusedDelta | None:
    key = item_key(section, name)
    if key not in items:
        return RefusedDelta(DeltaStatus.UNKNOWN, f"there is no {section}.{name}", hint=_SHOW)
    if section not in ADDABLE and owner is not Owner.ESTATE:
        return RefusedDelta(DeltaStatus.NOT_ITS_OWN, f"{section}.{name} is not removed by a delta")
    if owner is Owner.CONTROL_FILE and items[key].get("url") != "":
        return RefusedDelta(
            DeltaStatus.NOT_ITS_OWN, f"{section}.{name} is the hierarchy's", hint=_WAY_OUT[Owner.HIERARCHY]
        )
    del items[key]
    return None


def _put(items: dict[ItemKey, Item], path: Path, value: Value, opens: Opens, owner: Owner) -> RefusedDelta | None:
    known = property_of(path.section, path.property)
    key = item_key(path.section, path.item)
    if known is None or (key not in items and not _may_be_made(path, owner)):
        return RefusedDelta(DeltaStatus.UNKNOWN, f"there is no {path}", hint=_SHOW)
    if known.owner is not owner:
        return RefusedDelta(DeltaStatus.NOT_ITS_OWN, f"{path} is the {known.owner}'s", hint=_WAY_OUT[known.owner])
    if refused := _wrong(path, known, value, opens):
        return refused
    items[key] = items.get(key, Item(path.section, path.item)).but(path.property, value)
    return None


def _may_be_made(path: Path, owner: Owner) -> bool:
    listed = any(same_name(path.item, name) for name in FIXED.get(path.section, ()))
    return bool(path.item.strip()) and (path.section in ADDABLE or listed or owner is Owner.ESTATE)


def _wrong(path: Path, known: Property, value: Value, opens: Opens) -> RefusedDelta | None:
    if isinstance(value, Sealed):
        if known.kind is not Kind.SECRET:
            return RefusedDelta(DeltaStatus.INVALID, f"{path} is no secret, and was given one")
        if not opens(path, value):
            return RefusedDelta(DeltaStatus.WRONG_KEY, f"{path} was sealed with another key, or for another place")
        return None
    if value == "":
        return None
    if known.kind is Kind.SECRET:
        return RefusedDelta(DeltaStatus.INVALID, f"{path} is a secret, and was not sealed")
    said = problem(Property(path.property), path.item) or problem(known, value)
    return RefusedDelta(DeltaStatus.INVALID, f"{path} {said}") if said else None


_SHOW = "keyturn site control show"
_WAY_OUT = {
    Owner.ESTATE: "change it in the estate: keyturn estate import",
    Owner.HIERARCHY: "sites come and go by keyturn site join and keyturn site leave",
    Owner.CONTROL_FILE: "keyturn site control set",
}
