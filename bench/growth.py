"""How time and memory of a forecast grow with the fleet, drawn into docs/explanation/growth.svg.

    python -m bench.growth [--sizes 1000,10000,…] [--days D] [--to FILE]

Each point is a forecast in a process of its own: its processor time, and the peak memory of the process, interpreter
and contacts included. The heap loop (the same rules, one contact at a time) and simpy are followed as far as they need
less than about a minute. FILE may end in svg or png.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.alone import alone
from bench.forecast import forecast_alone
from bench.lines import Line, Point
from bench.peers import with_heap, with_simpy
from bench.scenes import DAY, SCENES, Scene

PICTURE = Path(__file__).parent.parent / "docs" / "explanation" / "growth.svg"
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
PEERS_CONTACTS = 4_000_000
"""Some 20 s of work."""
RUNS = 2
"""The faster one is told, since others use the machine too."""
SCENE_OF = {scene.name: scene for scene in SCENES}


@dataclass(frozen=True, slots=True)
class Way:
    """A scene and how it is worked out: `work` gives seconds. A peer is followed only as far as it goes in reasonable
    time."""

    name: str
    scene: Scene
    work: Callable[[Scene, int, float], float]
    colour: str
    peer: bool = False


def forecast(scene: Scene, clients: int, days: float) -> float:
    return forecast_alone(scene, clients, days).seconds


def heap_loop(scene: Scene, clients: int, days: float) -> float:
    return _peer(with_heap, scene, clients, days)


def simpy_loop(scene: Scene, clients: int, days: float) -> float:
    return _peer(with_simpy, scene, clients, days)


AWAY = "plain change, 1 in 2 away"
WAYS = (
    Way("simpy", SCENE_OF[AWAY], simpy_loop, "#8a8984", peer=True),
    Way("heap loop", SCENE_OF[AWAY], heap_loop, "#4a3aa7", peer=True),
    Way("logon script", SCENE_OF["plain change, logon script"], forecast, "#eb6834"),
    Way("1 in 2 away", SCENE_OF[AWAY], forecast, "#2a78d6"),
    Way("nothing done", SCENE_OF["nothing done"], forecast, "#1baf7a"),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))), default=SIZES)
    options.add_argument("--days", type=float, default=14)
    options.add_argument("--to", type=Path, default=PICTURE)
    given = options.parse_args()
    from bench.drawing import draw  # only here: the processes that are measured shall not carry matplotlib

    lines = [Line(way.name, way.colour, way.peer, _measured(way, given.sizes, given.days)) for way in WAYS]
    draw(lines, f"{given.days:g} days", given.to)


def _measured(way: Way, sizes: tuple[int, ...], days: float) -> tuple[Point, ...]:
    points = []
    for clients in sizes:
        if way.peer and clients * days * 24 > PEERS_CONTACTS:
            break
        done = min((alone(way.work, way.scene, clients, days) for _ in range(RUNS)), key=lambda run: run.result)
        points.append(Point(clients, done.result, done.peak_mb))
        print(f"{way.name:14}{clients:>10,} clients{done.result:9.2f} s{done.peak_mb:9,.0f} MB", flush=True)
    return tuple(points)


def _peer(peer: Callable[..., object], scene: Scene, clients: int, days: float) -> float:
    fleet = scene.fleet(clients)
    begin = time.process_time()
    peer(fleet, scene.changes, scene.policy, horizon_s=days * DAY)
    return time.process_time() - begin


if __name__ == "__main__":
    main()
