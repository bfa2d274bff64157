"""The agents' routes: every request signed, read strictly, counted once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from keyturn.model.errors import NotFound, Refused
from keyturn.operations import clients
from keyturn.operations.clients import Handed
from keyturn.operations.gate import Adopt, Direction, Drop, Use, Wait
from keyturn.operations.parts import Parts
from keyturn.operations.ports import EnrolledClient
from keyturn.wire import agent as wire
from keyturn.wire.sealed import seal_for
from keyturn.wire.signing import BadSignature, Request, claimed_keyid, verify

ACCESS_POINT = "/cap"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it came in, its body read."""

    signed: Request
    headers: dict[str, str] = field(repr=False)

    @property
    def body(self) -> bytes:
        return self.signed.body


def routes(parts: Parts, authority_pem: bytes, authorities: frozenset[str]) -> list[Route]:
    """`authorities` are the names by which agents may call this server: a signature for another one is refused."""

    def route(path: str, handler: Callable[[Parts, Arrived], Response], method: str) -> Route:
        async def endpoint(request: HttpRequest) -> Response:
            return await run_in_threadpool(handler, parts, await arrive(request, authorities))

        return Route(path, endpoint, methods=[method])

    async def authority(_: HttpRequest) -> Response:
        return Response(authority_pem, media_type="application/x-pem-file")

    return [
        route(wire.ENROL, _enrol, "POST"),
        route(wire.CHECK_IN, _check_in, "POST"),
        route("/agent/v1/clients/{name}/credentials/{account}", _prove, "PUT"),
        Route(wire.AUTHORITY, authority, methods=["GET"]),
    ]


async def arrive(request: HttpRequest, authorities: frozenset[str]) -> Arrived:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > wire.MAX_REQUEST:
            raise wire.BadMessage(f"longer than {wire.MAX_REQUEST} bytes")
    host = request.headers.get("host", "")
    if host not in authorities:
        raise BadSignature(f"called by a name that is not this site's: {host[:100]!r}")
    query = request.scope["query_string"].decode("latin-1") or None
    path = request.scope["raw_path"].decode("latin-1")
    return Arrived(Request(request.method, host, path, query, bytes(body)), dict(request.headers))


def caller(parts: Parts, arrived: Arrived) -> EnrolledClient:
    """The enrolled machine that signed the request. BadSignature for a stranger, a replay, a late or an old one."""
    name = claimed_keyid(arrived.headers)
    try:
        client = parts.store.client(name)
    except NotFound:
        raise BadSignature(f"{name} is not enrolled") from None
    signed = verify(arrived.signed, arrived.headers, client.verify_key, now=parts.now())
    if not parts.store.advance_counter(name, signed.counter, parts.now()):
        raise BadSignature(f"{name} has sent request {signed.counter} or a later one before")
    return client


def directions(parts: Parts, client: EnrolledClient, found: list[Direction | Handed]) -> Response:
    """What the operations say, as it travels; credentials sealed to the machine's own key."""
    message = wire.Directions(
        directions=tuple(_travelling(direction, client.recipient) for direction in found),
        contact_s=parts.settings.contact_s,
        server_time=parts.now(),
    )
    return json_response(message)


def json_response(message: msgspec.Struct) -> Response:
    return Response(wire.write(message), media_type="application/json")


def _enrol(parts: Parts, arrived: Arrived) -> Response:
    request = wire.read(wire.Enrol, arrived.body)
    verify(arrived.signed, arrived.headers, request.verify_key, now=parts.now())
    if claimed_keyid(arrived.headers) != request.name:
        raise BadSignature("signed under another name")
    clients.enrol(parts, request.token, request.name, request.verify_key, request.recipient)
    return json_response(
        wire.Enrolled(parts.settings.site, request.name, ACCESS_POINT, parts.settings.contact_s, parts.now())
    )


def _check_in(parts: Parts, arrived: Arrived) -> Response:
    client = caller(parts, arrived)
    request = wire.read(wire.CheckIn, arrived.body)
    held = {one.account: one.generation for one in request.holds}
    return directions(parts, client, clients.check_in(parts, client.name, held))


def _prove(parts: Parts, arrived: Arrived) -> Response:
    name = caller(parts, arrived).name
    request = wire.read(wire.Proof, arrived.body)
    account = _account_of(arrived.signed.path, name)
    if not clients.report(parts, name, account, request.generation, request.answer):
        raise Refused(f"{name} was never given {account} generation {request.generation}")
    return Response(b"{}", media_type="application/json")


def _account_of(path: str, name: str) -> str:
    """The account that a proof's path names, in the caller's own part of the paths."""
    account = unquote(path.rsplit("/", 1)[-1])
    if wire.proof_path(name, account) != path:
        raise BadSignature("the path is another machine's")
    return account


def _travelling(direction: Direction | Handed, recipient: str) -> wire.Direction:
    match direction:
        case Use(credential):
            return wire.Use(str(credential.account), credential.generation)
        case Handed(credential, secret, anew):
            account = str(credential.account)
            sealed = seal_for(recipient, account, credential.generation, secret)
            return wire.Adopt(account, credential.generation, sealed, anew)
        case Adopt(credential):
            raise AssertionError(f"{credential} was not taken")
        case Wait(account, retry_s, reason):
            return wire.Wait(str(account), retry_s, reason)
        case Drop(account):
            return wire.Drop(str(account))
