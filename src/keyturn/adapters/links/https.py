"""Other sites over HTTPS: each request signed with this site's key, each connection pinned to that site's authority."""

import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.estate import SiteCode, SiteKind
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.hierarchy_ports import Joined, Joining, Line, Receipt, Session, SiteLogon, Unreached
from keyturn.site.cards import Address, Card
from keyturn.site.keys import SiteKeys
from keyturn.wire import bundles as wire
from keyturn.wire.agent import BadMessage, Headers, NoAnswer, Reply, read, write
from keyturn.wire.signing import Request, sign

_AT_THE_PARENT = "there: keyturn site invite makes another token, which is good once, for one site, for half an hour"


class Exchange(Protocol):
    """One connection to one server."""

    def __call__(self, request: Request, headers: Headers) -> Reply: ...


class HttpsLine(Line):
    """`exchange` connects to a server, trusting one authority; `authority` fetches the one that has a fingerprint.
    `server` is the name under which this site signs. Used from many threads; one at a time for each server."""

    def __init__(
        self,
        server: Callable[[], str],
        keys: Callable[[], SiteKeys],
        exchange: Callable[[str, str], Exchange],
        authority: Callable[[str, str], str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._server = server
        self._keys = keys
        self._exchange = exchange
        self._authority = authority
        self._now = now
        self._turn = threading.Lock()
        self._open: dict[Address, tuple[Exchange, threading.Lock]] = {}
        self._last = 0

    def join(self, url: str, fingerprint: str, joining: Joining) -> Joined:
        message = wire.Join(
            joining.token,
            joining.code,
            joining.server,
            joining.url,
            joining.authority,
            joining.verify_key,
            joining.recipient,
            joining.furnished,
        )
        try:
            address = Address(url, self._authority(url, fingerprint))
            reply = self._send(address, "POST", wire.JOIN, write(message), {"content-type": "application/json"})
        except (Unreached, NoAnswer) as error:
            raise Refused(f"{url}: {error}", hint="is `keyturn up` running there?") from None
        if reply.status != 200:
            raise Refused(f"{url} refused: {_said(reply)}", hint=_AT_THE_PARENT)
        joined = read(wire.Joined, reply.body)
        return Joined(card(joined.parent), card(joined.own), tuple(map(card, joined.others)))

    def ask(self, to: Card, account: str, generation: int) -> str:
        return self._log_on(to, wire.LogOn(account, generation)).reason

    def log_on(self, to: Card, logon: SiteLogon) -> Session:
        said = self._log_on(to, wire.LogOn(logon.account, logon.generation, logon.secret))
        return Session(Answer(said.answer) if said.answer else None, said.session, said.reason)

    def deliver(self, to: Card, bundle: bytes, session: Secret | None) -> Receipt:
        headers: Headers = {wire.SESSION_HEADER: session} if session else {}
        said = _understood(self._send(to.address, "PUT", wire.RECEIVE, bundle, headers), wire.Received)
        return Receipt(said.taken, said.reason, said.log_on)

    def _log_on(self, to: Card, message: wire.LogOn) -> wire.LoggedOn:
        """The message is written into the call that sends it, and into no variable: a traceback shows variables."""
        said = {"content-type": "application/json"}
        return _understood(self._send(to.address, "POST", wire.LOG_ON, write(message), said), wire.LoggedOn)

    def _send(self, address: Address, method: str, path: str, body: bytes, headers: Headers) -> Reply:
        connection, alone = self._connected(address)
        with alone:
            request = Request(method, address.url.removeprefix("https://").rstrip("/"), path, None, body)
            signature = sign(request, self._keys().signing, self._server(), self._number(), int(self._now()))
            try:
                return connection(request, {**headers, **signature})
            except NoAnswer as error:
                raise Unreached(error.message) from None

    def _connected(self, address: Address) -> tuple[Exchange, threading.Lock]:
        with self._turn:
            if address not in self._open:
                self._open[address] = (self._exchange(address.url, address.authority), threading.Lock())
            return self._open[address]

    def _number(self) -> int:
        """Higher than any before, also after a restart: the clock in microseconds. A clock that was put back makes
        signatures of another time anyway, which are not accepted until it is right."""
        with self._turn:
            self._last = max(self._last + 1, int(self._now() * 1_000_000))
            return self._last


def card(site: wire.Site) -> Card:
    try:
        kind = SiteKind(site.kind)
    except ValueError:
        raise BadMessage("not a kind of site") from None
    parent = SiteCode(site.parent) if site.parent else None
    address = Address(site.url, site.authority)
    return Card(SiteCode(site.code), kind, parent, site.server, address, site.verify_key, site.recipient)


M = TypeVar("M")


def _understood(reply: Reply, shape: type[M]) -> M:
    if reply.status != 200:
        raise Unreached(f"status {reply.status}: {_said(reply)}")
    try:
        return read(shape, reply.body)
    except BadMessage as error:
        raise Unreached(error.message) from None


class _Said(msgspec.Struct, frozen=True):
    error: str


def _said(reply: Reply) -> str:
    try:
        said = read(_Said, reply.body).error
    except KeyturnError:
        return str(reply.status)
    return "".join(character if character.isprintable() else " " for character in said[:200])
