"""What a turn of an agent costs as its advertisements and its past grow, beside an agent that is new.

    python -m bench.software [--offers N] [--runs R] [--turns T]

A turn looks at every offer of the policy, and finds nothing to do: what an agent does every five seconds. `kept` is
one record of a run, durable when the call returns. The runs are of programs that are not offered any more.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keyturn.agent.software.cycle import Software
from keyturn.agent.software.records import Remembered, Run
from keyturn.distribution.reports import AdvertisementState
from tests.policies import NOW, offer, policy
from tests.story.software_site import SoftwareMachine, SoftwareSite


@dataclass(frozen=True, slots=True)
class Figure:
    """`remembered` runs, in a file of `kilobytes`."""

    turn_ms: float
    kept_ms: float
    remembered: int
    kilobytes: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--offers", type=int, default=200)
    options.add_argument("--runs", type=int, default=5000)
    options.add_argument("--turns", type=int, default=50)
    given = options.parse_args()
    new = measured(20, 0, given.turns)
    print_figure("new, 20 offers", new, new)
    print_figure(f"new, {given.offers} offers", measured(given.offers, 0, given.turns), new)
    old = measured(given.offers, given.runs, given.turns)
    print_figure(f"{given.offers} offers, {given.runs} runs", old, new)


def measured(offers: int, runs: int, turns: int) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        site = SoftwareSite()
        site.clock.now = NOW
        machine = SoftwareMachine(site, Path(folder) / "agent")
        machine.enrol()
        site.offer(policy(*map(offer, range(1, offers + 1))))
        machine.once().run_out(threading.Event())
        have_run(machine, runs)
        software = machine.started()
        stop = threading.Event()
        while software.turn(stop):
            software.finish()
        turn_s = timed(lambda: software.turn(stop), turns)
        kept_s = timed(lambda: keep_one(software), turns)
        kilobytes = (machine.place.path / "history.json").stat().st_size / 1000
        return Figure(turn_s * 1000, kept_s * 1000, len(software.history.kept.runs), kilobytes)


def have_run(machine: SoftwareMachine, runs: int) -> None:
    kept = machine.place.remembered()
    assert kept is not None
    old = tuple(
        Run(f"{n:08x}", f"OLD{n:05}", "PHX00009", "Install", NOW - runs + n, AdvertisementState.SUCCEEDED)
        for n in range(runs)
    )
    machine.place.remember(Remembered(kept.number, kept.site, (*old, *kept.runs), said=kept.said))


def keep_one(software: Software) -> None:
    """The report that goes with it is taken at once, for otherwise they would pile up."""
    software.history.keep(software.history.kept.runs[0], 10008)
    software.history.taken(software.history.kept.number)


def timed(act: Callable[[], object], times: int) -> float:
    """Seconds each."""
    begin = time.perf_counter()
    for _ in range(times):
        act()
    return (time.perf_counter() - begin) / times


def print_figure(name: str, figure: Figure, new: Figure) -> None:
    ratios = figure.turn_ms / new.turn_ms, figure.kept_ms / new.kept_ms
    print(
        f"{name:26} turn {figure.turn_ms:7.2f} ms {ratios[0]:6.1f} x  kept {figure.kept_ms:6.2f} ms {ratios[1]:5.1f} x"
        f"  {figure.remembered:5} runs in {figure.kilobytes:6.0f} kB"
    )


if __name__ == "__main__":
    main()
