"""The receive inbox: where other sites join, log on and deliver their bundles."""

import threading
from dataclasses import dataclass

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from keyturn.model.errors import Refused
from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.operations import bundles, hierarchy
from keyturn.operations.client_ports import EnrolledClient
from keyturn.operations.hierarchy_ports import Joining, SiteLogon
from keyturn.operations.neighbours import served_by
from keyturn.operations.parts import Parts
from keyturn.operations.site_credentials import admit, closed_to, must_log_on
from keyturn.server.callers import Arrived, Callers, arrive
from keyturn.site.cards import Card
from keyturn.wire import bundles as wire
from keyturn.wire.agent import read, write
from keyturn.wire.signing import BadSignature, claimed_keyid, verify

SESSION_S = 600.0
"""How long a logon lasts. The password is asked for again then, and whenever the account has another one."""


def routes(parts: Parts, authorities: frozenset[str]) -> list[Route]:
    inbox = _Inbox(parts, authorities)
    return [
        Route(wire.JOIN, inbox.join, methods=["POST"]),
        Route(wire.LOG_ON, inbox.log_on, methods=["POST"]),
        Route(wire.RECEIVE, inbox.receive, methods=["PUT"]),
    ]


@dataclass(frozen=True, slots=True)
class _Session:
    token: Secret
    account: str
    generation: int
    until: float


class _Inbox:
    """Sessions are kept in memory: after a restart, and at another server of the site, the sender logs on again."""

    def __init__(self, parts: Parts, authorities: frozenset[str]) -> None:
        self._parts = parts
        self._authorities = authorities
        self._callers = Callers(parts.store, parts.now)
        self._sessions: dict[SiteCode, _Session] = {}
        self._turn = threading.Lock()

    async def join(self, request: HttpRequest) -> Response:
        return await run_in_threadpool(_join, self._parts, await arrive(request, self._authorities))

    async def log_on(self, request: HttpRequest) -> Response:
        arrived = await arrive(request, self._authorities)
        caller = await self._callers.of(arrived)
        return await run_in_threadpool(self._log_on, caller, arrived)

    async def receive(self, request: HttpRequest) -> Response:
        arrived = await arrive(request, self._authorities, limit=wire.MAX_BUNDLE)
        caller = await self._callers.of(arrived)
        return await run_in_threadpool(self._receive, caller, arrived)

    def _log_on(self, caller: EnrolledClient, arrived: Arrived) -> Response:
        sender, message = _site_of(self._parts, caller), read(wire.LogOn, arrived.body)
        if message.password is None:
            return _json(wire.LoggedOn(reason=closed_to(self._parts, sender, message.account, message.generation)))
        session = admit(self._parts, sender, SiteLogon(message.account, message.generation, message.password))
        if session.token is not None:
            until = self._parts.now() + SESSION_S
            with self._turn:
                self._sessions[sender.code] = _Session(session.token, message.account, message.generation, until)
        return _json(wire.LoggedOn(session.answer or "", session.token, session.reason))

    def _receive(self, caller: EnrolledClient, arrived: Arrived) -> Response:
        sender = _site_of(self._parts, caller)
        logged_on = not must_log_on(self._parts, sender) or self._knows(sender, arrived)
        receipt = bundles.take_in(self._parts, sender, arrived.body, logged_on=logged_on)
        return _json(wire.Received(receipt.taken, receipt.reason, receipt.log_on))

    def _knows(self, sender: Card, arrived: Arrived) -> bool:
        session = self._sessions.get(sender.code)
        shown = arrived.headers.get(wire.SESSION_HEADER)
        if session is None or shown is None or session.until <= self._parts.now() or Secret(shown) != session.token:
            return False
        offers = self._parts.store.offers(sender.server)
        return any(str(o.account) == session.account and o.live == session.generation for o in offers)


def _join(parts: Parts, arrived: Arrived) -> Response:
    message = read(wire.Join, arrived.body)
    verify(arrived.signed, arrived.headers, message.verify_key, now=parts.now())
    if claimed_keyid(arrived.headers) != message.server:
        raise BadSignature("signed under another name")
    joining = Joining(
        message.token,
        SiteCode(message.code),
        message.server,
        message.url,
        message.authority,
        message.verify_key,
        message.recipient,
        message.furnished,
    )
    joined = hierarchy.accept(parts, joining)
    return _json(wire.Joined(_site(joined.parent), _site(joined.own), tuple(map(_site, joined.others))))


def _site_of(parts: Parts, caller: EnrolledClient) -> Card:
    sender = served_by(parts, caller.name)
    if sender is None:
        raise Refused(f"{caller.name} is the server of no site that is known here", hint="keyturn site join")
    return sender


def _site(card: Card) -> wire.Site:
    return wire.Site(
        card.code,
        card.kind,
        card.parent,
        card.server,
        card.address.url,
        card.address.authority,
        card.verify_key,
        card.recipient,
    )


def _json(message: msgspec.Struct) -> Response:
    return Response(write(message), media_type="application/json")
