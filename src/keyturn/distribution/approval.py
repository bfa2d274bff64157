"""What runs administratively takes effect once two persons have said yes to exactly that.

A yes is given to a digest over everything that decides what would run and on which clients: the advertisement, its
program, the programs that run before it, the content of their packages, and the definition of the collection. Whatever
of these changes, the digest is another one, and nobody has said yes to it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from enum import StrEnum

from keyturn.model.accounts import same_name
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    Collection,
    PackageId,
    Program,
    ProgramName,
    Rights,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a person says yes to. `programs` in the order in which they run: the advertised one is the last.
    `contents` are the digests of their packages' manifests, empty for a package without content."""

    advertisement: Advertisement
    programs: tuple[Program, ...]
    contents: tuple[tuple[PackageId, str], ...]
    collection: Collection

    @property
    def administrative(self) -> bool:
        return any(runs_administratively(program) for program in self.programs)

    @property
    def digest(self) -> str:
        """SHA-256. The advertisement's own number is left out, so that it is known before there is one. A property at
        its default is left out too: a release that adds one leaves every yes as it was."""
        unnumbered = replace(self, advertisement=replace(self.advertisement, advertisement_id=AdvertisementId("")))
        text = json.dumps(_plain(unnumbered), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Consent:
    """One person's yes to one digest. `approves`: said as an approver; else by advertising it, or by changing a part of
    what was in force."""

    advertisement_id: AdvertisementId
    digest: str
    person: str
    approves: bool
    at: float


class Standing(StrEnum):
    IN_FORCE = "in-force"
    WAITING = "waiting-for-approval"
    """No client is offered it."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"


def runs_administratively(program: Program) -> bool:
    return program.rights is Rights.ADMINISTRATIVE or program.software_installation_account


def in_order(program: Program, programs: Mapping[ProgramName, Program]) -> tuple[Program, ...]:
    """It and those that run before it, the first to run first. A program that is gone, or is met again, ends it."""
    found: list[Program] = []
    current: Program | None = program
    while current is not None and current not in found:
        found.append(current)
        current = programs.get(current.run_first) if current.run_first else None
    return tuple(reversed(found))


def is_agreed(subject: Subject, consents: Iterable[Consent], *, two_persons: bool) -> bool:
    """`consents` are those of this advertisement; other digests among them count for nothing."""
    if not (two_persons and subject.administrative):
        return True
    digest = subject.digest
    agreeing = [consent for consent in consents if consent.digest == digest]
    return any(
        approval.approves and not same_name(approval.person, other.person)
        for approval in agreeing
        for other in agreeing
    )


def may_still_approve(subject: Subject, consents: Sequence[Consent], person: str) -> bool:
    """False for somebody whose word is counted already: another one is needed."""
    digest = subject.digest
    return not any(same_name(consent.person, person) for consent in consents if consent.digest == digest)


def _plain(value: object) -> object:
    if is_dataclass(value):
        shown = {}
        for each in fields(value):
            default = each.default_factory() if each.default_factory is not MISSING else each.default
            if (found := getattr(value, each.name)) != default:
                shown[each.name] = _plain(found)
        return {type(value).__name__: shown}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
