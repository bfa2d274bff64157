"""The site control file: shown as it is now, changed by deltas, and kept with everything that was ever proposed.

Before anything is read or changed, the document is brought up to what the estate says, by a delta of the estate's own.
So the two never disagree, and the history says when the estate changed what.
"""

from collections.abc import Sequence

from keyturn.model.accounts import same_name
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.operations.neighbours import here, neighbours
from keyturn.operations.parts import Parts
from keyturn.operations.site_control_records import DeltaRecord
from keyturn.operations.status_messages import report
from keyturn.site.components import ComponentName, Wanted
from keyturn.site.control.catalogue import Owner, Section
from keyturn.site.control.deltas import Applied, Delta, DeltaStatus, Operation, RefusedDelta, apply, without_values
from keyturn.site.control.difference import difference
from keyturn.site.control.document import Path, Sealed, SiteControl
from keyturn.site.control.from_estate import first_document, following, following_hierarchy, missing_items
from keyturn.site.control.json_form import BadForm, read_delta
from keyturn.site.control.secrets import open_for_site, seal_for_site
from keyturn.site.status_messages import MessageId

THE_ESTATE = "the estate"
"""The author of what follows from it."""


def current(parts: Parts) -> SiteControl:
    """As it is now. NotFound where this site is not in the estate."""
    return follow_estate(parts, by=THE_ESTATE)


def at_serial(parts: Parts, serial: int) -> SiteControl:
    current(parts)
    found = parts.store.control(serial)
    if found is None:
        raise NotFound(f"the site control file has no serial {serial}", hint="keyturn site control history")
    return found


def follow_estate(parts: Parts, *, by: str) -> SiteControl:
    """Take over what the estate says; nothing is written if that is nothing new. `by` is who changed it, if known."""
    code = SiteCode(parts.settings.site)
    known = parts.store.control()
    if known is not None and not any(operations for _, operations in _behind(parts, known)):
        return known
    with parts.store.whole():
        # Another process may have done it since.
        known = parts.store.control()
        if known is None:
            known = first_document(parts.store.estate(), code)
            parts.store.keep_delta(Delta(code, by, 0, ()), DeltaStatus.APPLIED, known)
            _tell_change(parts, by, known.serial)
        for owner, operations in _behind(parts, known):
            if operations:
                known = _apply_own(parts, known, owner, operations, by if owner is Owner.ESTATE else f"the {owner}")
    return known


def _behind(parts: Parts, document: SiteControl) -> tuple[tuple[Owner, tuple[Operation, ...]], ...]:
    """What each owner says by now and the document does not."""
    urls = {card.code: card.address.url for card in neighbours(parts)}
    return (
        (Owner.ESTATE, following(document, parts.store.outline())),
        (Owner.HIERARCHY, following_hierarchy(document, urls)),
        (Owner.CONTROL_FILE, missing_items(document)),
    )


def propose(parts: Parts, operations: Sequence[Operation], *, base: int | None = None, by: str) -> DeltaRecord:
    """A person's change. `base` is the serial they have seen; None: whatever it is now. A refused one is kept too."""
    with parts.store.whole():
        document = current(parts)
        serial = document.serial if base is None else base
        return _judge(parts, document, Delta(document.site, by, serial, tuple(operations)), Owner.CONTROL_FILE)


def receive(parts: Parts, letter: bytes, *, source: SiteCode) -> DeltaRecord:
    """A delta that another site sent, as `delta_text` wrote it. `source` is the site whose signature held.

    Refused where it is no delta at all, so that nothing can be kept of it.
    """
    try:
        delta = read_delta(letter)
    except BadForm as error:
        raise Refused(f"{error.message}, and site {source} sent it") from None
    signed = Delta(delta.site, f"site {source}", delta.base, delta.operations)
    with parts.store.whole():
        document = current(parts)
        if not _may_change(parts, source):
            refused = RefusedDelta(DeltaStatus.NOT_SIGNED, f"site {source} is neither this site nor its parent")
            return _keep_refused(parts, signed, refused)
        return _judge(parts, document, signed, Owner.CONTROL_FILE)


