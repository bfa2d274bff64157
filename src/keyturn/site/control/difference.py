"""What two documents say differently."""

from collections.abc import Iterator
from dataclasses import dataclass

from keyturn.site.control.catalogue import PROPERTIES
from keyturn.site.control.document import Item, Path, SiteControl, Value, in_order


@dataclass(frozen=True, slots=True)
class Change:
    """Empty: the document does not have it. Two sealed values differ where their bytes do."""

    path: Path
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Difference:
    """Items by `section.name`, and changed properties of items that both have."""

    added: tuple[Item, ...]
    removed: tuple[Item, ...]
    changed: tuple[Change, ...]


def difference(before: SiteControl, after: SiteControl) -> Difference:
    old, new = before.by_key(), after.by_key()
    both = [name for name in old if name in new]
    return Difference(
        added=in_order(new[name] for name in new if name not in old),
        removed=in_order(old[name] for name in old if name not in new),
        changed=tuple(change for name in both for change in _changes(old[name], new[name])),
    )


def _changes(old: Item, new: Item) -> Iterator[Change]:
    for known in PROPERTIES[old.section]:
        before, after = old.get(known.name), new.get(known.name)
        if before != after:
            yield Change(Path(new.section, new.name, known.name), before, after)
