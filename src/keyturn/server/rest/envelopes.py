"""Envelopes: handed out sealed to custodians, who open them with their own keys on their own machine."""

from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.operations import envelopes
from keyturn.operations.drills import end_drill
from keyturn.operations.envelopes import Purpose
from keyturn.operations.verification import verify
from keyturn.server.rest.escrow_shaping import drill_shape, envelope_shape, outside_shape
from keyturn.server.rest.security import VIEWER, Custodian, Site
from keyturn.wire.envelopes import DrillShape, EnvelopeShape, HandedOutShape, OutsideShape, VerifiedShape

router = APIRouter(prefix="/envelopes", tags=["envelopes"])


@dataclass(frozen=True, slots=True)
class Wanted:
    """Without a generation, the live one."""

    account: str
    generation: int | None = None
    purpose: Purpose = Purpose.COPY


@dataclass(frozen=True, slots=True)
class Which:
    """Without an account, every one."""

    account: str | None = None


@dataclass(frozen=True, slots=True)
class DrillEnd:
    """`answer` as in `keyturn.escrow.drill`; empty: the envelope did not open."""

    account: str
    challenge: str
    answer: str = field(repr=False)
    serial: str = ""


@router.get("", dependencies=[VIEWER])
def all_envelopes(parts: Site) -> list[EnvelopeShape]:
    """For whom every account is sealed, and what has become of its envelopes."""
    return [envelope_shape(found, parts.custody()) for found in envelopes.all_envelopes(parts)]


@router.get("/outside", dependencies=[VIEWER])
def outside(parts: Site, account: str, generation: int | None = None) -> OutsideShape:
    """Who can open an envelope, as it says itself."""
    return outside_shape(envelopes.outside(parts, account, generation))


@router.get("/verification", dependencies=[VIEWER])
def verification(parts: Site, account: str | None = None) -> list[VerifiedShape]:
    """Whether every envelope is the one that was sealed, and its password the one the realm has."""
    return [VerifiedShape(v.account, v.generation, list(v.faults), v.note) for v in verify(parts, account)]


@router.post("/take")
def take(parts: Site, person: Custodian, wanted: Wanted) -> HandedOutShape:
    """A sealed envelope, to be copied, printed, opened or drilled; what for is told first."""
    handed = envelopes.hand_out(parts, wanted.account, wanted.generation, wanted.purpose, by=person.name)
    return HandedOutShape(
        handed.account, handed.generation, handed.envelope.decode(), handed.serial, handed.challenge, handed.told
    )


@router.post("/seal")
def seal(parts: Site, person: Custodian, which: Which) -> list[EnvelopeShape]:
    """Seal again, for the custodians as they are now."""
    sealed = envelopes.seal_anew(parts, which.account, by=person.name)
    found = {str(kept.account) for kept in sealed}
    return [
        envelope_shape(each, parts.custody())
        for each in envelopes.all_envelopes(parts)
        if str(each.managed.account) in found
    ]


@router.post("/drill")
def drill(parts: Site, person: Custodian, end: DrillEnd) -> DrillShape:
    """End a drill: one logon, charged to the lockout budget, proves what the custodians opened."""
    return drill_shape(end_drill(parts, end.account, end.challenge, end.answer, serial=end.serial, by=person.name))
