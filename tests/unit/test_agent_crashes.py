"""An agent is killed before and after everything it does: each step on its disk, each request and each answer.

Whatever was cut off, the next process finds its files whole, uses no number twice, presents no wrong password twice
without an answer, and ends where an undisturbed agent ends.
"""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field

import pytest

from keyturn.agent.disk import PosixDisk
from keyturn.agent.records import Standing
from keyturn.model.errors import NotFound, Refused
from keyturn.model.logon import Answer
from tests.story.agent_site import FIRST, SECOND, Machine, MemorySite


class Killed(BaseException):
    """Not an Exception: nothing in the agent may catch its own death."""


@dataclass
class Fate:
    """Counts steps, and kills at the chosen ones."""

    at: frozenset[int] = frozenset()
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps in self.at:
            raise Killed


@dataclass
class FatedDisk:
    """Syncing itself is left out: what matters is where the agent stops. A killed write leaves half of it."""

    fate: Fate
    disk: PosixDisk = field(default_factory=PosixDisk)
    synced: set = field(default_factory=set)

    def write(self, path, data):
        self.disk.write(path, data[: len(data) // 2])
        self.fate.step()
        self.disk.write(path, data)
        self.synced.discard(path)

    def sync(self, path):
        self.fate.step()
        self.synced.add(path)

    def replace(self, source, target):
        self.fate.step()
        assert source in self.synced or target.name == "status.json", "a name is given to what may not be on the disk"
        self.disk.replace(source, target)
        self.fate.step()

    def remove(self, path):
        self.fate.step()
        self.disk.remove(path)


class FatedSite(MemorySite):
    fate: Fate

    def __call__(self, request, headers):
        self.fate.step()
        reply = super().__call__(request, headers)
        self.fate.step()
        return reply


def story(machine: Machine, site: MemorySite) -> list[Callable[[], object]]:
    """Joined, first credential, password changed in place, second account, first withdrawn."""

    def set_and_publish(account, generation, password):
        site.realm.set_password(account, password)
        site.publish(account, generation, password)

    return [
        machine.enrol,
        lambda: set_and_publish(FIRST, 1, "first"),
        machine.contact,
        lambda: set_and_publish(FIRST, 2, "second"),
        machine.contact,
        lambda: set_and_publish(SECOND, 1, "other"),
        machine.contact,
        lambda: site.withdraw(FIRST),
        machine.contact,
    ]


def told_with_deaths(folder, at: frozenset[int]) -> tuple[Machine, FatedSite, int]:
    """The story, in which the agent dies at these steps and is started again each time."""
    fate, site = Fate(at), FatedSite()
    site.fate = fate
    machine = Machine(site, folder, disk=FatedDisk(fate))
    for act in story(machine, site):
        for _ in range(len(at) + 1):
            try:
                act()
                break
            except Killed:
                site.clock.now += 1
    fate.at = frozenset()
    return machine, site, fate.steps


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    machine, _, steps = told_with_deaths(tmp_path_factory.mktemp("undisturbed") / "agent", frozenset())
    assert [(c.account, c.generation, c.standing) for c in held(machine)] == [(SECOND, 1, Standing.PROVEN)]
    return steps


def held(machine):
    client = machine.client()
    client.credentials.refresh()
    return client.credentials.held()


def test_killed_once_anywhere_it_ends_where_it_would_have_ended(tmp_path, steps):
    assert steps > 60
    for step in range(1, steps + 1):
        machine, site, _ = told_with_deaths(tmp_path / str(step), frozenset({step}))
        machine.contact()
        assert [(c.account, c.generation, c.standing) for c in held(machine)] == [(SECOND, 1, Standing.PROVEN)], step
        assert site.refused == [], step
        assert {answer for *_, answer in site.realm.logons} == {Answer.ACCEPTED}, step
        assert ("PC-0001", SECOND, 1, Answer.ACCEPTED) in site.proofs, step


@pytest.mark.parametrize("stride", [17, pytest.param(2, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_killed_twice_it_never_holds_less_than_a_reinstallation_mends(tmp_path, steps, stride):
    for first in range(1, steps + 1, stride):
        for second in range(first + 1, steps + 20, stride):
            machine, site, _ = told_with_deaths(tmp_path / f"{first}-{second}", frozenset({first, second}))
            report, _ = machine.put_right()
            assert report.accepted, (first, second)
            assert {answer for *_, answer in site.realm.logons} == {Answer.ACCEPTED}, (first, second)
            assert site.refused == [], (first, second)


def test_dying_again_and_again_over_a_wrong_password_costs_two_attempts(tmp_path):
    machine, site = offered(tmp_path, "not the password")
    die_in_both_first_logons(machine, site)
    for step in range(1, 20):
        site.fate = Fate(frozenset({step}))
        with suppress(Killed):
            machine.contact()
    assert site.realm.wrong(FIRST) == 2, "the site sees that it is wrong, and lets it be presented no more"


def offered(folder, password: str) -> tuple[Machine, FatedSite]:
    """A machine that is to try `password`, where the realm has "the password"."""
    site = FatedSite()
    site.fate = Fate()
    machine = Machine(site, folder / "agent").enrol()
    site.realm.set_password(FIRST, "the password")
    site.publish(FIRST, 1, password)
    return machine, site


def die_in_both_first_logons(machine: Machine, site: FatedSite) -> None:
    answer_of_the_logon = 4
    for _ in range(2):
        site.fate = Fate(frozenset({answer_of_the_logon}))
        with pytest.raises(Killed):
            machine.contact()
    site.fate = Fate()
    assert [(c.standing, c.answer) for c in held(machine)] == [(Standing.REFUSED, None)]


@pytest.fixture
def died_twice(tmp_path):
    """Over a password that is right."""
    machine, site = offered(tmp_path, "the password")
    die_in_both_first_logons(machine, site)
    return machine


def test_who_died_in_both_first_logons_comes_back_by_itself(died_twice):
    report, status = died_twice.contact()
    assert report.accepted
    assert not status.orphaned
    assert [c.standing for c in held(died_twice)] == [Standing.PROVEN]


def test_dying_anywhere_on_the_way_back_is_no_end_either(died_twice):
    for step in range(1, 12):
        died_twice.site.fate = Fate(frozenset({step}))
        with suppress(Killed):
            died_twice.contact()
        died_twice.site.fate = Fate()
    assert died_twice.contact()[0].accepted
    assert died_twice.site.realm.wrong(FIRST) == 0


def test_while_the_site_cannot_tell_whether_it_is_right_it_is_not_presented(died_twice):
    site = died_twice.site
    site.waits[FIRST] = 5.0
    logons = len(site.realm.logons)
    died_twice.contact()
    assert len(site.realm.logons) == logons
    del site.waits[FIRST]
    assert died_twice.contact()[0].accepted


def test_what_a_realm_called_wrong_is_not_taken_up_by_itself(tmp_path):
    machine, site = offered(tmp_path, "not the password")
    machine.contact()
    site.realm.set_password(FIRST, "not the password")
    machine.contact()
    assert site.realm.wrong(FIRST) == 1
    assert len(site.realm.logons) == 1


def test_killed_while_joining_it_needs_a_new_token_and_nothing_else(tmp_path):
    site = FatedSite()
    for step in range(1, 40):
        site.fate = Fate(frozenset({step}))
        machine = Machine(site, tmp_path / str(step), f"PC-{step:04d}", disk=FatedDisk(site.fate))
        try:
            machine.enrol()
        except Killed:
            with pytest.raises((NotFound, Refused)) if not (machine.folder / "keys").exists() else nullcontext():
                machine.home.keys()
            machine.enrol()
        else:
            return
    pytest.fail("the enrolment has more steps than that")
