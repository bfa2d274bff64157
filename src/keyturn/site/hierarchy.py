"""The tree of sites: who is above whom, and by which neighbour a bundle leaves."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from keyturn.model.accounts import canonical
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import SiteCode, SiteKind


@dataclass(frozen=True, slots=True)
class Place:
    """A site in the tree. A parent that is not among the sites known here ends the tree: a site sees its own branch."""

    code: SiteCode
    kind: SiteKind
    parent: SiteCode | None


class Tree:
    """Raises Refused, naming the sites, for a code that is there twice, a loop, and a secondary site as a parent.

    A way is found in as many looks as the tree is deep.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._places: dict[str, Place] = {}
        for place in places:
            if self._places.setdefault(canonical(place.code), place) is not place:
                raise Refused(f"site {place.code} is there twice", hint="a site code is given once in a hierarchy")
        self._refuse_secondary_parents()
        self._refuse_loops()

    def __contains__(self, code: str) -> bool:
        return canonical(code) in self._places

    def place(self, code: str) -> Place:
        try:
            return self._places[canonical(code)]
        except KeyError:
            raise NotFound(f"no site {code} in the hierarchy", hint="keyturn site addresses") from None

    def parent(self, code: str) -> Place | None:
        above = self.place(code).parent
        return self._places.get(canonical(above)) if above is not None else None

    def line(self, code: str) -> list[Place]:
        """The site and those above it, the topmost last."""
        found = [self.place(code)]
        while above := self.parent(found[-1].code):
            found.append(above)
        return found

    def branch(self, code: str) -> list[Place]:
        """The site and all below it, each after its parent."""
        below: dict[str, list[Place]] = {}
        for place in self._places.values():
            if place.parent is not None:
                below.setdefault(canonical(place.parent), []).append(place)
        found = [self.place(code)]
        for place in found:  # grows while it is read
            found.extend(below.get(canonical(place.code), ()))
        return found

    def next_hop(self, start: str, end: str) -> SiteCode:
        """The neighbour of `start` through which `end` is reached. NotFound where no way leads there."""
        here = self.place(start)
        line = self.line(end)
        if line[0] is here:
            raise Refused(f"site {start} sends nothing to itself")
        for below, place in pairwise(line):
            if place is here:
                return below.code
        above = self.parent(start)
        if above is None or self.line(start)[-1] is not line[-1]:
            raise NotFound(f"no way leads from site {start} to site {end}", hint="keyturn site join")
        return above.code

    def _refuse_secondary_parents(self) -> None:
        for place in self._places.values():
            above = self.parent(place.code)
            if above is not None and above.kind is SiteKind.SECONDARY:
                raise Refused(
                    f"site {place.code} stands below the secondary site {above.code}",
                    hint="a secondary site is never a parent",
                )

    def _refuse_loops(self) -> None:
        ends: set[str] = set()
        """Sites from which the way up is known to end."""
        for code in self._places:
            trail: dict[str, None] = {}
            while code in self._places and code not in ends:
                if code in trail:
                    names = [self._places[key].code for key in trail]
                    loop = names[list(trail).index(code) :]
                    way = " → ".join([*loop, loop[0]])
                    raise Refused(f"the parents run in a loop: {way}", hint="the sites form a tree")
                trail[code] = None
                code = canonical(self._places[code].parent or "")
            ends.update(trail)
