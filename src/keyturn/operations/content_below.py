"""The content of packages between sites: a site below asks for what it lacks, the site that made it sends that.

No more is asked for than a queue should hold, and the next only when that has arrived; what was cut off anywhere goes
on where it was. A file that is here already, from whatever package, is not sent.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from keyturn.distribution.content import BadContent, canonical, read_manifest
from keyturn.distribution.handed_down import (
    AT_ONCE,
    MOST_RANGES,
    PIECE,
    Awaited,
    Missing,
    Piece,
    Pieces,
    Range,
    Wanted,
    next_ranges,
)
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import SiteCode
from keyturn.model.software import Manifest
from keyturn.operations.bundles import post
from keyturn.operations.content import content_of
from keyturn.operations.content_ports import ContentParts
from keyturn.operations.distributing import points_of, refresh
from keyturn.operations.handing_ports import FromAbove
from keyturn.operations.neighbours import here, tree
from keyturn.operations.parts import Parts
from keyturn.operations.software_changes import changing
from keyturn.operations.status_messages import report
from keyturn.site import messages
from keyturn.site.bundles import Kind
from keyturn.site.components import ComponentName
from keyturn.site.status_messages import MessageId

AGAIN_S = 3600.0
"""After so long without an answer it is asked again: the site above may not have had it."""

MOST_QUEUED = 8
"""Bundles of content to one site that wait at once: a site that cannot be reached asks again and again."""


_DESPOOLER = ComponentName.DESPOOLER


class _Damaged(Exception):
    """All of a file has arrived, and it is another one."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256)
        self.sha256 = sha256


def gather(parts: Parts) -> None:
    """Take up what has become whole, and ask for what is still missing."""
    if parts.content is None:
        return
    for above in parts.store.from_above():
        if above.awaited and (_has_arrived(parts.content, above.asked) or parts.now() - above.asked_at >= AGAIN_S):
            try:
                _go_on(parts, parts.content, above)
            except _Damaged as damaged:
                _wait(parts, above, damaged.sha256)


def answer(parts: Parts, source: SiteCode, payload: bytes) -> None:
    """Send what a site below asks for, as far as it is here; nothing while much is on its way to it already. Refused
    for one that is not below, or asks for too much."""
    if source not in {place.code for place in tree(parts).branch(here(parts).code)[1:]}:
        raise Refused(f"site {source} is not below this one, and asks for content")
    wanted = messages.read(Wanted, payload).ranges
    if len(wanted) > MOST_RANGES or sum(each.length for each in wanted) > AT_ONCE:
        raise Refused(f"site {source} asks for more content than may be asked for at once")
    queued = parts.store.outgoing([source], 1000)
    if sum(header.kind is Kind.CONTENT for header in queued) >= MOST_QUEUED:
        return
    for pieces in _bundled(_found(parts, wanted)):
        post(parts, source, Kind.CONTENT, msgspec.msgpack.encode(Pieces(pieces)))


def take(parts: Parts, source: SiteCode, payload: bytes) -> None:
    """Pieces that were asked for. What they are is told by their digests, once they are whole."""
    if source not in {above.site for above in parts.store.from_above()}:
        raise Refused(f"site {source} was not asked for content")
    try:
        pieces = msgspec.msgpack.decode(payload, type=Pieces).pieces
    except (ValueError, RecursionError):
        raise messages.BadPayload("not valid pieces of content") from None
    asked = {(each.sha256, each.offset) for above in parts.store.from_above() for each in above.asked}
    for piece in pieces:
        if (piece.sha256, piece.offset) in asked:
            content_of(parts).arriving.append(piece.sha256, piece.offset, piece.content)


def _has_arrived(content: ContentParts, asked: Iterable[Range]) -> bool:
    return all(
        content.arriving.there(each.sha256) >= each.end or content.blobs.size(each.sha256) is not None for each in asked
    )


def _go_on(parts: Parts, content: ContentParts, above: FromAbove) -> None:
    missing: list[Missing] = []
    awaited: list[Awaited] = []
    for each in above.awaited:
        if found := _missing(parts, content, each, by=above.site):
            missing += found
            awaited.append(each)
    asked = next_ranges(missing)
    with parts.store.whole():
        if above not in parts.store.from_above():
            return  # another edition has come meanwhile
        if asked:
            post(parts, above.site, Kind.WANTED, messages.write(Wanted(asked)))
        parts.store.keep_from_above(replace(above, awaited=tuple(awaited), asked=asked, asked_at=parts.now()))


