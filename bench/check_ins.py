"""Signed, durable check-ins against a bare route of the same framework, both driven straight through ASGI.

Every check-in is verified (Ed25519), its number is made durable (`synchronous=FULL`), and the gate is asked. Prints
requests per second of both and their ratio. `python bench/check_ins.py [--clients N] [--rounds R] [--at-once K]`.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from keyturn.operations import clients
from keyturn.server import agents
from keyturn.wire import agent as wire
from keyturn.wire.signing import Request, sign
from tests.estates import ADDITIONAL
from tests.inner_site import RECIPIENT, InnerSite, site_in

HOST = "site.example:8443"
ACCOUNT = "CORP\\KtClient"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--at-once", type=int, default=32)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site, keys = furnished(Path(folder), chosen.clients)
        app = Starlette(routes=agents.routes(site.parts, b"", frozenset({HOST})))
        requests = [signed(site, name, key, n) for n in range(1, chosen.rounds + 1) for name, key in keys.items()]
        ours = per_second(app, requests, chosen.at_once)
        bare = per_second(Starlette(routes=[Route(wire.CHECK_IN, nothing, methods=["POST"])]), requests, chosen.at_once)
        site.close()
    print(f"{chosen.clients} clients, {len(requests)} check-ins, {chosen.at_once} at once")
    print(f"signed and durable  {ours:8.0f} /s")
    print(f"bare route          {bare:8.0f} /s")
    print(f"ratio               {ours / bare:8.2f}")


def furnished(folder: Path, count: int) -> tuple[InnerSite, dict[str, Ed25519PrivateKey]]:
    """Every client enrolled, and current with the site's one account."""
    estate = ADDITIONAL.replace("count = 3", f"count = {count}").replace(
        "lockout_threshold = 5", "lockout_threshold = 0"
    )
    site = site_in(folder, estate)
    keys = {f"PC-{number:04d}": Ed25519PrivateKey.generate() for number in range(1, count + 1)}
    for name, key in keys.items():
        token = clients.invite(site.parts, name, by="bench")
        clients.enrol(site.parts, token, name, key.public_key().public_bytes_raw(), RECIPIENT)
        site.held[name] = {}
    site.create("KtClient")
    site.contact(*keys)
    assert all(site.held[name] == {ACCOUNT: 1} for name in keys)
    return site, keys


def signed(site: InnerSite, name: str, key: Ed25519PrivateKey, number: int) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    body = wire.write(wire.CheckIn((wire.Held(ACCOUNT, 1),), "bench"))
    headers = sign(Request("POST", HOST, wire.CHECK_IN, None, body), key, name, number, int(site.clock()))
    return body, [(b"host", HOST.encode()), *((k.encode(), v.encode()) for k, v in headers.items())]


async def nothing(request: HttpRequest) -> Response:
    await request.body()
    return Response(b"{}", media_type="application/json")


def per_second(app: Starlette, requests: list[tuple[bytes, list[tuple[bytes, bytes]]]], at_once: int) -> float:
    async def one(body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {"type": "http", "method": "POST", "path": wire.CHECK_IN, "raw_path": wire.CHECK_IN.encode()}
        scope |= {"headers": headers, "query_string": b"", "http_version": "1.1", "scheme": "https"}

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                assert message["status"] == 200

        await app(scope, receive, send)  # type: ignore[arg-type]

    async def lane(some: list[tuple[bytes, list[tuple[bytes, bytes]]]]) -> None:
        for body, headers in some:
            await one(body, headers)

    async def everything() -> None:
        """A client's requests stay in their order, in one lane."""
        clients_of_lane: list[list[tuple[bytes, list[tuple[bytes, bytes]]]]] = [[] for _ in range(at_once)]
        for position, request in enumerate(requests):
            clients_of_lane[position % at_once].append(request)
        await asyncio.gather(*(lane(some) for some in clients_of_lane))

    began = time.perf_counter()
    asyncio.run(everything())
    return len(requests) / (time.perf_counter() - began)


main()
