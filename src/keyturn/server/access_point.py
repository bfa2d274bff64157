"""The client access point over HTTPS: a share whose accounts are the realm's."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import Holder
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.access import log_on
from keyturn.operations.clients import offered, published
from keyturn.operations.gate import Direction
from keyturn.operations.inboxes import AccessFile, deliver
from keyturn.operations.parts import Parts
from keyturn.operations.ports import EnrolledClient
from keyturn.server.agents import ACCESS_POINT, directions
from keyturn.server.callers import Arrived, Callers, arrive
from keyturn.site.access_points import NAME
from keyturn.site.permissions import Grantee, may_write
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

    async def box(request: HttpRequest) -> Response:
        """Only a machine that signs brings files: what it writes is known to be its own."""
        arrived = await arrive(request, authorities)
        machine = await callers.of(arrived)
        source = request.client.host if request.client else "unknown"
        place = request.path_params["box"], request.path_params["name"]
        return await run_in_threadpool(_write, parts, arrived, machine, source, *place)

    return [
        Route(f"{ACCESS_POINT}/{wire.FOLDER}/{{name}}", endpoint, methods=["GET"]),
        Route(f"{ACCESS_POINT}/{{box}}/{{name}}", box, methods=["POST"]),
    ]


def files(parts: Parts) -> Iterator[tuple[str, bytes]]:
    """What this access point serves, by the name in its folder: for one on a share. The credentials in it are sealed
    to each client's own key."""
    return ((file.name, file.content()) for file in access_files(parts))


def access_files(parts: Parts) -> tuple[AccessFile, ...]:
    """The same, each made when it is asked for."""
    site = _site_file(parts)
    first = AccessFile(wire.FOLDER, wire.SITE_FILE, hashlib.sha256(site).hexdigest(), lambda: site)
    machines = parts.store.enrolled()
    found = offered(parts, [machine.name for machine in machines])
    return (first, *(_account_list(parts, machine, found[machine.name]) for machine in machines))


def _account_list(parts: Parts, machine: EnrolledClient, found: Sequence[Direction]) -> AccessFile:
    """The mark is over what is sealed and to whom."""
    mark = hashlib.sha256(repr((machine.recipient, parts.settings.contact_s, found)).encode()).hexdigest()
    name = wire.accounts_file(machine.name)
    return AccessFile(wire.FOLDER, name, mark, lambda: _accounts_file(parts, machine))


def _read(parts: Parts, arrived: Arrived, machine: EnrolledClient | None, source: str, name: str) -> Response:
    answer = _log_on(parts, arrived, machine, source)
    if answer is not Answer.ACCEPTED:
        return _not_let_in(answer)
    said = {wire.ANSWER_HEADER: answer.value}
    content = _content(parts, machine, name)
    if content is None:
        return Response(status_code=404, headers=said)
    return Response(content, headers=said, media_type="application/json")


def _write(parts: Parts, arrived: Arrived, machine: EnrolledClient, source: str, box: str, name: str) -> Response:
    """The same file again, by its name, is taken for the same: 201 for a new one, 200 for one that is here."""
    answer = _log_on(parts, arrived, machine, source)
    if answer is not Answer.ACCEPTED:
        return _not_let_in(answer)
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


def _not_let_in(answer: Answer | None) -> Response:
    if answer is None:
        return Response(status_code=401, headers={"www-authenticate": 'Basic realm="keyturn", charset="UTF-8"'})
    return Response(status_code=401, headers={wire.ANSWER_HEADER: answer.value})


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


def _content(parts: Parts, machine: EnrolledClient | None, name: str) -> bytes | None:
    if name == wire.SITE_FILE:
        return _site_file(parts)
    if machine and name == wire.accounts_file(machine.name):
        return _accounts_file(parts, machine)
    return None


def _site_file(parts: Parts) -> bytes:
    return msgspec.json.encode({"site": parts.settings.site, "contact_s": parts.settings.contact_s})


def _accounts_file(parts: Parts, machine: EnrolledClient) -> bytes:
    return wire.write(directions(parts, machine, published(parts, machine.name)))


def _basic(headers: dict[str, str]) -> tuple[str, Secret] | None:
    kind, _, encoded = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic" or len(encoded) > 2048:
        return None
    try:
        account, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (account, Secret(password)) if colon else None
