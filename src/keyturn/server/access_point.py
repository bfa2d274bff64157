"""The client access point over HTTPS: a share whose accounts are the realm's."""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.operations.client_ports import EnrolledClient
from keyturn.operations.clients import offered, published
from keyturn.operations.gate import Direction
from keyturn.operations.inboxes import AccessFile, deliver
from keyturn.operations.parts import Parts
from keyturn.operations.software_policy import Policies
from keyturn.server.agents import ACCESS_POINT, directions
from keyturn.server.callers import Arrived, Callers, arrive
from keyturn.server.policy import manifest_for_legacy, policy_files, policy_of_legacy
from keyturn.server.realm_logons import answer_to, not_let_in
from keyturn.site.access_points import NAME
from keyturn.site.permissions import Grantee, may_write
from keyturn.wire import agent as wire
from keyturn.wire.policy import OFFER_BOX, PACKAGE_BOX, policy_file

_Content: TypeAlias = Callable[[EnrolledClient | None, str], bytes | None]
"""The file of that name in a box, where it is for that machine."""
Endpoint: TypeAlias = Callable[[HttpRequest], Awaitable[Response]]


def routes(parts: Parts, authorities: frozenset[str], clock: Callable[[], float] = time.monotonic) -> list[Route]:
    """`clock` says how long ago something was read; it only ever rises."""
    callers, policies = Callers(parts.store, parts.now), Policies(parts, clock)

    def reading(content: _Content) -> Endpoint:
        async def endpoint(request: HttpRequest) -> Response:
            """A request that is signed is checked before its password is looked at; one that is not comes from
            elsewhere."""
            arrived = await arrive(request, authorities)
            machine = await callers.of(arrived) if "signature-input" in arrived.headers else None
            source = request.client.host if request.client else "unknown"
            found = partial(content, machine, request.path_params["name"])
            return await run_in_threadpool(_read, parts, arrived, machine, source, found)

        return endpoint

    async def box(request: HttpRequest) -> Response:
        """Only a machine that signs brings files: what it writes is known to be its own."""
        arrived = await arrive(request, authorities)
        machine = await callers.of(arrived)
        source = request.client.host if request.client else "unknown"
        place = request.path_params["box"], request.path_params["name"]
        return await run_in_threadpool(_write, parts, arrived, machine, source, *place)

    return [
        Route(f"{ACCESS_POINT}/{wire.FOLDER}/{{name}}", reading(partial(_of_clidata, parts)), methods=["GET"]),
        Route(f"{ACCESS_POINT}/{OFFER_BOX}/{{name}}", reading(partial(_of_offerinf, parts, policies)), methods=["GET"]),
        Route(f"{ACCESS_POINT}/{PACKAGE_BOX}/{{name}}", reading(partial(_of_pkginfo, parts)), methods=["GET"]),
        Route(f"{ACCESS_POINT}/{{box}}/{{name}}", box, methods=["POST"]),
    ]


def access_files(parts: Parts) -> tuple[AccessFile, ...]:
    """What this access point serves, each made when it is asked for: for one on a share. The credentials in it are
    sealed to each client's own key."""
    site = _site_file(parts)
    first = AccessFile(wire.FOLDER, wire.SITE_FILE, hashlib.sha256(site).hexdigest(), lambda: site)
    machines = parts.store.enrolled()
    found = offered(parts, [machine.name for machine in machines])
    lists = (_account_list(parts, machine, found[machine.name]) for machine in machines)
    return (first, *lists, *policy_files(parts))


def _account_list(parts: Parts, machine: EnrolledClient, found: Sequence[Direction]) -> AccessFile:
    """The mark is over what is sealed and to whom."""
    mark = hashlib.sha256(repr((machine.recipient, parts.settings.contact_s, found)).encode()).hexdigest()
    name = wire.accounts_file(machine.name)
    return AccessFile(wire.FOLDER, name, mark, lambda: _accounts_file(parts, machine), machine.name)


def _read(
    parts: Parts, arrived: Arrived, machine: EnrolledClient | None, source: str, found: Callable[[], bytes | None]
) -> Response:
    answer = answer_to(parts, arrived, machine, source)
    if answer is not Answer.ACCEPTED:
        return not_let_in(answer)
    said = {wire.ANSWER_HEADER: answer.value}
    content = found()
    if content is None:
        return Response(status_code=404, headers=said)
    return Response(content, headers=said, media_type="application/json")


def _write(parts: Parts, arrived: Arrived, machine: EnrolledClient, source: str, box: str, name: str) -> Response:
    """The same file again, by its name, is taken for the same: 201 for a new one, 200 for one that is here."""
    answer = answer_to(parts, arrived, machine, source)
    if answer is not Answer.ACCEPTED:
        return not_let_in(answer)
    said = {wire.ANSWER_HEADER: answer.value}
    if not may_write(box, Grantee.USERS):  # whoever the realm lets in is one
        return Response(status_code=403, headers=said)
    if not NAME.fullmatch(name):
        return Response(status_code=400, headers=said)
    try:
        new = deliver(parts, machine.name, box, name, arrived.body)
    except Refused as refused:
        return Response(json.dumps({"error": refused.message}), status_code=403, headers=said)
    return Response(status_code=201 if new else 200, headers=said)


def _of_clidata(parts: Parts, machine: EnrolledClient | None, name: str) -> bytes | None:
    if name == wire.SITE_FILE:
        return _site_file(parts)
    if machine and name == wire.accounts_file(machine.name):
        return _accounts_file(parts, machine)
    return None


def _of_offerinf(parts: Parts, policies: Policies, machine: EnrolledClient | None, name: str) -> bytes | None:
    if machine and name == policy_file(machine.name):
        return policy_of_legacy(parts, policies, machine.name)
    return None


def _of_pkginfo(parts: Parts, machine: EnrolledClient | None, name: str) -> bytes | None:
    return manifest_for_legacy(parts, name) if machine else None


def _site_file(parts: Parts) -> bytes:
    return msgspec.json.encode({"site": parts.settings.site, "contact_s": parts.settings.contact_s})


def _accounts_file(parts: Parts, machine: EnrolledClient) -> bytes:
    return wire.write(directions(parts, machine, published(parts, machine.name)))
