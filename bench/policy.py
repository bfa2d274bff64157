"""Agents that ask for their policy, beside a bare route of the same server, over HTTP and over HTTPS.

    python -m bench.policy [--clients N] [--offers M] [--connections K] [--profile FILE]

Every request is signed and numbered as an agent signs it, verified, and durable before it is answered. Each client asks
twice after the server has started: once without a policy, which is then encoded and signed for it alone, and once with
the one it has. Prints requests a second, what of the server's processor time each took, and ratios.
"""

import argparse
import math
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.check_ins import BARE, HOST, Figure, Served, certify, measured, served
from bench.fleet import Member, furnish
from keyturn.model.software import AdvertisementId
from keyturn.operations.software_policy import Policies
from keyturn.wire.policy import POLICY, to_body
from keyturn.wire.signing import Request, sign
from tests.builtin import Clock
from tests.inner_site import site_in
from tests.offers import PROGRAM, offer

Headers = Callable[[Member], str]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--clients", type=int, default=10_000)
    options.add_argument("--offers", type=int, default=20)
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--profile", default="", help="write the server's cProfile there")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fleet = furnish(folder, chosen.clients)
        certify(folder)
        marks = _issue(folder, fleet, chosen.offers)
        print(f"{chosen.clients} clients, {chosen.offers} offers each, {chosen.connections} connections")
        print(f"{os.cpu_count()} processors for the server and whoever drives it")
        for number, tls in enumerate((False, True)):
            new, known = (
                _lanes(fleet, chosen.connections, 2 * number + turn, headers)
                for turn, headers in (
                    (1, lambda _: ""),
                    (2, lambda member: f'if-none-match: "{marks[member.name]}"\r\n'),
                )
            )
            with served(Served(folder, tls, chosen.profile)) as (port, pid):
                bare = measured(port, pid, _bare(new), tls)
                told = measured(port, pid, new, tls)
                unchanged = measured(port, pid, known, tls, 304)
            _print("HTTPS" if tls else "HTTP", bare, told, unchanged)


def _issue(folder: Path, fleet: Sequence[Member], offers: int) -> dict[str, str]:
    """What is offered, and the mark of the policy of each client."""
    names = [member.name for member in fleet]
    site = site_in(folder, "")
    for number in range(1, offers + 1):
        offer(site, *names, number=AdvertisementId(f"PHX2{number:04X}"), program=replace(PROGRAM, name=f"P{number}"))
    began = time.perf_counter()
    told = Policies(site.parts, time.monotonic).of(names)
    took_s = time.perf_counter() - began
    print(f"a policy of {len(to_body(told[names[0]].policy))} bytes for each, made and issued in {took_s:.1f} s")
    site.close()
    return {name: each.mark for name, each in told.items()}


def _lanes(fleet: Sequence[Member], connections: int, number: int, headers: Headers) -> list[list[bytes]]:
    lanes: list[list[bytes]] = [[] for _ in range(connections)]
    for position, member in enumerate(fleet):
        lanes[position % connections].append(_signed(member, number, headers(member)))
    return lanes


def _signed(member: Member, number: int, more: str) -> bytes:
    headers = sign(Request("GET", HOST, POLICY, None, b""), member.key, member.name, number, int(Clock()()))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {POLICY} HTTP/1.1\r\nhost: {HOST}\r\n{lines}{more}\r\n".encode()


def _bare(lanes: Sequence[Sequence[bytes]]) -> list[list[bytes]]:
    return [[request.replace(POLICY.encode(), BARE.encode(), 1) for request in lane] for lane in lanes]


def _print(scheme: str, bare: Figure, told: Figure, unchanged: Figure) -> None:
    print(f"\n{scheme}")
    for name, figure in (("bare route", bare), ("a new policy", told), ("nothing new", unchanged)):
        ratio, work = (
            figure.per_second / bare.per_second,
            figure.busy_us / (bare.busy_us or math.nan),
        )  # a run shorter than a tick
        print(
            f"{name:13}{figure.per_second:8.0f} /s {figure.busy_us:7.0f} us of the server each {ratio:6.2f} {work:6.2f}"
        )


if __name__ == "__main__":
    main()
