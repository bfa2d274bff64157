"""An agent is killed before and after everything it does for its software: each step on its disk, each request, each
answer, the start and the end of each program.

Whatever was cut off: every mandatory program ran once, or it is reported as interrupted and did not run twice.
"""

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from keyturn.agent.disk import PosixDisk
from keyturn.agent.software.cycle import Software
from keyturn.agent.software.ports import Ended, HowEnded, RunOrder
from keyturn.agent.software.running import run_one
from keyturn.distribution.due import Due, Runs
from keyturn.distribution.reports import AdvertisementState
from keyturn.model.software import Policy, Rerun
from tests.policies import NOW, offer, policy
from tests.story.software_site import SoftwareMachine, SoftwareSite
from tests.unit.test_agent_crashes import Fate, FatedDisk, Killed

OFFERS = tuple(offer(number, rerun=Rerun.IF_FAILED) for number in (1, 2))
ENDS = {AdvertisementState.SUCCEEDED, AdvertisementState.INTERRUPTED}


@dataclass
class FatedSoftwareSite(SoftwareSite):
    fate: Fate = field(default_factory=Fate)

    def __call__(self, request, headers):  # type: ignore[no-untyped-def]
        self.fate.step()
        reply = super().__call__(request, headers)
        self.fate.step()
        return reply


class InOneThread(Software):
    """So that death is the end of the whole process, and nothing tidies up after it."""

    def _start(self, one: Due, policy: Policy, stop: threading.Event) -> bool:
        if isinstance(one.standing, Runs):
            run_one(one, one.standing.context, policy, self.shop, stop.is_set)
        return isinstance(one.standing, Runs)


@dataclass
class Story:
    """Two mandatory programs, one of which fails the first time it runs to its end."""

    folder: Path
    fate: Fate
    begun: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.site = FatedSoftwareSite(fate=Fate())
        self.site.clock.now = NOW
        self.machine = SoftwareMachine(self.site, self.folder)
        self.machine.runner.comes_to = self._program
        self.machine.enrol()
        self.machine.disk = FatedDisk(self.fate)
        self.site.fate = self.fate
        self.site.offer(policy(*OFFERS))

    def tell(self, lives: int) -> None:
        """So many lives of the agent, each until it is killed or has nothing to do."""
        for _ in range(lives):
            self.site.clock.now += 10
            try:
                self._live()
            except Killed:
                self.site.clock.now += 10
        self.fate.at = frozenset()
        for _ in range(2):
            self.site.clock.now += 10
            self._live()

    def _live(self) -> None:
        software = self.machine.started()
        software.__class__ = InOneThread
        self.machine.contact_with(software)
        software.run_out(threading.Event())
        self.site.clock.now += 10
        self.machine.contact_with(software)

    def _program(self, order: RunOrder) -> Ended:
        self.fate.step()
        self.begun[order.run_id] += 1
        self.fate.step()
        return Ended(HowEnded.EXITED, 0, executed_as="root")


def examine(story: Story) -> None:
    reports = story.site.reports
    assert len(reports) == len({report.number for report in reports}), "a report came twice"
    runs = {(report.advertisement, report.run) for report in reports if report.run}
    for one in OFFERS:
        about = one.advertisement.advertisement_id
        mine = {run for advertisement, run in runs if advertisement == about}
        ends = [report.state for report in reports if report.advertisement == about and report.state in ENDS]
        assert len(mine) == 1, f"{about}: started under {mine}"
        assert len(ends) == 1, f"{about}: {ends}"
        assert sum(story.begun[run] for run in mine) <= 1, "it ran twice"
        if ends == [AdvertisementState.SUCCEEDED]:
            assert sum(story.begun[run] for run in mine) == 1
    assert sum(story.begun.values()) <= len(OFFERS)
    assert all(run in {run for _, run in runs} for run in story.begun), "something ran that nobody was told of"


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> int:
    story = Story(tmp_path_factory.mktemp("undisturbed") / "agent", Fate())
    story.tell(1)
    examine(story)
    assert sum(story.begun.values()) == 2
    return story.fate.steps


def test_killed_at_every_step(steps: int, tmp_path: Path) -> None:
    assert steps > 60
    for at in range(1, steps + 1):
        story = Story(tmp_path / str(at), Fate(frozenset({at})))
        story.tell(2)
        examine(story)


@pytest.mark.parametrize("seed", range(30))
def test_killed_again_and_again(steps: int, tmp_path: Path, seed: int) -> None:
    """Also while it puts right what the death before has left."""
    chance = random.Random(seed)
    story = Story(tmp_path / "agent", Fate(frozenset(chance.sample(range(1, 2 * steps), 5))))
    story.tell(6)
    examine(story)


def test_a_disk_that_is_full_starts_nothing(tmp_path: Path) -> None:
    class FullDisk(PosixDisk):
        full = False

        def write(self, path: Path, data: bytes) -> None:
            if self.full and path.name == ".history.json.new":
                raise OSError(28, "No space left on device")
            super().write(path, data)

    disk, site = FullDisk(), SoftwareSite()
    site.clock.now = NOW
    machine = SoftwareMachine(site, tmp_path / "agent", disk=disk).enrol()
    site.offer(policy(*OFFERS))
    assert isinstance(machine, SoftwareMachine)
    software = machine.started()
    machine.contact_with(software)
    disk.full = True
    software.run_out(threading.Event())
    assert machine.runner.orders == []
    assert "cannot be kept: No space left on device" in machine.log()
    disk.full = False
    software.run_out(threading.Event())
    assert len(machine.runner.orders) == 2
