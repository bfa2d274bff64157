"""How far a reading of a package's source is, for whoever asks, and what of it need not be done again.

What it has learnt is told together with how far it is: a reading that is cut off anywhere is gone on with.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256

from keyturn.model.errors import Refused, Unavailable
from keyturn.model.software import Package
from keyturn.operations.content_ports import Found
from keyturn.operations.parts import Parts
from keyturn.operations.source_records import KnownFile, SourceReading

TELL_S = 1.0
SILENT_S = 120.0
"""After so long without a word, the process that was reading is taken to have ended."""


def never() -> bool:
    return False


def reading_of(parts: Parts, package: Package) -> SourceReading | None:
    """The one that is under way."""
    found = parts.store.source_reading(package.package_id)
    return found if found is not None and parts.now() - found.told_at < SILENT_S else None


@contextmanager
def under_way(parts: Parts, package: Package, *, by: str, stopping: Callable[[], bool] = never) -> Iterator["Progress"]:
    """An earlier reading of the same package that is still under way ends with its next word: the newer one goes on
    with what it has learnt."""
    progress = Progress(parts, package, by, stopping)
    try:
        yield progress
    finally:
        progress.end()


class Progress:
    def __init__(self, parts: Parts, package: Package, by: str, stopping: Callable[[], bool]) -> None:
        self._parts = parts
        self._source = package.source
        self._stopping = stopping
        self._reading = SourceReading(package.package_id, parts.new_id(), by, parts.now(), parts.now())
        self._learnt: dict[str, KnownFile] = {}
        self._gone: Collection[str] = ()
        parts.store.begin_reading(self._reading)
        self._known = parts.store.known_files(package.package_id)

    def known(self, one: Found) -> str | None:
        """The SHA-256 that it had when it was last read, where it has not changed since."""
        known = self._known.get(one.path)
        return known.sha256 if known is not None and known.mark == self._mark(one) else None

    def plan(self, wanted: Collection[Found], unchanged: int) -> None:
        """These are to be read, besides what was."""
        files, size = self._reading.files + len(wanted), self._reading.size + sum(one.size for one in wanted)
        self._reading = replace(self._reading, of_files=files, of_size=size, unchanged=unchanged)
        self._tell()

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield piece
            self._reading = replace(self._reading, size=self._reading.size + len(piece))
            self._tell_now_and_then()

    def took(self, one: Found, digest: str) -> None:
        self._reading = replace(self._reading, files=self._reading.files + 1)
        if one.settled:
            self._learnt[one.path] = KnownFile(self._mark(one), digest)
        self._tell_now_and_then()

    def whole(self, paths: Collection[str]) -> None:
        """The source holds these, and nothing else."""
        self._gone = self._known.keys() - set(paths)

    def end(self) -> None:
        self._parts.store.end_reading(self._reading, self._learnt, self._gone)

    def _mark(self, one: Found) -> str:
        """Of a few bytes, as there are up to 100,000 of a package."""
        return sha256(repr((self._source, one.size, one.mark)).encode()).hexdigest()

    def _tell_now_and_then(self) -> None:
        """A clock that was put back makes it tell at once."""
        if not 0 <= self._parts.now() - self._reading.told_at < TELL_S:
            self._tell()

    def _tell(self) -> None:
        package = self._reading.package
        if self._stopping():
            raise Unavailable(
                f"the site is being stopped; what was read of {package} stays",
                hint=f"keyturn package update {package} goes on with it",
            )
        self._reading = replace(self._reading, told_at=self._parts.now())
        if not self._parts.store.tell_reading(self._reading, self._learnt):
            raise Refused(
                f"somebody else has begun to read {package}, or removed it", hint=f"keyturn package show {package}"
            )
        self._learnt = {}
