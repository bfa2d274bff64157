"""Machines with an agent: invited and listed."""

from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.operations.clients import invite, readmit
from keyturn.server.rest.security import VIEWER, Operator, Site
from keyturn.wire.rest import ClientShape

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
