"""A package that is at no distribution point, read where its site read it: the files at their source, under whoever
reaches such a share; the manifest that says what they are, from the site."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from keyturn.agent.software.ports import Note, NotLetIn, Point, Presentable, ReachedPoint
from keyturn.wire.agent import NoAnswer
from keyturn.wire.content import FILES, MANIFEST


@dataclass(frozen=True, slots=True)
class Manifests:
    """Where the site keeps them for its clients: `place` is of one version, from its folder at a distribution point.
    `identities` are asked for when they are needed."""

    point: Callable[[], Point]
    place: Callable[[str], str]
    identities: Callable[[], tuple[Presentable, ...]]

    def read(self, folder: str, note: Note) -> Iterator[bytes]:
        for order, identity in enumerate(self.identities(), 1):
            try:
                with self.point().reach(identity, order, note) as reached:
                    yield from reached.read(self.place(folder), 0)
                    return
            except NotLetIn:
                continue
        raise NoAnswer("the site gave nobody the list of the package's files")


@dataclass(frozen=True, slots=True)
class SourcePoint(Point):
    """A source, as if it were a distribution point."""

    source: Point
    manifests: Manifests

    @contextmanager
    def reach(self, identity: Presentable, order: int, note: Note) -> Iterator[ReachedPoint]:
        with self.source.reach(identity, order, note) as reached:
            yield _Reached(reached, self.manifests, note)


@dataclass(frozen=True, slots=True)
class _Reached(ReachedPoint):
    source: ReachedPoint
    manifests: Manifests
    note: Note

    def read(self, path: str, offset: int) -> Iterator[bytes]:
        """A manifest is read from its beginning."""
        folder, _, below = path.partition("/")
        if below == MANIFEST:
            return self.manifests.read(folder, self.note)
        return self.source.read(below.removeprefix(f"{FILES}/"), offset)
