"""The agents' routes: every request signed, read strictly, counted once."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import unquote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from keyturn.model.errors import Refused
from keyturn.model.estate import HolderKind
from keyturn.model.logon import LogonProtocol
from keyturn.model.software import ClientKind
from keyturn.operations import clients, recovery
from keyturn.operations.assurance import Assurance, Word
from keyturn.operations.client_ports import EnrolledClient
from keyturn.operations.clients import Contact, Handed
from keyturn.operations.gate import Adopt, Direction, Drop, Use, Wait
from keyturn.operations.parts import Parts
from keyturn.server.callers import Arrived, Callers, arrive
from keyturn.server.together import Together
from keyturn.wire import agent as wire
from keyturn.wire.sealed import seal_for
from keyturn.wire.signing import BadSignature, claimed_keyid, verify

ACCESS_POINT = "/cap"
LOOK_S = 2.0
"""How long a contact waits for a look at the realms."""


def routes(
    parts: Parts, authority_pem: bytes, authorities: frozenset[str], clock: Callable[[], float] = time.monotonic
) -> list[Route]:
    """`authorities` are the names by which agents may call this server: a signature for another one is refused.
    `clock` says how long ago something was read; it only ever rises."""
    agents = _Agents(parts, authorities, clock)

    async def authority(_: HttpRequest) -> Response:
        return Response(authority_pem, media_type="application/x-pem-file")

    return [
        Route(wire.ENROL, agents.enrol, methods=["POST"]),
        Route(wire.CHECK_IN, agents.check_in, methods=["POST"]),
        Route(wire.ASSURE, agents.assure, methods=["POST"]),
        Route("/agent/v1/clients/{name}/credentials/{account}", agents.prove, methods=["PUT"]),
        Route(wire.AUTHORITY, authority, methods=["GET"]),
    ]


class _Agents:
    def __init__(self, parts: Parts, authorities: frozenset[str], clock: Callable[[], float]) -> None:
        self._parts = parts
        self._authorities = authorities
        self._callers = Callers(parts.store, parts.now)
        self._direct: Together[Contact, list[Direction]] = Together(partial(clients.direct_all, parts))
        assurance = Assurance(parts, clock)
        self._assured: Together[Contact, list[Word]] = Together(assurance.give)
        self._looked_at: Together[list[Direction], list[Direction]] = Together(assurance.of_contacts)

    async def enrol(self, request: HttpRequest) -> Response:
        return await run_in_threadpool(_enrol, self._parts, await arrive(request, self._authorities))

    async def check_in(self, request: HttpRequest) -> Response:
        client, contact = await self._contact(request)
        found = await self._seen_in_realms(await self._direct(contact))
        if any(isinstance(direction, Adopt) for direction in found):  # opening and sealing take their time
            return await run_in_threadpool(_hand_out, self._parts, client, found)
        return json_response(directions(self._parts, client, found))

    async def _seen_in_realms(self, found: list[Direction]) -> list[Direction]:
        """A realm that takes its time holds up no contact: then the gate alone decides."""
        if not any(isinstance(direction, Use) for direction in found):
            return found
        try:
            return await asyncio.wait_for(self._looked_at(found), LOOK_S)
        except TimeoutError:
            return found

    async def assure(self, request: HttpRequest) -> Response:
        """Whoever asks while a look at the realms is under way is answered from the next one."""
        client, contact = await self._contact(request)
        return json_response(directions(self._parts, client, await self._assured(contact)))

    async def _contact(self, request: HttpRequest) -> tuple[EnrolledClient, Contact]:
        arrived = await arrive(request, self._authorities)
        client = await self._callers.of(arrived)
        message = wire.read(wire.CheckIn, arrived.body)
        return client, Contact(client.name, {one.account: one.generation for one in message.holds})

    async def prove(self, request: HttpRequest) -> Response:
        arrived = await arrive(request, self._authorities)
        return await run_in_threadpool(_prove, self._parts, await self._callers.of(arrived), arrived)


def directions(parts: Parts, client: EnrolledClient, found: Sequence[Direction | Handed]) -> wire.Directions:
    """What the operations say, as it travels; credentials sealed to the machine's own key."""
    return wire.Directions(
        directions=tuple(_travelling(direction, client.recipient) for direction in found),
        contact_s=parts.settings.contact_s,
        server_time=parts.now(),
    )


def json_response(message: msgspec.Struct) -> Response:
    return Response(wire.write(message), media_type="application/json")


def _enrol(parts: Parts, arrived: Arrived) -> Response:
    request = wire.read(wire.Enrol, arrived.body)
    verify(arrived.signed, arrived.headers, request.verify_key, now=parts.now())
    if claimed_keyid(arrived.headers) != request.name:
        raise BadSignature("signed under another name")
    recovery.enrol_by(parts, request.token, request.name, request.verify_key, request.recipient)
    return json_response(_enrolled(parts, request.name))


def _enrolled(parts: Parts, name: str) -> wire.Enrolled:
    machine = parts.machine(name)
    return wire.Enrolled(
        site=parts.settings.site,
        name=name,
        access_point=clients.access_share(parts, name) or ACCESS_POINT,
        contact_s=parts.settings.contact_s,
        server_time=parts.now(),
        protocol=machine.protocol if machine else LogonProtocol.NTLM,
        kind=ClientKind.LEGACY if machine and machine.kind is HolderKind.LEGACY_CLIENT else ClientKind.ADVANCED,
    )


def _hand_out(parts: Parts, client: EnrolledClient, found: Sequence[Direction]) -> Response:
    return json_response(directions(parts, client, clients.hand_out(parts, found)))


def _prove(parts: Parts, client: EnrolledClient, arrived: Arrived) -> Response:
    request = wire.read(wire.Proof, arrived.body)
    account = _account_of(arrived.signed.path, client.name)
    if not clients.report(parts, client.name, account, request.generation, request.answer):
        raise Refused(f"{client.name} was never given {account} generation {request.generation}")
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
        case Handed(credential, secret, anew, succeeds):
            account = str(credential.account)
            sealed = seal_for(recipient, account, credential.generation, secret)
            return wire.Adopt(account, credential.generation, sealed, anew, tuple(map(str, succeeds)))
        case Adopt(credential):
            raise AssertionError(f"{credential} was not taken")
        case Wait(account, retry_s, reason):
            return wire.Wait(str(account), retry_s, reason)
        case Drop(account):
            return wire.Drop(str(account))
