"""The inbox manager: access points kept current, and what clients wrote there carried into the site's inboxes."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from keyturn.model.accounts import same_name
from keyturn.model.errors import Refused
from keyturn.model.estate import SiteSystem
from keyturn.operations.access_logons import FILES, inside, points_of
from keyturn.operations.inbox_ports import InboxFile, InUse, Lying, PointRecord, PointTrouble, ReachedPoint
from keyturn.operations.inbox_reading import read_inboxes
from keyturn.operations.left_out import is_left_out
from keyturn.operations.parts import Parts
from keyturn.operations.status_messages import report
from keyturn.site.access_points import BAD_BOX, BOXES, NAME, PASSAGES, READ_BOXES, Passage, is_being_written
from keyturn.site.components import ComponentName
from keyturn.site.status_messages import MessageId

ROUND_S = 5.0
"""How soon is read what came over HTTPS."""

VISIT_S = 60.0
"""Between two visits to an access point."""

AT_ONCE = 500
"""Files of one box that are taken in one visit, so that no box keeps the others waiting."""

FROM_A_CLIENT = 1000
"""Files of one client that may wait: a client that goes mad fills no disk."""

RECEIPTS_S = 70 * 24 * 3600.0
"""How long a file that was read is remembered. An orphaned client removes itself after 60 days (Q236052)."""

_MANAGER = ComponentName.INBOX_MANAGER


@dataclass(frozen=True, slots=True)
class AccessFile:
    """What clients read; only `reader`, where one is named. `mark` changes with what the file says; its bytes are
    others each time they are made, as what is sealed never looks the same."""

    box: str
    name: str
    mark: str
    content: Callable[[], bytes]
    reader: str = ""

    @property
    def path(self) -> str:
        return f"{self.box}/{self.name}"


def tend(parts: Parts, files: Callable[[], Sequence[AccessFile]], *, at_once: bool = False) -> float:
    """One round: the access points whose turn it is, or all of them `at_once`. Safe to be cut off anywhere and to
    repeat; two at once do no harm. In how many seconds the next is due."""
    without = parts.store.left_out()
    systems = [s for s in points_of(parts.store.document(), parts.settings.site) if not is_left_out(s.name, without)]
    due = [s for s in systems if at_once or parts.now() - parts.store.point(s.name).tried_at >= VISIT_S]
    current = files() if due else ()
    for system in due:
        _visit(parts, system, current)
    read_inboxes(parts)
    parts.store.forget_receipts(parts.now() - RECEIPTS_S)
    return ROUND_S


def recreate(parts: Parts, files: Callable[[], Sequence[AccessFile]], name: str) -> str | None:
    """Write everything to an access point, whatever was written before. None once it is there; else why it is not
    reached. One that is no share is the site's own server, which has nothing written."""
    points = points_of(parts.store.estate(), parts.settings.site)
    system = next((s for s in points if same_name(s.name, name)), None)
    if system is None:
        return None
    parts.store.note_published(system.name, dict.fromkeys(parts.store.published_marks(system.name), ""))
    _visit(parts, system, files())
    return parts.store.point(system.name).trouble or None


def deliver(parts: Parts, machine: str, box: str, name: str, content: bytes) -> bool:
    """What a client brought over HTTPS and signed for. `name` is the client's own choice: bringing the same again
    changes nothing, and is False."""
    passage = PASSAGES[box]
    if len(content) > passage.max_bytes:
        raise Refused(f"{box} takes files of {passage.max_bytes} bytes at most")
    if parts.store.waiting_from(machine) >= FROM_A_CLIENT:
        raise Refused(f"{FROM_A_CLIENT} files of {machine} wait already", hint="keyturn site inboxes")
    receipt = _receipt("https", machine, box, name)
    file = InboxFile(passage.inbox, box, name, machine, True, receipt, parts.now(), content)
    return parts.store.take_in(file)


