"""The content of packages: read from their sources into the site's own store, so that what was agreed to is what is
distributed, whatever becomes of the source."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from keyturn.distribution.content import canonical, manifest_of
from keyturn.distribution.signed_content import PURPOSE, write_signed
from keyturn.model.accounts import RoleName
from keyturn.model.errors import Refused
from keyturn.model.software import Manifest, Package, PackageId
from keyturn.operations.access_logons import let_in
from keyturn.operations.content_ports import ContentParts
from keyturn.operations.content_progress import never, under_way
from keyturn.operations.content_reading import Readable, read_files
from keyturn.operations.inbox_ports import PointTrouble
from keyturn.operations.parts import Parts
from keyturn.operations.signing import signer
from keyturn.operations.software_changes import changing

SOURCES = (RoleName("sms2003/service"), RoleName("sms2003/site-system-connection"))
"""A source on a share is read with the first of these that the site has, as the site server reaches anything."""

SOURCE_NAME = "package sources"
"""Under which a refusal at any of them is remembered: a wrong password is wrong at all of them."""

UNUSED_S = 24 * 3600.0
"""What was read is kept for so long, also where nothing names it: its manifest may be about to."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`new`: the source held something else than the version before."""

    manifest: Manifest
    new: bool


def read_source(
    parts: Parts, package_id: PackageId, *, by: str, every_file: bool = False, stopping: Callable[[], bool] = never
) -> Reading:
    """A new version of the package's content, where its source holds another one than before. Files that have not
    changed since they were read are read again with `every_file` alone. Refused, with the name of the file, for what
    cannot be distributed or does not keep still; Unavailable where this process is `stopping`."""
    package = parts.store.package(package_id)
    if not package.source:
        raise Refused(f"package {package.package_id} has no source", hint="its programs need no files of it")
    content = content_of(parts)
    with (
        _opened(parts, content, package.source) as source,
        under_way(parts, package, by=by, stopping=stopping) as progress,
    ):
        files = read_files(content.blobs, source, package, progress, every_file=every_file)
    with changing(parts, by=by):
        package = parts.store.package(package_id)
        before = current(parts, package)
        manifest = manifest_of(package.package_id, package.source_version + 1, files)
        if before is not None and before.files == manifest.files:
            return Reading(before, new=False)
        parts.store.keep_manifest(manifest)
        parts.store.keep_package(replace(package, source_version=manifest.version))
        said = f"version {manifest.version}, {len(files)} files, {manifest.size} bytes, digest {manifest.digest}"
        parts.store.tell(by, "package-updated", package.package_id, said)
    return Reading(manifest, new=True)


def current(parts: Parts, package: Package) -> Manifest | None:
    """None before the first reading."""
    return parts.store.manifest(package.package_id, package.source_version) if package.source_version else None


def signed_manifest(parts: Parts, manifest: Manifest) -> bytes:
    """As it lies at a distribution point."""
    return write_signed(manifest, signer(parts)(PURPOSE, canonical(manifest)))


def content_of(parts: Parts) -> ContentParts:
    if parts.content is None:
        raise Refused("this process keeps no content of packages", hint="keyturn up, or keyturn serve")
    return parts.content


@contextmanager
def _opened(parts: Parts, content: ContentParts, place: str) -> Iterator[Readable]:
    if not place.startswith("\\\\"):
        yield content.folder(place)
        return
    share = content.share(place)
    try:
        with let_in(parts, SOURCE_NAME, place, SOURCES, share.reach) as reached:
            yield reached
    except PointTrouble as error:
        raise Refused(error.message, error.hint) from None


def forget_unused(parts: Parts) -> int:
    """Versions that every point has let go of, and the files that only they had. How many files."""
    if parts.content is None:
        return 0
    used = set[str]()
    versions = parts.store.content_versions()
    for package_id, kept in versions.items():
        let_go = min((record.swept for record in parts.store.contents(package_id)), default=10**9)
        for version in kept:
            if version < min(let_go, max(kept)):
                parts.store.forget_version(package_id, version)
            else:
                used.update(file.sha256 for file in parts.store.manifest(package_id, version).files)
    parts.content.arriving.sweep(used, parts.now() - UNUSED_S)
    return parts.content.blobs.sweep(used, parts.now() - UNUSED_S)
