"""The files of a package on this machine: from the points in their order, under the identities in theirs.

Every file is taken up where it was cut off, verified by size and SHA-256 when it is whole, and thrown away when it is
not the one that was signed: the next point may have the right one.
"""

import errno
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from keyturn.agent.software.cache import Cache, Entry
from keyturn.agent.software.ports import ContentFailed, Note, NotLetIn, Point, Presentable, ReachedPoint
from keyturn.distribution.accesses import Access
from keyturn.distribution.causes import Cause
from keyturn.distribution.content import BadContent, folder_of
from keyturn.distribution.signed_content import MAX_SIGNED, read_signed
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.model.software import DistributionPoint, File, Manifest, Offer
from keyturn.wire.agent import NoAnswer
from keyturn.wire.content import FILES, MANIFEST

Stop = Callable[[], bool]

ROOM = 64 * 1024 * 1024
"""Bytes that are left free on the disk."""
MOST_BYTES = 10 * 1024**3
UNUSED_S = 30 * 24 * 3600.0
"""What is offered no more goes when it was not used for so long, or when there is more than so much."""

_OF_THE_PLACE = {Answer.NO_SHARE, Answer.NO_SHARE_ACCESS, Answer.NO_FILE, Answer.NO_FILE_ACCESS}
"""Another point may say something else; what a realm says of an account holds everywhere."""


class Damaged(Exception):
    """A point has something else than what was signed."""

    def __init__(self, cause: Cause, what: str) -> None:
        super().__init__(what)
        self.cause = cause


