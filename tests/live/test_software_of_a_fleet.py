"""A fleet whose agents and server are killed at random: every mandatory program ran exactly once, or it is reported as
interrupted. Seen at the site, and by the traces that the programs themselves leave."""

import os
import random
from pathlib import Path

import pytest

from keyturn.wiring import _door
from tests.software_fleet import ENDS, Fleet, report_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs programs for others")

SEED = 20031117


@pytest.mark.timeout(400)
def test_every_program_ran_exactly_once_or_is_reported_interrupted(tmp_path: Path) -> None:
    storm(
        Fleet(tmp_path, clients=6, interval_s=1, door=_door, advertisements=5), kills=14, server_kills=2, within_s=240
    )


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_fifty_agents_with_twenty_advertisements_each(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, clients=50, interval_s=5, door=_door, advertisements=20)
    storm(fleet, kills=200, server_kills=20, within_s=1800)


def storm(fleet: Fleet, *, kills: int, server_kills: int, within_s: float) -> None:
    try:
        fleet.found()
        fleet.enrol(fleet.names)
        fleet.run_agents(fleet.names)
        fleet.advertise()
        fleet.storm(kills, server_kills, random.Random(SEED))
        fleet.calm(within_s)
        came_to = report_of(fleet)
        print(came_to)
        for name in fleet.names:
            for advertisement in fleet.sorts:
                examine(fleet, name, advertisement)
        assert came_to.get("interrupted"), "nobody was struck in the middle of a program"
        fleet.stop_all()
        assert fleet.left_over() == []
    finally:
        fleet.close()


def examine(fleet: Fleet, name: str, advertisement: str) -> None:
    about = f"{advertisement} at {name}"
    sort = fleet.sorts[advertisement]
    told = fleet.told(name, advertisement)
    trace = fleet.trace(name, f"Job-{list(fleet.sorts).index(advertisement):02d}")
    assert set(trace.began.values()) <= {1}, f"{about}: a run began twice"
    assert set(trace.began) <= {one.run for one in told}, f"{about}: something ran that the site never heard of"
    if not sort.rounds:
        assert len(told) == 1, f"{about}: started as {told}"
    for one in told:
        ends = [state for state in one.states if state in ENDS]
        assert len(ends) == 1, f"{about}: run {one.run} came to {ends}"
        if ends != ["interrupted"]:
            whole = trace.began[one.run] == trace.ended[one.run] == 1
            assert whole, f"{about}: run {one.run} left no whole trace: {fleet.record(name, one.run)}"
            assert ends == ["failed" if sort.exit_code else "succeeded"], about
