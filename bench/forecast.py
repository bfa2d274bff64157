"""How long a forecast takes and how much memory it needs, beside the same forecast by two other ways.

    python -m bench.forecast [--clients N] [--days D] [--peers P]

Every client comes once an hour. The forecast of all N clients is made in a process of its own, whose peak memory
includes the contacts, the result and the interpreter. The heap loop and simpy would need up to an hour for a million
clients, so they are given P clients over the same days, and their times are multiplied by N / P: in their favour,
since a larger heap costs more a contact. On those P clients all three must give the same answers: the first lockout
and who is blamed for it, the moment of every lock, who is orphaned and who recovered.

Seconds are processor time, of one core since nothing here uses two: on an idle machine the clock shows the same.
"""

import argparse
import sys
import time
from dataclasses import dataclass

from bench.alone import Alone, alone
from bench.peers import Peer, Told, bare_heap, with_heap, with_simpy
from bench.scenes import DAY, SCENES, Scene
from keyturn.lockout.changes import Forecast
from keyturn.lockout.forecast import predict

HOURS_A_DAY = 24
PEERS_CONTACTS = 200_000
"""What the peers are given unless said: a second or two of work each, a scene."""
HEADS = (
    f"{'':30}{'ours':>9}{'memory':>10}{'heap loop':>16}{'simpy':>16}{'answers':>8}{'first lock':>11}{'orphaned':>10}"
)


@dataclass(frozen=True, slots=True)
class Ours:
    """`seconds` for the forecast itself, the contacts being made before."""

    seconds: float
    first_lockout_s: float | None
    orphaned: int
    recovered: int


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--clients", type=int, default=100_000)
    options.add_argument("--days", type=float, default=14)
    options.add_argument("--peers", type=int, help="clients that the heap loop and simpy are given")
    given = options.parse_args()
    peers = min(given.clients, given.peers or max(10, int(PEERS_CONTACTS / (given.days * HOURS_A_DAY))))
    scale = f"{given.clients / peers:,.0f} (an extrapolation)" if peers < given.clients else "1"
    print(f"{given.clients:,} clients, {given.days:g} days; heap loop and simpy: {peers:,} clients, times {scale}")
    print(HEADS)
    differing = [scene.name for scene in SCENES if not _row(scene, given.clients, given.days, peers)]
    _bare(given.clients, given.days)
    if differing:
        sys.exit(f"error: the answers differ: {', '.join(differing)}")


def _row(scene: Scene, clients: int, days: float, peers: int) -> bool:
    """Print it, and say whether all three gave the same answers."""
    ours: Alone[Ours] = alone(forecast_alone, scene, clients, days)
    fleet, horizon_s = scene.fleet(peers), days * DAY
    expected = _ours(predict(fleet, scene.changes, scene.policy, horizon_s=horizon_s))
    columns, same = [], True
    for peer in (with_heap, with_simpy):
        seconds, told = _timed(peer, scene, peers, horizon_s)
        same = same and told == expected
        seconds *= clients / peers
        columns.append(f"{seconds:8,.0f} s {seconds / ours.result.seconds:4,.0f}x")
    at = ours.result.first_lockout_s
    print(
        f"{scene.name:30}{ours.result.seconds:7.2f} s{ours.peak_mb:7,.0f} MB{columns[0]:>16}{columns[1]:>16}"
        f"{'same' if same else 'DIFFER':>8}{'-' if at is None else f'{at:.3f} s':>11}{ours.result.orphaned:>10,}",
        flush=True,
    )
    return same


def forecast_alone(scene: Scene, clients: int, days: float) -> Ours:
    fleet = scene.fleet(clients)
    begin = time.process_time()
    forecast = predict(fleet, scene.changes, scene.policy, horizon_s=days * DAY)
    seconds = time.process_time() - begin
    return Ours(seconds, forecast.first_lockout_s, len(forecast.orphaned), len(forecast.recovered))


def _ours(forecast: Forecast) -> Told:
    """In the peers' terms, which know no moments but the locks."""
    locks = tuple(moment.at_s for moment in forecast.moments if moment.kind == "locked")
    plain = Forecast(forecast.first_lockout_s, forecast.blamed, forecast.orphaned, forecast.recovered)
    return Told(plain, locks)


def _timed(peer: Peer, scene: Scene, clients: int, horizon_s: float) -> tuple[float, Told]:
    fleet = scene.fleet(clients)
    begin = time.process_time()
    told = peer(fleet, scene.changes, scene.policy, horizon_s=horizon_s)
    return time.process_time() - begin, told


def _bare(clients: int, days: float) -> None:
    seconds = bare_heap(clients, clients)
    contacts = int(clients * days * HOURS_A_DAY)
    print(
        f"A heap loop over {clients:,} clients that decides nothing: {seconds:.2f} s for one hour,"
        f" so {seconds * days * HOURS_A_DAY:,.0f} s for all {contacts:,} contacts"
    )


if __name__ == "__main__":
    main()
