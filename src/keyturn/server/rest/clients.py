"""Machines with an agent: invited, listed and forgotten."""

from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.operations.clients import invite, readmit
from keyturn.operations.forgetting import Known, forget, look_up
from keyturn.server.rest.security import VIEWER, Operator, Site
from keyturn.wire.rest import ClientShape, ForgettingShape, MayHoldShape, WaitingPlanShape

router = APIRouter(prefix="/clients", tags=["clients"])


@dataclass(frozen=True, slots=True)
class Invitation:
    """`token` enrols the machine once; it is shown here and nowhere again."""

    name: str
    token: str = field(repr=False)
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Machine:
    name: str


@dataclass(frozen=True, slots=True)
class Machines:
    names: list[str]


@router.post("", status_code=201)
def invite_machine(parts: Site, person: Operator, machine: Machine) -> Invitation:
    """A one-use enrolment token for one machine."""
    token = invite(parts, machine.name, by=person.name)
    return Invitation(machine.name, token.reveal(), parts.settings.invitation_s)


@router.post("/{name}/readmit", status_code=204)
def let_try_again(parts: Site, person: Operator, name: str) -> None:
    """A machine that was refused a credential may try once more."""
    readmit(parts, name, by=person.name)


@router.get("", dependencies=[VIEWER])
def enrolled(parts: Site) -> list[ClientShape]:
    """Every enrolled machine, with its last contact."""
    return [ClientShape(c.name, c.enrolled_at, c.last_contact_at) for c in parts.store.enrolled()]


@router.post("/forget-preview", dependencies=[VIEWER])
def foresee_forgetting(parts: Site, machines: Machines) -> list[ForgettingShape]:
    """What would be forgotten of each machine, and what stays."""
    return [_forgetting(known) for known in look_up(parts, machines.names)]


@router.post("/forget")
def forget_machines(parts: Site, person: Operator, machines: Machines) -> list[ForgettingShape]:
    """Forget the keys of machines that are gone for good. All of them or none."""
    return [_forgetting(known) for known in forget(parts, machines.names, by=person.name)]


def _forgetting(known: Known) -> ForgettingShape:
    return ForgettingShape(
        name=known.name,
        enrolled_at=known.client.enrolled_at if known.client else None,
        last_contact_at=known.client.last_contact_at if known.client else None,
        invited=known.invited,
        request=known.request.work if known.request else None,
        may_hold=[MayHoldShape(str(offer.account), offer.proven, offer.published) for offer in known.may_hold],
        plans=[WaitingPlanShape(record.plan_id, record.plan.kind, record.plan.about) for record in known.plans],
        in_estate=known.in_estate,
        logon_keys=list(known.logon_keys),
    )
