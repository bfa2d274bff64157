"""Advertisements: looked at beforehand, made, approved by another person, cancelled."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keyturn.distribution.approval import Consent, Standing, Subject, may_still_approve
from keyturn.distribution.authoring import findings_of_advertisement
from keyturn.distribution.collections import members
from keyturn.distribution.findings import Finding, warning
from keyturn.distribution.shares import share_of
from keyturn.model.accounts import same_name
from keyturn.model.errors import NotFound, Refused
from keyturn.model.software import Advertisement, AdvertisementId, Package, Program
from keyturn.operations.parts import Parts
from keyturn.operations.secondary import refuse_at_secondary
from keyturn.operations.software_changes import changing, refuse_unfit
from keyturn.operations.software_msi import judge
from keyturn.operations.software_owner import refuse_from_above
from keyturn.operations.software_ports import Advertised, Numbered
from keyturn.operations.software_reading import authored, known_clients, standing


@dataclass(frozen=True, slots=True)
class Prospect:
    """What an advertisement would run, and where. `digest` names exactly this; `clients` are those in its collection
    now. `waits`: no client is offered it before another person has approved it."""

    subject: Subject
    digest: str
    clients: tuple[str, ...]
    warnings: tuple[Finding, ...]
    waits: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """`subject` None: a part of what it advertised is gone."""

    advertised: Advertised
    standing: Standing
    subject: Subject | None
    consents: tuple[Consent, ...]


def look_ahead(parts: Parts, wanted: Advertisement) -> Prospect:
    """Refused for what could never run. Nothing is kept."""
    refuse_at_secondary(parts, "software", "keyturn advertise")
    subject = _subject(parts, wanted)
    findings = (
        *findings_of_advertisement(subject.advertisement, subject.programs[-1]),
        *(finding for program in subject.programs for finding in _of_msi(parts, program)),
    )
    refuse_unfit(f"advertisement of {subject.programs[-1].ref}", findings)
    return Prospect(
        subject,
        subject.digest,
        members(subject.collection, known_clients(parts)),
        (*(finding for finding in findings if not finding.refuses), *_of_content(parts, subject)),
        waits=parts.settings.two_person_approval and subject.administrative,
    )


def advertise(parts: Parts, wanted: Advertisement, seen: str, *, by: str) -> Advertised:
    """`seen` is the digest that the person was shown: it counts as their yes."""
    with parts.store.whole():
        prospect = look_ahead(parts, wanted)
        if prospect.digest != seen:
            raise Refused("what it would run has changed since you looked", hint="look again, then advertise it")
        advertisement_id = AdvertisementId(
            f"{parts.settings.site}2{parts.store.next_number(Numbered.ADVERTISEMENT):04X}"
        )
        advertisement = replace(prospect.subject.advertisement, advertisement_id=advertisement_id)
        advertised = Advertised(advertisement, by, parts.now())
        parts.store.keep_advertisement(advertised)
        parts.store.consent(Consent(advertisement_id, prospect.digest, by, approves=False, at=parts.now()))
        said = f"{advertisement.program} to {prospect.subject.collection.name}, digest {prospect.digest}"
        parts.store.tell(by, "advertisement-made", advertisement_id, said)
    return advertised


def approve(parts: Parts, advertisement_id: AdvertisementId, seen: str, *, by: str) -> Shown:
    """An approver's yes to exactly what they were shown."""
    with parts.store.whole():
        found = show(parts, advertisement_id)
        this, subject = found.advertised.advertisement.advertisement_id, found.subject
        _refuse_from_above(parts, this, "approve")
        if found.standing in (Standing.CANCELLED, Standing.EXPIRED):
            raise Refused(f"advertisement {this} is {found.standing}")
        if subject is None:
            raise Refused(f"a part of advertisement {this} is gone", hint=f"keyturn advertisement cancel {this}")
        if subject.digest != seen:
            raise Refused(
                f"what advertisement {this} would run has changed since you looked",
                hint=f"keyturn advertisement show {this}",
            )
        if not may_still_approve(subject, found.consents, by):
            if found.standing is Standing.IN_FORCE:
                raise Refused(f"advertisement {this} is in force, and waits for nobody's approval")
            raise Refused(f"{by} has said yes to it, so another person approves it", hint="two-person approval is on")
        parts.store.consent(Consent(this, subject.digest, by, approves=True, at=parts.now()))
        parts.store.tell(by, "advertisement-approved", this, f"digest {subject.digest}")
        return show(parts, this)


