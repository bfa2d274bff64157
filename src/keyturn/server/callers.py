"""Who called: requests as they came in, and the enrolled machines that signed them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request as HttpRequest

from keyturn.operations.client_ports import Clients, EnrolledClient, Heard
from keyturn.server.together import Together
from keyturn.wire import agent as wire
from keyturn.wire.signing import BadSignature, Request, claimed_keyid, verify


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it came in, its body read."""

    signed: Request
    headers: dict[str, str] = field(repr=False)

    @property
    def body(self) -> bytes:
        return self.signed.body


async def arrive(request: HttpRequest, authorities: frozenset[str], limit: int = wire.MAX_REQUEST) -> Arrived:
    """`limit` is in bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise wire.BadMessage(f"longer than {limit} bytes")
    host = request.headers.get("host", "")
    if host not in authorities:
        raise BadSignature(f"called by a name that is not this site's: {host[:100]!r}")
    query = request.scope["query_string"].decode("latin-1") or None
    path = request.scope["raw_path"].decode("latin-1")
    return Arrived(Request(request.method, host, path, query, bytes(body)), dict(request.headers))


@dataclass(frozen=True, slots=True)
class _Claim:
    """Whose the request says it is, unproven."""

    name: str
    arrived: Arrived


class Callers:
    """The machines that signed requests. A number is durable before its machine is told, so no request counts twice."""

    def __init__(self, clients: Clients, now: Callable[[], float]) -> None:
        self._clients = clients
        self._now = now
        self._together = Together(self._recognise)

    async def of(self, arrived: Arrived) -> EnrolledClient:
        """BadSignature for a stranger, a replay, a late or an old one."""
        return await self._together(_Claim(claimed_keyid(arrived.headers), arrived))

    def _recognise(self, claims: Sequence[_Claim]) -> list[EnrolledClient | Exception]:
        known = self._clients.clients_of({claim.name for claim in claims})
        found = [_hear(claim, known.get(claim.name), self._now()) for claim in claims]
        new = iter(self._clients.advance_counters([one for one in found if isinstance(one, Heard)], self._now()))
        return [_told(one, new) for one in found]


def _hear(claim: _Claim, client: EnrolledClient | None, now: float) -> Heard | BadSignature:
    if client is None:
        return BadSignature(f"{claim.name} is not enrolled")
    try:
        signed = verify(claim.arrived.signed, claim.arrived.headers, client.verify_key, now=now)
    except BadSignature as error:
        return error
    return Heard(client, signed.counter)


def _told(one: Heard | BadSignature, new: Iterator[bool]) -> EnrolledClient | Exception:
    """`new` says of each that was heard, in turn, whether its number was taken."""
    if isinstance(one, BadSignature):
        return one
    if not next(new):
        return BadSignature(f"{one.client.name} has sent request {one.counter} or a later one before")
    return one.client
