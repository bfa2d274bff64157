"""The API for people, assembled."""

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from keyturn import __version__
from keyturn.model.errors import AuthorityError, BudgetExhausted, KeyturnError, NotFound, Refused, Unavailable
from keyturn.operations.inbox_ports import PointTrouble
from keyturn.operations.parts import Parts
from keyturn.operations.people import NotAllowed, NotKnown
from keyturn.server.rest import (
    access_point,
    accounts,
    advertisements,
    audit_log,
    clients,
    collections,
    components,
    discovery,
    envelopes,
    estates,
    hierarchy,
    inboxes,
    packages,
    people,
    plans,
    programs,
    push,
    realm_kinds,
    realms,
    site_control,
    site_reset,
)

STATUS: tuple[tuple[type[KeyturnError], int], ...] = (
    (NotKnown, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (Refused, 409),
    (BudgetExhausted, 429),
    (AuthorityError, 502),
    (PointTrouble, 502),
    (Unavailable, 503),
    (KeyturnError, 400),
)
"""The first that fits."""


NOUNS = (
    estates,
    accounts,
    plans,
    clients,
    people,
    audit_log,
    envelopes,
    realms,
    discovery,
    realm_kinds,
    access_point,
    inboxes,
    site_control,
    hierarchy,
    components,
    site_reset,
    push,
    packages,
    programs,
    collections,
    advertisements,
)


def people_app(parts: Parts, stopping: Callable[[], bool] = lambda: False) -> FastAPI:
    app = FastAPI(
        title="Keyturn",
        version=__version__,
        summary="The API for people. Agents have routes of their own.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.parts = parts
    app.state.stopping = stopping
    for noun in NOUNS:
        app.include_router(noun.router, prefix="/api/v1")
    app.add_exception_handler(KeyturnError, told)
    app.add_exception_handler(RequestValidationError, not_understood)
    return app


def told(_: Request, error: Exception) -> JSONResponse:
    """An error in the words the command line shows."""
    assert isinstance(error, KeyturnError)
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    return JSONResponse({"error": error.message, "hint": error.hint}, status_code=status)


def not_understood(_: Request, error: Exception) -> JSONResponse:
    """What is wrong with a body, by key. The framework's own answer repeats the input, and with it passwords."""
    assert isinstance(error, RequestValidationError)
    problems = "; ".join(f"{'.'.join(map(str, p['loc'][1:])) or 'body'}: {p['msg']}" for p in error.errors())
    return JSONResponse({"error": problems, "hint": "GET /api/v1/openapi.json has the shapes"}, status_code=422)


def authorisation() -> dict[tuple[str, str], str]:
    """The role that each route needs, by method and path; empty for a route that lets anybody in."""
    return {
        (method, f"/api/v1{route.path}"): _role(route.dependant)
        for noun in NOUNS
        for route in noun.router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    }


def _role(dependant: Dependant) -> str:
    own = getattr(dependant.call, "role", "")
    return own or next((role for role in map(_role, dependant.dependencies) if role), "")