class Content:
    """`points` makes the way to one; `verify_key` is the site's, where it is known; `offered` are the digests of what
    this client is offered. Several threads may fetch."""

    def __init__(
        self,
        cache: Cache,
        points: Callable[[DistributionPoint], Point],
        now: Callable[[], float],
        *,
        verify_key: Callable[[], bytes | None] = lambda: None,
        offered: Callable[[], Collection[str]] = tuple,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._cache = cache
        self._points = points
        self._now = now
        self._verify_key = verify_key
        self._offered = offered
        self._most_bytes = most_bytes

    def fetch(self, offer: Offer, identities: tuple[Presentable, ...], note: Note, stop: Stop) -> Path:
        """A `Fetch`. What is here already is verified and not asked for again."""
        try:
            self._cache.make()
            self._prune(offer, self._most_bytes)
            with self._cache.alone(offer.digest) as entry:
                fetching = _Fetching(
                    entry, offer, note, stop, self._verify_key, lambda needed: self._room(offer, needed)
                )
                if not fetching.is_here():
                    fetching.through(self._points, identities)
                return entry.files
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            cause = Cause.DISK_FULL if full else Cause.NO_CONTENT
            raise ContentFailed(cause, f"the cache cannot be written: {error.strerror}") from None

    def _room(self, offer: Offer, needed: int) -> None:
        """What nobody is offered goes before a disk is called full."""
        if needed > self._cache.free_bytes() - ROOM:
            self._prune(offer, 0)
        free = max(self._cache.free_bytes() - ROOM, 0)
        if needed > free:
            raise ContentFailed(Cause.DISK_FULL, f"{needed} bytes are missing, and {free} are free")

    def _prune(self, offer: Offer, most_bytes: int) -> None:
        self._cache.prune({offer.digest, *self._offered()}, most_bytes, self._now() - UNUSED_S)


class _Fetching:
    """One package, once through its points. `room` is told how many bytes are needed, before they are asked for."""

    def __init__(
        self,
        entry: Entry,
        offer: Offer,
        note: Note,
        stop: Stop,
        verify_key: Callable[[], bytes | None],
        room: Callable[[int], None],
    ) -> None:
        self._entry = entry
        self._room = room
        self._offer = offer
        self._stop = stop
        self._verify_key = verify_key
        self._note = note
        self._accesses: list[Access] = []
        self._refused: set[str] = set()
        self._folder = folder_of(offer.package.package_id, offer.package.source_version)
        self._missing: list[File] | None = None

    def is_here(self) -> bool:
        manifest = self._entry.manifest()
        if manifest is not None:
            self._missing = self._entry.missing(manifest)
        return self._missing == []

    def through(self, points: Callable[[DistributionPoint], Point], identities: tuple[Presentable, ...]) -> None:
        if not self._offer.points:
            raise ContentFailed(Cause.NO_POINT, f"{self._offer.package.package_id} is on no distribution point")
        if not identities:
            raise ContentFailed(Cause.NO_PROVEN_PASSWORD, "nobody can be shown to a distribution point")
        damaged: ContentFailed | None = None
        unreached = "no identity was let in"
        for place in self._offer.points:
            seen = len(self._accesses)
            try:
                if self._from(points(place), identities):
                    self._entry.tidy()
                    return
            except (NoAnswer, Refused) as error:
                unreached = f"{place.place}: {error.message}"
            except Damaged as error:  # what happened at other points is not why it failed
                damaged = ContentFailed(error.cause, f"{place.place}: {error}", tuple(self._accesses[seen:]))
        raise damaged or ContentFailed(Cause.NO_CONTENT, unreached, tuple(self._accesses))

    def _from(self, point: Point, identities: tuple[Presentable, ...]) -> bool:
        """Whether everything is here now. False where no identity was let in."""
        for order, identity in enumerate(identities, 1):
            if str(identity.identity) in self._refused:
                continue
            try:
                with point.reach(identity, order, self._noted) as reached:
                    self._take_all(reached)
                return True
            except NotLetIn as refused:
                answer = refused.access.answer
                if identity.secret is not None and answer is not None and answer not in _OF_THE_PLACE:
                    self._refused.add(str(identity.identity))
        return False

    def _noted(self, access: Access) -> None:
        self._accesses.append(access)
        self._note(access)

    def _take_all(self, reached: ReachedPoint) -> None:
        if self._missing is None:
            manifest = self._manifest(reached)
            self._entry.keep_manifest(manifest)
            self._missing = self._entry.missing(manifest)
        self._room(sum(file.size for file in self._missing))
        while self._missing:
            if not self._entry.borrow(self._missing[0]):
                self._take(reached, self._missing[0])
            del self._missing[0]

    def _manifest(self, reached: ReachedPoint) -> Manifest:
        """Signed by the site where its key is known, and the very one that the policy names."""
        content = b"".join(_limited(reached.read(f"{self._folder}/{MANIFEST}", 0), MAX_SIGNED))
        try:
            manifest = read_signed(content, self._verify_key())
        except BadContent as error:
            raise Damaged(Cause.CONTENT_UNSIGNED, error.message) from None
        if manifest.digest != self._offer.digest:
            raise Damaged(Cause.CONTENT_DAMAGED, "its manifest is another one than the policy names")
        return manifest

    def _take(self, reached: ReachedPoint, file: File) -> None:
        """A part that was begun elsewhere may be what is wrong, so it is fetched once more from its beginning."""
        for _ in range(2):
            part = self._entry.part(file)
            with part:
                begun = part.size
                if begun < file.size or not file.size:
                    self._continue(reached, file, part.write, begun)
            if part.is_file(file):
                self._entry.settle(file, part)
                return
            part.discard()
            if not begun:
                break
        raise Damaged(Cause.CONTENT_DAMAGED, f"{file.path} is not the file that was signed")

    def _continue(self, reached: ReachedPoint, file: File, write: Callable[[bytes], None], begun: int) -> None:
        for piece in _limited(reached.read(f"{self._folder}/{FILES}/{file.path}", begun), file.size - begun):
            write(piece)
            if self._stop():
                raise ContentFailed(Cause.NO_CONTENT, "it was stopped; what is here is kept", tuple(self._accesses))


def _limited(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """One byte more shows that there is more."""
    with _closing(pieces):
        for piece in pieces:
            yield piece[: most + 1]
            most -= len(piece)
            if most < 0:
                return


@contextmanager
def _closing(pieces: Iterator[bytes]) -> Iterator[None]:
    """A generator that is left early lets go of its connection now, not when it is collected."""
    try:
        yield
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
