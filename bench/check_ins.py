"""Signed, durable check-ins beside a bare route of the same server, over HTTP and over HTTPS.

    python -m bench.check_ins [--clients N] [--rounds R] [--connections K] [--profile FILE]

The server is a process of its own, as `keyturn up` runs it; this one drives it with requests signed beforehand. Every
check-in is verified (Ed25519), its number is durable (`synchronous=FULL`) before the answer, and the gate is asked.
Every client holds two accounts. Prints requests a second, what of the server's processor time each took, and ratios.
"""

import argparse
import cProfile
import datetime
import math
import multiprocessing
import os
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from bench.fleet import ACCOUNTS, Member, furnish
from bench.load import per_second
from keyturn.adapters.site_files.certificates import issue, make_authority
from keyturn.server import agents, policy
from keyturn.wire import agent as wire
from keyturn.wire.signing import Request, sign
from tests.builtin import Clock
from tests.inner_site import site_in

HOST = "localhost"
BARE = "/bare"


@dataclass(frozen=True)
class Served:
    """What the server process is told. `tls`: with the certificate in `folder`."""

    folder: Path
    tls: bool
    profile: str = ""


@dataclass(frozen=True)
class Figure:
    per_second: float
    busy_us: float
    """Processor time of the server a request, in microseconds."""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--clients", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--profile", default="", help="write the server's cProfile there")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fleet = furnish(folder, chosen.clients)
        certify(folder)
        print(f"{chosen.clients} clients with {len(ACCOUNTS)} accounts each, {chosen.connections} connections")
        print(f"{os.cpu_count()} processors for the server and whoever drives it")
        for number, tls in enumerate((False, True)):
            numbers = range(1 + number * chosen.rounds, 1 + (number + 1) * chosen.rounds)
            lanes = _lanes(fleet, numbers, chosen.connections)
            with served(Served(folder, tls, chosen.profile)) as (port, pid):
                bare = measured(port, pid, _bare(lanes), tls)
                ours = measured(port, pid, lanes, tls)
            print_figures("HTTPS" if tls else "HTTP", ours, bare)


def print_figures(scheme: str, ours: Figure, bare: Figure) -> None:
    print(f"\n{scheme}")
    print(f"signed and durable  {ours.per_second:8.0f} /s  {ours.busy_us:6.0f} us of the server each")
    print(f"bare route          {bare.per_second:8.0f} /s  {bare.busy_us:6.0f} us of the server each")
    work = ours.busy_us / (bare.busy_us or math.nan)
    print(f"ratio               {ours.per_second / bare.per_second:8.2f}     {work:6.2f}")


def _lanes(fleet: Sequence[Member], numbers: range, connections: int) -> list[list[bytes]]:
    """A client's requests stay on one connection, so in their order."""
    lanes: list[list[bytes]] = [[] for _ in range(connections)]
    for number in numbers:
        for position, member in enumerate(fleet):
            lanes[position % connections].append(_signed(member, number))
    return lanes


def _signed(member: Member, number: int) -> bytes:
    body = wire.write(wire.CheckIn(tuple(wire.Held(f"CORP\\{name}", 1) for name in ACCOUNTS), "bench"))
    headers = sign(Request("POST", HOST, wire.CHECK_IN, None, body), member.key, member.name, number, int(Clock()()))
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = [f"POST {wire.CHECK_IN} HTTP/1.1", f"host: {HOST}", f"content-length: {len(body)}", *lines]
    return "\r\n".join([*head, "", ""]).encode() + body


def _bare(lanes: Sequence[Sequence[bytes]]) -> list[list[bytes]]:
    return [[request.replace(wire.CHECK_IN.encode(), BARE.encode(), 1) for request in lane] for lane in lanes]


def measured(port: int, pid: int, lanes: Sequence[Sequence[bytes]], tls: bool, status: int = 200) -> Figure:
    context = ssl.create_default_context() if tls else None
    if context:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    before_s = _busy_s(pid)
    reached = per_second(port, lanes, context, status)
    return Figure(reached, (_busy_s(pid) - before_s) * 1e6 / sum(map(len, lanes)))


def _busy_s(pid: int) -> float:
    """proc(5): user and system time are fields 14 and 15, in ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def certify(folder: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    pair = issue(make_authority("PHX", now), [HOST], now)
    (folder / "certificate.pem").write_bytes(pair.certificate_pem)
    (folder / "key.pem").write_bytes(pair.key_pem)


@contextmanager
def served(served: Served) -> Iterator[tuple[int, int]]:
    """Port and process id of a server that runs until the block ends."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(served, theirs))
    process.start()
    assert process.pid
    try:
        yield ours.recv(), process.pid
    finally:
        ours.send("end")
        process.join()


def _serve(served: Served, line: Connection) -> None:
    site = site_in(served.folder, "")
    names = frozenset({HOST})
    bare = Route(BARE, _nothing, methods=["GET", "POST"])
    app = Starlette(routes=[*agents.routes(site.parts, b"", names), *policy.routes(site.parts, names), bare])
    with_tls = {"ssl_certfile": served.folder / "certificate.pem", "ssl_keyfile": served.folder / "key.pem"}
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=0,
            log_config=None,
            access_log=False,
            server_header=False,
            **(with_tls if served.tls else {}),  # type: ignore[arg-type]
        )
    )
    threading.Thread(target=_until_told, args=(server, line), daemon=True).start()
    profile = cProfile.Profile()
    if served.profile:
        profile.runcall(server.run)
        profile.dump_stats(f"{served.profile}.{'https' if served.tls else 'http'}")
    else:
        server.run()
    site.close()


def _until_told(server: uvicorn.Server, line: Connection) -> None:
    while not server.started:
        time.sleep(0.01)
    line.send(server.servers[0].sockets[0].getsockname()[1])
    line.recv()
    server.should_exit = True


async def _nothing(request: HttpRequest) -> Response:
    await request.body()
    return Response(b"{}", media_type="application/json")


if __name__ == "__main__":
    main()
