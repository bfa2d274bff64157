"""The client access point over HTTPS: a share whose accounts are the realm's."""

import base64

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from keyturn.model.errors import NotFound
from keyturn.model.estate import Holder
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.access import log_on
from keyturn.operations.clients import published
from keyturn.operations.parts import Parts
from keyturn.operations.ports import EnrolledClient
from keyturn.server.agents import ACCESS_POINT, directions
from keyturn.server.callers import Arrived, Callers, arrive
from keyturn.wire import agent as wire


def routes(parts: Parts, authorities: frozenset[str]) -> list[Route]:
    callers = Callers(parts.store, parts.now)

    async def endpoint(request: HttpRequest) -> Response:
        """A request that is signed is checked before its password is looked at; one that is not comes from
        elsewhere."""
        arrived = await arrive(request, authorities)
        machine = await callers.of(arrived) if "signature-input" in arrived.headers else None
        source = request.client.host if request.client else "unknown"
        return await run_in_threadpool(_read, parts, arrived, machine, source, request.path_params["name"])

    return [Route(f"{ACCESS_POINT}/clidata.box/{{name}}", endpoint, methods=["GET"])]


def _read(parts: Parts, arrived: Arrived, machine: EnrolledClient | None, source: str, name: str) -> Response:
    answer = _log_on(parts, arrived, machine, source)
    if answer is None:
        return Response(status_code=401, headers={"www-authenticate": 'Basic realm="keyturn", charset="UTF-8"'})
    said = {wire.ANSWER_HEADER: answer.value}
    if answer is not Answer.ACCEPTED:
        return Response(status_code=401, headers=said)
    content = _content(parts, machine, name)
    if content is None:
        return Response(status_code=404, headers=said)
    content.headers.update(said)
    return content


def _log_on(parts: Parts, arrived: Arrived, machine: EnrolledClient | None, source: str) -> Answer | None:
    """None when no logon was asked for."""
    presented = _basic(arrived.headers)
    if presented is None:
        return None
    account, password = presented
    realm_name = account.partition("\\")[0]
    try:
        realm = parts.access_realm(realm_name)
    except NotFound:
        return Answer.UNKNOWN_ACCOUNT
    holder: Holder | None = parts.machine(machine.name) if machine else None
    return log_on(parts.store, realm, account, password, machine=holder, source=source, now=parts.now())


def _content(parts: Parts, machine: EnrolledClient | None, name: str) -> Response | None:
    if name == wire.SITE_FILE:
        site = {"site": parts.settings.site, "contact_s": parts.settings.contact_s}
        return Response(msgspec.json.encode(site), media_type="application/json")
    if machine and name == wire.accounts_file(machine.name):
        return directions(parts, machine, published(parts, machine.name))
    return None


def _basic(headers: dict[str, str]) -> tuple[str, Secret] | None:
    kind, _, encoded = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic" or len(encoded) > 2048:
        return None
    try:
        account, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (account, Secret(password)) if colon else None
