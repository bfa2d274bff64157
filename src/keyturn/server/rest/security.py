"""Who asks, and whether they may. Every route names the role it needs; the authorisation matrix is read from that."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from keyturn.model.secret import Secret
from keyturn.operations.parts import Parts
from keyturn.operations.people import NotKnown, bearer, require
from keyturn.operations.ports import Person, PersonRole

_scheme = HTTPBearer(auto_error=False, description="A token of `keyturn login`.")


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def _stopping(request: Request) -> Callable[[], bool]:
    stopping: Callable[[], bool] = request.app.state.stopping
    return stopping


def _person(
    parts: Annotated[Parts, Depends(parts_of)],
    presented: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)],
) -> Person:
    if presented is None:
        raise NotKnown("no token was presented", hint="keyturn login")
    return bearer(parts, Secret(presented.credentials))


def needs(role: PersonRole) -> Callable[[Person], Person]:
    """A dependency that lets only people with the role through."""

    def allowed(person: Annotated[Person, Depends(_person)]) -> Person:
        require(person, role)
        return person

    allowed.role = role  # type: ignore[attr-defined]  # read by the test of the authorisation matrix
    return allowed


Site = Annotated[Parts, Depends(parts_of)]
Stopping = Annotated[Callable[[], bool], Depends(_stopping)]
"""Whether this process is to end: whatever takes long leaves off where it can be gone on with."""
Operator = Annotated[Person, Depends(needs(PersonRole.OPERATOR))]
Approver = Annotated[Person, Depends(needs(PersonRole.APPROVER))]
Custodian = Annotated[Person, Depends(needs(PersonRole.CUSTODIAN))]
VIEWER = Depends(needs(PersonRole.VIEWER))
