"""The files of a package's source, taken into the site's own store: those that have changed since they were read last,
or all of them."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from keyturn.distribution.content import MAX_FILES, BadContent, relative_path
from keyturn.model.errors import NotFound, Refused
from keyturn.model.software import File, Package
from keyturn.operations.content_ports import Blobs, Found
from keyturn.operations.content_progress import Progress

TRIES = 3
"""How often a source that changes while it is read is read again."""


class Readable(Protocol):
    def files(self) -> Iterator[Found]: ...

    def read(self, path: str) -> Iterator[bytes]: ...


def read_files(
    blobs: Blobs, source: Readable, package: Package, progress: Progress, *, every_file: bool
) -> tuple[File, ...]:
    """All its files as they were together at one moment: none was changed between the first look and the last."""
    known: dict[Found, File] = {}
    found, changed = _listed(source), ""
    if not every_file:
        known = _unchanged(blobs, found, progress)
    unchanged = len(known)
    for _ in range(TRIES):
        wanted = [one for one in found.values() if one not in known]
        progress.plan(wanted, unchanged)
        for one in wanted:
            _take(blobs, source, one, progress, known)
        again = _listed(source)
        if again == found and known.keys() >= set(found.values()):
            progress.whole(found)
            return tuple(known[one] for one in found.values())
        changed, found = _first_difference(found, again, known), again
    raise Refused(
        f"the source of {package.package_id} does not keep still: {changed} changed while it was read",
        hint="ask again once nobody writes there",
    )


def _listed(source: Readable) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for one in source.files():
        found[one.path] = one
        if len(found) > MAX_FILES:
            raise BadContent(f"the source has more than {MAX_FILES} files", hint="pack them into an archive")
    return found


def _unchanged(blobs: Blobs, found: Mapping[str, Found], progress: Progress) -> dict[Found, File]:
    """Those that were read before as they are, and are still in the site's own store."""
    known: dict[Found, File] = {}
    for one in found.values():
        digest = progress.known(one)
        if digest is not None and blobs.renew(digest, one.size):
            known[one] = File(relative_path(one.path), one.size, digest, one.executable)
    return known


def _take(blobs: Blobs, source: Readable, one: Found, progress: Progress, known: dict[Found, File]) -> None:
    """A file that is shorter or longer than it was, or gone, has changed: the next look shows it."""
    path = relative_path(one.path)
    try:
        kept = blobs.keep(progress.counted(source.read(one.path)))
    except NotFound:
        return
    if kept.size == one.size:
        known[one] = File(path, kept.size, kept.sha256, one.executable)
        progress.took(one, kept.sha256)


def _first_difference(before: Mapping[str, Found], after: Mapping[str, Found], known: Mapping[Found, File]) -> str:
    paths = sorted({*before, *after})
    return next(path for path in paths if before.get(path) != after.get(path) or before[path] not in known)
