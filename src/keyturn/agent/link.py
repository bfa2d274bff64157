"""The agent's line to its management point: every request signed and numbered, every answer checked for its shape."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from keyturn.agent.keys import Keys
from keyturn.agent.ports import Exchange, Stream
from keyturn.model.errors import Refused
from keyturn.wire.agent import (
    ANSWER_HEADER,
    ASSURE,
    CHECK_IN,
    ENROL,
    MAX_ANSWER,
    BadMessage,
    CheckIn,
    Directions,
    Enrol,
    Enrolled,
    Flow,
    Headers,
    NoAnswer,
    Proof,
    Reply,
    proof_path,
    read,
    write,
)
from keyturn.wire.scan import NAMES, REPORT, ScanReport, Wanted
from keyturn.wire.signing import Request, sign

CLOCK_TOLERANCE_S = 60
"""Below this a clock is taken for right: the site accepts signatures 300 s old."""


class Link:
    """Raises NoAnswer when the site cannot be asked, Refused when it turns this agent away, BadMessage for an answer
    of another shape."""

    def __init__(
        self,
        exchange: Exchange,
        authority: str,
        client: str,
        keys: Keys,
        number: Callable[[], int],
        now: Callable[[], float],
    ) -> None:
        self._exchange = exchange
        self._authority = authority
        self._client = client
        self._keys = keys
        self._number = number
        self._now = now
        self._site_is_ahead_s = 0.0

    def vouch(self, letter: bytes) -> bytes:
        """Ed25519 over what does not go to the site by this line: it begins with what it is for."""
        return self._keys.signing.sign(letter)

    def enrol(self, token: Enrol) -> Enrolled:
        return _understood(self.send("POST", ENROL, token), Enrolled)

    def check_in(self, message: CheckIn) -> Directions:
        return _understood(self.send("POST", CHECK_IN, message), Directions)

    def assure(self, message: CheckIn) -> Directions:
        return _understood(self.send("POST", ASSURE, message), Directions)

    def prove(self, account: str, proof: Proof) -> None:
        """A site that has no use for the answer, since it never gave out this credential, is not told again: a proof
        must never stand between an agent and its next check-in."""
        reply = self.send("PUT", proof_path(self._client, account), proof)
        if reply.status == 401 or reply.status == 429 or reply.status >= 500:
            raise _trouble(reply)

    def accounts_to_find(self) -> tuple[str, ...]:
        return _understood(self.send("GET", NAMES), Wanted).accounts

    def tell_scan(self, report: ScanReport) -> None:
        reply = self.send("POST", REPORT, report)
        if reply.status != 200:
            raise _trouble(reply)

    def send(
        self, method: str, path: str, message: msgspec.Struct | None = None, headers: Headers | None = None
    ) -> Reply:
        """Asks once more where the signature was refused and our clock turns out to be wrong."""
        reply = self._signed(method, path, message, headers or {})
        if _signature_refused(reply) and self._clock_corrected(reply):
            return self._signed(method, path, message, headers or {})
        return reply

    def open(self, stream: Stream, path: str, headers: Headers) -> Flow:
        """As `send` asks, for a body of any length."""
        flow = stream(*self._prepared("GET", path, None, headers))
        if _signature_refused(flow) and self._clock_corrected(flow):
            flow.close()
            return stream(*self._prepared("GET", path, None, headers))
        return flow

    def _signed(self, method: str, path: str, message: msgspec.Struct | None, headers: Headers) -> Reply:
        return self._exchange(*self._prepared(method, path, message, headers))

    def _prepared(
        self, method: str, path: str, message: msgspec.Struct | None, headers: Headers
    ) -> tuple[Request, Headers]:
        """The message is written into the request, which does not show it, and into no variable of its own."""
        bare, _, query = path.partition("?")
        request = Request(method, self._authority, bare, query or None, write(message) if message else b"")
        created = int(self._now() + self._site_is_ahead_s)
        signature = sign(request, self._keys.signing, self._client, self._number(), created)
        kind = {"content-type": "application/json"} if message else {}
        return request, {**kind, **headers, **signature}

    def _clock_corrected(self, reply: Reply | Flow) -> bool:
        """Whether the site's own time, which TLS vouches for, tells that ours is off."""
        try:
            ahead_s = parsedate_to_datetime(reply.headers.get("date", "")).timestamp() - self._now()
        except ValueError:
            return False
        if abs(ahead_s - self._site_is_ahead_s) < CLOCK_TOLERANCE_S:
            return False
        self._site_is_ahead_s = ahead_s
        return True


def authority_of(server: str) -> str:
    """Host and port of `https://HOST[:PORT]`, as they stand in a Host header. Refused for any other form."""
    try:
        parts = urlsplit(server)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if ":" in host:
        host = f"[{host}]"
    authority = f"{host}:{port}" if port else host
    if not host or server.rstrip("/").lower() != f"https://{authority}":
        raise Refused("this is no server's address", hint="write https://HOST:PORT")
    return authority


def _signature_refused(reply: Reply | Flow) -> bool:
    """Never so for an answer of the realm: repeating that request would present the password twice."""
    return reply.status == 401 and ANSWER_HEADER not in reply.headers


A = TypeVar("A")


def _understood(reply: Reply, shape: type[A]) -> A:
    if reply.status != 200:
        raise _trouble(reply)
    return read(shape, reply.body, limit=MAX_ANSWER)


def _trouble(reply: Reply) -> NoAnswer | Refused:
    if reply.status == 401:
        return Refused("the site does not accept this agent", hint="keyturn agent enrol, with a new token")
    if reply.status == 429 or reply.status >= 500:
        return NoAnswer(f"the site could not answer (status {reply.status})")
    return Refused(f"the site refused: {_said(reply) or reply.status}")


def _said(reply: Reply) -> str:
    """The site's own words, as far as they fit a line of a log."""
    try:
        said = read(_Said, reply.body).error
    except BadMessage:
        return ""
    return "".join(character if character.isprintable() else " " for character in said[:200])


class _Said(msgspec.Struct, frozen=True):
    error: str
