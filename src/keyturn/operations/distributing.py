"""The distribution manager: every package at the distribution points it is assigned to, whole, and nowhere else.

A point on a share gets the files first, then they are read back and compared, and the signed manifest comes last: a
version that has one is whole. Cut off anywhere, the next turn goes on with what is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from keyturn.distribution.content import folder_named, folder_of
from keyturn.model.errors import KeyturnError, NotFound
from keyturn.model.estate import DISTRIBUTION_POINT_ROLE, Estate, SiteSystem
from keyturn.model.software import OWN_POINT, DistributionPoint, Manifest, Package, PackageId, owner_of
from keyturn.operations.access_logons import FILES, let_in
from keyturn.operations.content import content_of, current, signed_manifest
from keyturn.operations.content_copying import Copying
from keyturn.operations.content_ports import ContentRecord, ContentState, ReachedFolder
from keyturn.operations.left_out import is_left_out
from keyturn.operations.package_access import access_of
from keyturn.operations.parts import Parts
from keyturn.operations.software_owner import is_from_above
from keyturn.operations.status_messages import report
from keyturn.site.components import ComponentName
from keyturn.site.status_messages import MessageId

POINT_ROLE = DISTRIBUTION_POINT_ROLE
LOOK_S = 5.0
CLAIM_S = 120.0
"""How long after its last sign of life another process takes up what one was doing."""
FIRST_RETRY_S, LONGEST_RETRY_S = 60.0, 3600.0
KEEP_OLD_S = 24 * 3600.0
"""How long an older version stays where a newer one is, after the last policy that names it has run out."""

_MANAGER = ComponentName.DISTRIBUTION_MANAGER


@dataclass(frozen=True, slots=True)
class _Task:
    system: SiteSystem
    package: Package
    manifest: Manifest


def distribute(parts: Parts) -> float:
    """What is due now; in how many seconds to look again. Any number of processes may be at it."""
    if parts.content is None:
        return LOOK_S
    known = {(record.package, record.system.casefold()): record for record in parts.store.contents()}
    without = parts.store.left_out()
    wanted = {(task.package.package_id, task.system.name.casefold()): task for task in _tasks(parts)}
    for key, task in wanted.items():
        before = known.get(key, ContentRecord(task.package.package_id, task.system.name))
        if not is_left_out(task.system.name, without) and _is_due(parts, task, before):
            _bring(parts, task, before)
    for key, record in known.items():
        if key not in wanted and record.next_at <= parts.now():
            _withdraw(parts, record)
    return LOOK_S


def points_of(parts: Parts, estate: Estate) -> dict[str, SiteSystem]:
    """The distribution points that this site fills, by their names without case."""
    systems = estate.systems_in_care_of(parts.settings.site)
    return {s.name.casefold(): s for s in systems if POINT_ROLE in s.roles}


def point_of(system: SiteSystem) -> DistributionPoint:
    """As a client reaches it."""
    return DistributionPoint(system.name, system.share or OWN_POINT)


def refresh(parts: Parts, package: Package, *, by: str) -> tuple[str, ...]:
    """Every point of the package is brought what it lacks, and verified, as if it had nothing. Until then no client is
    sent there. The points, by name."""
    with parts.store.whole():
        found = parts.store.contents(package.package_id)
        for record in found:
            parts.store.note_content(replace(record, version=0, there=0, tries=0, next_at=0, access=""))
        parts.store.tell(by, "package-refreshed", package.package_id)
    parts.wake()
    return tuple(record.system for record in found)


def _tasks(parts: Parts) -> Iterator[_Task]:
    systems = points_of(parts, parts.store.document())
    for package_id, names in parts.store.assigned_points().items():
        package = parts.store.package(package_id)
        manifest = current(parts, package)
        for name in names:
            if manifest is not None and (system := systems.get(name.casefold())) is not None:
                yield _Task(system, package, manifest)


def _is_due(parts: Parts, task: _Task, before: ContentRecord) -> bool:
    if before.next_at > parts.now():
        return False
    current_there = before.there == task.manifest.version == before.version
    if not current_there or before.access != _access_mark(task):
        return True
    return _may_sweep(parts, before)


def _access_mark(task: _Task) -> str:
    return repr(tuple(sorted(task.package.access))) if task.system.share else ""


def _bring(parts: Parts, task: _Task, before: ContentRecord) -> None:
    if not parts.store.claim_content(before, parts.now() + CLAIM_S):
        return
    anew = before.version != task.manifest.version
    begun = replace(before, version=task.manifest.version, tries=0 if anew else before.tries)
    if is_from_above(parts, task.package.package_id) and not _has_come(parts, task.manifest):
        reason = f"its content is on its way from site {owner_of(task.package.package_id)}"
        waiting = replace(begun, state=ContentState.WAITING, reason=reason, next_at=parts.now() + LOOK_S)
        parts.store.note_content(waiting)
        return
    try:
        done = _on_share(parts, task, begun) if task.system.share else _here(parts, task, begun)
    except KeyturnError as error:
        _note_failure(parts, begun, error)
        return
    parts.store.note_content(replace(done, state=ContentState.THERE, reason="", hint="", tries=0, next_at=0))
    if done.there != before.there or before.state is ContentState.FAILED:
        inserts = {"package": task.package.package_id, "version": done.there, "system": task.system.name}
        report(parts, _MANAGER, MessageId.CONTENT_THERE, **inserts)


def _has_come(parts: Parts, manifest: Manifest) -> bool:
    blobs = content_of(parts).blobs
    return all(blobs.size(file.sha256) == file.size for file in manifest.files)


def _here(parts: Parts, task: _Task, begun: ContentRecord) -> ContentRecord:
    """The site's own server has everything from the moment it was read."""
    blobs = content_of(parts).blobs
    for file in task.manifest.files:
        if blobs.size(file.sha256) != file.size:
            raise NotFound(f"{file.path} is not in the site's content store", hint="keyturn package update")
    return _swept(parts, _arrived(parts, task, begun))


