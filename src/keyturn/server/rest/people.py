"""People: logging on, and who there is."""

from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.model.secret import Secret
from keyturn.operations import people
from keyturn.operations.ports import Person, PersonRole
from keyturn.server.rest.security import VIEWER, Approver, Site
from keyturn.wire.rest import PersonShape

router = APIRouter(tags=["people"])


@dataclass(frozen=True, slots=True)
class Credentials:
    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPerson:
    name: str
    roles: list[PersonRole]
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    token: str = field(repr=False)
    lasts_s: float


@router.post("/login")
def log_in(parts: Site, credentials: Credentials) -> Token:
    """A token, for a name and its password."""
    token = people.log_in(parts, credentials.name, Secret(credentials.password))
    return Token(token.reveal(), parts.settings.token_s)


@router.get("/people", dependencies=[VIEWER])
def all_people(parts: Site) -> list[PersonShape]:
    """Everybody who may log in."""
    return [PersonShape(person.name, sorted(person.roles)) for person in parts.store.people.people()]


@router.post("/people", status_code=201)
def add(parts: Site, person: Approver, new: NewPerson) -> PersonShape:
    """Let somebody log in."""
    people.add(parts, Person(new.name, frozenset(new.roles)), Secret(new.password), by=person.name)
    return PersonShape(new.name, sorted(new.roles))


@router.delete("/people/{name}", status_code=204)
def remove(parts: Site, person: Approver, name: str) -> None:
    """Their tokens end now."""
    people.remove(parts, name, by=person.name)