def _wait(parts: Parts, above: FromAbove, sha256: str) -> None:
    """Until it is asked for again."""
    with parts.store.whole():
        parts.store.keep_from_above(replace(above, asked=(Range(sha256, 0, 1),), asked_at=parts.now()))
        reason = "what came is not what it was to be"
        report(parts, _DESPOOLER, MessageId.BUNDLE_REFUSED, bundle=f"{sha256} from site {above.site}", reason=reason)


def _missing(parts: Parts, content: ContentParts, awaited: Awaited, *, by: SiteCode) -> list[Missing]:
    if not _is_here(content, awaited.digest, awaited.length):
        return [Missing(awaited.digest, awaited.length, content.arriving.there(awaited.digest))]
    manifest = _manifest(parts, content, awaited, by)
    if manifest is None:
        return []
    lacking = {file.sha256: file.size for file in manifest.files if not _is_here(content, file.sha256, file.size)}
    return [Missing(sha256, size, content.arriving.there(sha256)) for sha256, size in lacking.items()]


def _is_here(content: ContentParts, sha256: str, size: int) -> bool:
    if content.blobs.size(sha256) == size:
        return True
    if content.arriving.there(sha256) < size:
        return False
    if not content.arriving.settle(sha256):
        raise _Damaged(sha256)
    return True


def _manifest(parts: Parts, content: ContentParts, awaited: Awaited, by: SiteCode) -> Manifest | None:
    """From now on the package has this version here. None for one that is gone again, or that is none."""
    try:
        package = parts.store.package(awaited.package)
        manifest = read_manifest(b"".join(content.blobs.read(awaited.digest)))
        if (manifest.package, manifest.version) != (awaited.package, awaited.version):
            raise BadContent(f"it is that of version {manifest.version} of {manifest.package}")
    except NotFound:
        return None
    except BadContent as error:
        about = f"the manifest of package {awaited.package}"
        report(parts, _DESPOOLER, MessageId.BUNDLE_REFUSED, bundle=about, reason=error.message)
        return None
    if parts.store.content_digests().get(awaited.package) == awaited.digest:
        return manifest
    with changing(parts, by=f"site {by}"):
        parts.store.keep_manifest(manifest)
        parts.store.keep_package(replace(package, source_version=manifest.version))
        if package.source_version == manifest.version:
            refresh(parts, package, by=f"site {by}")  # under one number, another content: the site was set back
        if package.package_id not in parts.store.assigned_points():
            points = points_of(parts, parts.store.document()).values()
            parts.store.assign_points(package.package_id, tuple(point.name for point in points))
    return manifest


def _found(parts: Parts, wanted: Iterable[Range]) -> Iterator[Piece]:
    content, manifests = content_of(parts), _Manifests(parts)
    for each in wanted:
        try:
            found = _cut(content.blobs.read(each.sha256, each.offset), each.length)
        except NotFound:
            found = manifests.bytes_of(each.sha256)[each.offset : each.end]
        if len(found) == each.length:
            yield Piece(each.sha256, each.offset, found)


def _cut(pieces: Iterable[bytes], length: int) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) >= length:
            break
    return bytes(found[:length])


def _bundled(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, ...]]:
    together: list[Piece] = []
    length = 0
    for piece in pieces:
        if together and length + len(piece.content) > PIECE:
            yield tuple(together)
            together, length = [], 0
        together.append(piece)
        length += len(piece.content)
    if together:
        yield tuple(together)


class _Manifests:
    """Of the current versions of this site's packages, in canonical form."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._made: dict[str, bytes] = {}

    def bytes_of(self, digest: str) -> bytes:
        """Empty for a digest that is none of theirs."""
        if digest not in self._made:
            store = self._parts.store
            named = next((name for name, known in store.content_digests().items() if known == digest), None)
            version = store.package(named).source_version if named else 0
            self._made[digest] = canonical(store.manifest(named, version)) if named else b""
        return self._made[digest]
