"""Contacts by rank: the names of all in order, and what they are like once for all that are alike."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import lt

import numpy as np

from keyturn.lockout.changes import Contact
from keyturn.lockout.turns import Ints


@dataclass(frozen=True, slots=True)
class Roster:
    """`kind` says by rank which of `kinds` a holder is like. A million clients are a handful of kinds, and whatever is
    worked out for a kind is worked out once; a kind's own name is that of any who is of it."""

    names: Sequence[str]
    kinds: tuple[Contact, ...]
    kind: Ints

    def __len__(self) -> int:
        return len(self.names)

    def each(self, number: Callable[[Contact], int]) -> Ints:
        """By rank, a number that those who are alike have in common."""
        return np.array([number(kind) for kind in self.kinds], dtype=np.int64)[self.kind]

    def changed(self, change: Callable[[Contact], Contact]) -> "Roster":
        return Roster(self.names, tuple(map(change, self.kinds)), self.kind)

    def only(self, names: Collection[str]) -> "Roster":
        wanted = [rank for rank, name in enumerate(self.names) if name in names]
        kinds, kind = np.unique(self.kind[wanted], return_inverse=True)
        return Roster([self.names[rank] for rank in wanted], tuple(self.kinds[k] for k in kinds.tolist()), kind)


def roster_of(contacts: Iterable[Contact]) -> Roster:
    """Their order means nothing. Raises ValueError where two have one name."""
    return gathered(((contact.name,), contact) for contact in contacts)


def gathered(crowds: Iterable[tuple[Collection[str], Contact]]) -> Roster:
    """Of crowds of names, each with what all in it are like. Raises ValueError where a name comes twice."""
    kinds: dict[object, int] = {}
    firsts: list[Contact] = []
    kind_of: dict[str, int] = {}
    expected = 0
    for names, contact in crowds:
        like = (contact.habit, contact.protocol, contact.gated, contact.behind, contact.replica)
        kind = kinds.setdefault(like, len(kinds))
        if kind == len(firsts):
            firsts.append(contact)
        kind_of.update(dict.fromkeys(names, kind))
        expected += len(names)
    if len(kind_of) < expected:
        raise ValueError("two holders of one name")
    names = list(kind_of)
    kind_by_rank = np.fromiter(kind_of.values(), np.int64, len(names))
    if not all(map(lt, names, islice(names, 1, None))):
        ranked = sorted(range(len(names)), key=names.__getitem__)
        names, kind_by_rank = [names[place] for place in ranked], kind_by_rank[ranked]
    return Roster(names, tuple(firsts), kind_by_rank)