def _on_share(parts: Parts, task: _Task, begun: ContentRecord) -> ContentRecord:
    system, manifest = task.system, task.manifest
    share = content_of(parts).share(system.share or "")
    name = folder_of(task.package.package_id, manifest.version)
    with let_in(parts, system.name, system.share or "", FILES, share.reach) as point:
        copying = Copying(point, content_of(parts).blobs, lambda copied: _go_on(parts, begun, copied))
        access = access_of(parts, task.package)
        if begun.there != manifest.version:
            copying.bring(name, manifest, signed_manifest(parts, manifest), access)
            begun = _arrived(parts, task, begun)
        elif begun.access != _access_mark(task):
            copying.give_access(name, manifest, access)
        done = _swept(parts, begun)
        if done.swept != begun.swept:
            _remove(point, task.package.package_id, below=done.swept)
    return replace(done, access=_access_mark(task))


def _arrived(parts: Parts, task: _Task, begun: ContentRecord) -> ContentRecord:
    if begun.there == task.manifest.version:
        return begun
    return replace(begun, there=task.manifest.version, there_since=parts.now(), copied=task.manifest.size)


def _swept(parts: Parts, record: ContentRecord) -> ContentRecord:
    """With nothing older than what is there, once that has been there for long enough."""
    return replace(record, swept=record.there) if _may_sweep(parts, record) else record


def _may_sweep(parts: Parts, record: ContentRecord) -> bool:
    return record.swept != record.there and parts.now() - record.there_since >= parts.settings.policy_s + KEEP_OLD_S


def _go_on(parts: Parts, begun: ContentRecord, copied: int) -> None:
    """A sign of life, for the other processes and for people."""
    copying = replace(begun, state=ContentState.COPYING, copied=copied, next_at=parts.now() + CLAIM_S)
    parts.store.note_content(copying)


def _remove(point: ReachedFolder, package: PackageId, *, below: int) -> None:
    for name in point.folders():
        found = folder_named(name)
        if found is not None and found[0] == package and found[1] < below:
            point.remove(name)


def _note_failure(parts: Parts, begun: ContentRecord, error: KeyturnError) -> None:
    pause_s = min(FIRST_RETRY_S * 2**begun.tries, LONGEST_RETRY_S)
    failed = replace(
        begun,
        state=ContentState.FAILED,
        reason=error.message,
        hint=error.hint,
        tries=begun.tries + 1,
        next_at=parts.now() + pause_s,
    )
    with parts.store.whole():
        parts.store.note_content(failed)
        if begun.reason != error.message:
            inserts = {"package": begun.package, "version": begun.version, "system": begun.system}
            report(parts, _MANAGER, MessageId.CONTENT_FAILED, **inserts, reason=error.message)


def _withdraw(parts: Parts, record: ContentRecord) -> None:
    """What is assigned there no more. A system that is no point any more, or none we know, is left as it is."""
    if not parts.store.claim_content(record, parts.now() + CLAIM_S):
        return
    system = points_of(parts, parts.store.document()).get(record.system.casefold())
    try:
        if system is not None and system.share:
            share = content_of(parts).share(system.share)
            with let_in(parts, system.name, system.share, FILES, share.reach) as point:
                _remove(point, record.package, below=10**9)
    except KeyturnError as error:
        _note_failure(parts, replace(record, state=ContentState.REMOVING), error)
        return
    parts.store.forget_content(record.package, record.system)
    report(parts, _MANAGER, MessageId.CONTENT_REMOVED, package=record.package, system=record.system)