def cancel(parts: Parts, advertisement_id: AdvertisementId, *, by: str) -> Advertised:
    """It is offered to nobody from here on. What runs on a client already runs to its end."""
    with changing(parts, by=by):
        found = parts.store.advertisement(advertisement_id)
        this = found.advertisement.advertisement_id
        _refuse_from_above(parts, this, "cancel")
        if found.cancelled:
            raise Refused(f"{found.cancelled_by} has cancelled advertisement {this} already")
        cancelled = replace(found, cancelled_by=by, cancelled_at=parts.now())
        parts.store.keep_advertisement(cancelled)
        parts.store.tell(by, "advertisement-cancelled", this, str(found.advertisement.program))
    return cancelled


def remove(parts: Parts, advertisement_id: AdvertisementId, *, by: str) -> None:
    """From the list, with what clients told of it."""
    with changing(parts, by=by):
        found = show(parts, advertisement_id)
        this = found.advertised.advertisement.advertisement_id
        _refuse_from_above(parts, this, "remove")
        if found.standing not in (Standing.CANCELLED, Standing.EXPIRED):
            said = found.standing.replace("-", " ")
            raise Refused(f"advertisement {this} is {said}", hint=f"keyturn advertisement cancel {this}")
        parts.store.remove_advertisement(this)
        parts.store.forget_advertisement(this)
        parts.store.tell(by, "advertisement-removed", this, str(found.advertised.advertisement.program))


def show(parts: Parts, advertisement_id: AdvertisementId) -> Shown:
    return _shown(parts, [parts.store.advertisement(advertisement_id)])[0]


def show_all(parts: Parts) -> list[Shown]:
    return _shown(parts, parts.store.advertised())


def _refuse_from_above(parts: Parts, this: AdvertisementId, verb: str) -> None:
    refuse_from_above(parts, f"advertisement {this}", this, f"keyturn advertisement {verb} {this}")


def _shown(parts: Parts, found: Sequence[Advertised]) -> list[Shown]:
    read = authored(parts.store)
    shown = []
    for each in found:
        subject = read.subject(each.advertisement)
        consents = parts.store.consents(each.advertisement.advertisement_id)
        shown.append(Shown(each, standing(parts, each, subject), subject, consents))
    return shown


def _subject(parts: Parts, wanted: Advertisement) -> Subject:
    """Under the names that its parts bear, however they were typed."""
    read = authored(parts.store)
    program = parts.store.program(wanted.program)
    collection = parts.store.collection(wanted.collection)
    named = replace(
        wanted,
        advertisement_id=AdvertisementId(""),
        program=next(ref for ref in read.programs if _is_same(ref.name, ref.package, program.name, program.package)),
        collection=collection.collection_id,
    )
    subject = read.subject(named)
    if subject is None:
        raise NotFound(f"a program that is to run before {program.ref} is gone", hint="keyturn program list")
    return subject


def _of_msi(parts: Parts, program: Program) -> tuple[Finding, ...]:
    """Its package's content may be another one than when it was written."""
    judged = judge(parts, program)
    if judged.program == program:
        return judged.findings
    text = f"what {program.ref} installs needs another command line now: {judged.program.command_line}"
    return (Finding("msi-rewrite", text, hint="keyturn program add --replace"),)


def _is_same(name: str, package: str, other_name: str, other_package: str) -> bool:
    return package == other_package and same_name(name, other_name)


def _of_content(parts: Parts, subject: Subject) -> tuple[Finding, ...]:
    """Of packages that have a source: whether it was read, and whether it is anywhere that clients read it."""
    read, points, found = authored(parts.store), parts.store.assigned_points(), []
    for package_id, digest in subject.contents:
        if not read.packages[package_id].source:
            continue
        if not digest:
            raise Refused(
                f"the source of package {package_id} was not read yet", hint=f"keyturn package update {package_id}"
            )
        if not points.get(package_id):
            found.append(
                warning(
                    "no-point",
                    f"no distribution point has package {package_id}{_read_where(read.packages[package_id])}",
                    hint=f"keyturn package distribute {package_id}",
                )
            )
    return tuple(found)


def _read_where(package: Package) -> str:
    return f"; clients read it at its source, {package.source}" if share_of(package.source) else ""