def _visit(parts: Parts, system: SiteSystem, files: Sequence[AccessFile]) -> None:
    before = parts.store.point(system.name)
    try:
        with inside(parts, system, FILES) as point:
            _publish(parts, system, point, [file for file in files if _is_read_at(parts, system, file)])
            _take(parts, system, point)
            lying = {box: len(point.files(box)) for box in (*PASSAGES, BAD_BOX)}
    except PointTrouble as error:
        _note_trouble(parts, system, before, error)
        return
    record = PointRecord(system.name, parts.now(), parts.now(), lying=lying)
    parts.store.note_point(record)
    if before.trouble:
        report(parts, _MANAGER, MessageId.POINT_REACHED, system=system.name)


def _note_trouble(parts: Parts, system: SiteSystem, before: PointRecord, error: PointTrouble) -> None:
    """Told when it begins or changes, not at every visit."""
    now = replace(
        parts.store.point(system.name), tried_at=parts.now(), trouble=error.message, hint=error.hint, lying=before.lying
    )
    with parts.store.whole():
        parts.store.note_point(now)
        if before.trouble != error.message:
            report(parts, _MANAGER, MessageId.POINT_TROUBLE, system=system.name, trouble=error.message)


def _is_read_at(parts: Parts, system: SiteSystem, file: AccessFile) -> bool:
    """The line to a secondary site carries what is for its own clients, and no more."""
    if not file.reader or same_name(system.site, parts.settings.site):
        return True
    machine = parts.machine(file.reader)
    return machine is not None and machine.site is not None and same_name(machine.site, system.site)


def _publish(parts: Parts, system: SiteSystem, point: ReachedPoint, files: Iterable[AccessFile]) -> None:
    """What says something new, and what is gone from its box."""
    for box in (*BOXES, BAD_BOX):
        point.make(box)
    there = {f"{box}/{lying.name}" for box in READ_BOXES for lying in point.files(box)}
    known = parts.store.published_marks(system.name)
    due = [file for file in files if known.get(file.path) != file.mark or file.path not in there]
    for file in due:
        try:
            point.write(file.box, file.name, file.content())
        except InUse:
            continue  # somebody reads it, or publishes it too: the next visit finds out
        parts.store.note_published(system.name, {file.path: file.mark})
    if due:
        report(parts, _MANAGER, MessageId.PUBLISHED, system=system.name, count=len(due))


def _take(parts: Parts, system: SiteSystem, point: ReachedPoint) -> None:
    """Everything that can be taken is, before the first trouble is told."""
    taken, troubles = 0, []
    for box, passage in PASSAGES.items():
        for lying in point.files(box)[:AT_ONCE]:
            if is_being_written(lying.name):
                continue
            try:
                taken += _take_one(parts, system, point, box, passage, lying)
            except InUse:
                continue
            except PointTrouble as error:
                troubles.append(error)
    if taken:
        report(parts, _MANAGER, MessageId.TAKEN, system=system.name, count=taken)
    if troubles:
        raise troubles[0]


def _take_one(parts: Parts, system: SiteSystem, point: ReachedPoint, box: str, passage: Passage, lying: Lying) -> bool:
    """Whether it is here now and was not before."""
    reason = _unfit(passage, lying)
    if reason:
        aside = f"{box}.{_receipt(box, lying.name, lying.mark)[:16]}"
        point.put_aside(box, lying, aside)
        whence = {"box": box, "name": ascii(lying.name)[1:-1], "source": system.name}
        report(parts, _MANAGER, MessageId.PUT_ASIDE, **whence, reason=f"{reason}; it is now {BAD_BOX}\\{aside}")
        return False
    new = []

    def keep(content: bytes) -> None:
        receipt = _receipt(system.name, box, lying.name, lying.mark, hashlib.sha256(content).hexdigest())
        file = InboxFile(passage.inbox, box, lying.name, system.name, False, receipt, parts.now(), content)
        new.append(parts.store.take_in(file))

    point.take(box, lying, keep)
    return any(new)


def _unfit(passage: Passage, lying: Lying) -> str:
    if lying.size > passage.max_bytes:
        return f"{lying.size} bytes are more than {passage.max_bytes}"
    return "" if NAME.fullmatch(lying.name) else "its name is none that a client gives"


def _receipt(*parts: str) -> str:
    """Each part with its length before it, so that no two lists of parts look alike."""
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "replace")).hexdigest()