def write_master(parts: Parts, *, by: str) -> SiteControl:
    """What a site reset does first: the document as it must be now, kept under a serial of its own, changed or not."""
    with parts.store.whole():
        document = current(parts)
        return _apply_own(parts, document, Owner.ESTATE, (), by)


def setting(parts: Parts, path: Path, default: str) -> str:
    """What the newest document says, for a component that asks often: the estate is not looked at first."""
    document = parts.store.control()
    item = document.find(path.section, path.item) if document else None
    return item.text(path.property) or default if item else default


def sealed_here(parts: Parts, path: Path, secret: Secret) -> Sealed:
    """To this site's own key, for this place in its control file."""
    return seal_for_site(parts.store.site_keys().recipient, SiteCode(parts.settings.site), path, secret)


def secret_at(parts: Parts, path: Path) -> Secret:
    """What stands sealed in the control file, for the part of the site that logs on with it. NotFound else."""
    item = current(parts).find(path.section, path.item)
    sealed = item.get(path.property) if item else ""
    opened = _opened(parts, path, sealed) if isinstance(sealed, Sealed) else None
    if opened is None:
        raise NotFound(f"no secret is kept at {path}", hint=f"keyturn site control set {path}")
    return opened


def _opened(parts: Parts, path: Path, sealed: Sealed) -> Secret | None:
    return open_for_site(parts.store.site_keys(), SiteCode(parts.settings.site), path, sealed)


def _apply_own(
    parts: Parts, document: SiteControl, owner: Owner, operations: Sequence[Operation], by: str
) -> SiteControl:
    """What this release made itself. That it is refused would be a mistake of ours."""
    delta = Delta(document.site, by, document.serial, tuple(operations))
    outcome = apply(document, delta, opens=lambda *_: False, on_behalf_of=owner)
    if isinstance(outcome, RefusedDelta):
        raise Refused(f"the site control file cannot follow {owner}: {outcome.said}", hint=outcome.hint)
    parts.store.keep_delta(delta, DeltaStatus.APPLIED, outcome.document)
    _tell_change(parts, by, outcome.document.serial)
    return outcome.document


def _judge(parts: Parts, document: SiteControl, delta: Delta, owner: Owner) -> DeltaRecord:
    def opens(path: Path, sealed: Sealed) -> bool:
        return _opened(parts, path, sealed) is not None

    match apply(document, delta, opens=opens, on_behalf_of=owner):
        case RefusedDelta() as refused:
            return _keep_refused(parts, delta, refused)
        case Applied(changed):
            record = parts.store.keep_delta(delta, DeltaStatus.APPLIED, changed)
            _obey(parts, document, changed, delta.author)
            _tell_change(parts, delta.author, changed.serial)
            return record


def _keep_refused(parts: Parts, delta: Delta, refused: RefusedDelta) -> DeltaRecord:
    record = parts.store.keep_delta(without_values(delta), refused.status, None, refused.said, refused.hint)
    parts.store.tell(delta.author, f"site-control-{refused.status}", parts.settings.site, refused.said)
    report(parts, ComponentName.SITE_CONTROL_MANAGER, MessageId.CONTROL_REFUSED, by=delta.author, said=refused.said)
    return record


def _may_change(parts: Parts, source: SiteCode) -> bool:
    """The parent is the one that this site has joined, whatever the estate plans."""
    own = here(parts)
    return same_name(source, own.code) or (own.parent is not None and same_name(source, own.parent))


def _obey(parts: Parts, before: SiteControl, after: SiteControl, by: str) -> None:
    """A component that was switched on or off is ordered to run or to stop."""
    for change in difference(before, after).changed:
        if change.path.section is Section.COMPONENT and change.path.property == "enabled":
            wanted = Wanted.STOP if change.after == "no" else Wanted.RUN
            parts.store.order(ComponentName(change.path.item), wanted, by, anew=False)


def _tell_change(parts: Parts, by: str, serial: int) -> None:
    parts.store.tell(by, "site-control-applied", parts.settings.site, f"serial {serial}")
    report(parts, ComponentName.SITE_CONTROL_MANAGER, MessageId.CONTROL_CHANGED, serial=serial, by=by)
