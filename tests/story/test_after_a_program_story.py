"""What becomes of the machine after a program: restarted by the client, by somebody, or its user logged off."""

import threading
import time
from pathlib import Path

import pytest

from keyturn.agent.software.afterwards import NOTICE_S, NeverRestarts
from keyturn.agent.software.looking import look
from keyturn.model.software import Afterwards, At, ClientKind, LoggedOn, Rerun, Rights
from tests.memory_computer import MemoryComputer
from tests.memory_runner import exits
from tests.policies import NOW, offer, policy
from tests.story.software_site import SoftwareMachine, SoftwareSite


@pytest.fixture
def site() -> SoftwareSite:
    site = SoftwareSite()
    site.clock.now = NOW
    return site


@pytest.fixture
def machine(site: SoftwareSite, tmp_path: Path) -> SoftwareMachine:
    return SoftwareMachine(site, tmp_path / "agent").enrol()  # type: ignore[return-value]


def last(site):
    return site.reports[-1]


def seen(machine):
    return look(machine.home, machine.client(), machine.parts.now()).rows


def test_the_client_restarts_the_machine_after_a_program_that_succeeded(site, machine):
    site.offer(policy(offer(afterwards=Afterwards.CLIENT_RESTARTS)))
    machine.once()
    assert machine.computer.restarts == [(0, "program PHX00001 install of advertisement PHX20001 needs it")]
    assert (last(site).state, last(site).reason) == ("succeeded", "this client restarts the machine for it")
    machine.computer.boots += 1
    machine.once()
    machine.once()
    assert len(machine.computer.restarts) == 1
    assert (last(site).state, last(site).reason) == ("succeeded", "the machine has restarted since")
    assert (last(site).exit_code, last(site).message_id) == (0, 0), "no second status message for the same success"
    assert len(machine.runner.orders) == 1


def test_whoever_is_logged_on_is_told_beforehand(site, machine):
    machine.runner.logged_on = ("mary",)
    site.offer(policy(offer(afterwards=Afterwards.CLIENT_RESTARTS)))
    machine.once()
    assert [after_s for after_s, _ in machine.computer.restarts] == [NOTICE_S]


@pytest.mark.parametrize(
    ("code", "afterwards", "kind", "reason"),
    [
        (3010, Afterwards.NOTHING, ClientKind.ADVANCED, "it asks for a restart of the machine"),
        (1641, Afterwards.LOGS_OFF, ClientKind.ADVANCED, "it asks for a restart of the machine"),
        (0, Afterwards.PROGRAM_RESTARTS, ClientKind.ADVANCED, "the machine is to restart for it"),
    ],
)
def test_a_restart_that_others_see_to_is_waited_for_until_the_machine_has_started_anew(
    site, machine, code, afterwards, kind, reason
):
    machine.runner.comes_to = exits(code)
    site.offer(policy(offer(afterwards=afterwards), kind=kind))
    for _ in range(2):
        machine.once()
        assert (last(site).state, last(site).reason) == ("succeeded", reason)
        assert [row.needs_restart for row in seen(machine)] == [True]
    machine.computer.boots += 1
    machine.once()
    assert last(site).reason == "the machine has restarted since"
    assert [row.needs_restart for row in seen(machine)] == [False]
    assert machine.computer.restarts == []
    assert machine.computer.logged_off == []


def test_a_program_that_failed_leaves_the_machine_as_it_is(site, machine):
    machine.runner.comes_to = exits(2)
    site.offer(policy(offer(afterwards=Afterwards.CLIENT_RESTARTS)))
    machine.once()
    assert machine.computer.restarts == []


def test_a_machine_that_may_not_be_restarted_is_not_and_the_site_hears_of_it(site, machine):
    computer, machine.computer = machine.computer, NeverRestarts(machine.computer)
    site.offer(policy(offer(afterwards=Afterwards.CLIENT_RESTARTS), offer(2)))
    machine.once()
    machine.once()
    assert computer.restarts == []
    mine = [report for report in site.reports if report.advertisement == "PHX20001"]
    assert mine[-1].state == "succeeded"
    assert "told never to restart its machine (--no-restart)" in mine[-1].reason
    assert "--no-restart" in machine.log()
    assert [row.needs_restart for row in seen(machine)] == [True, False]
    assert len(machine.runner.orders) == 2, "everything else goes on"
    computer.boots += 1
    machine.once()
    assert last(site).reason == "the machine has restarted since"


def test_nothing_new_starts_before_a_restart_that_is_at_hand(site, machine):
    site.offer(policy(offer(1, afterwards=Afterwards.CLIENT_RESTARTS)))
    machine.once()
    site.offer(policy(offer(1, afterwards=Afterwards.CLIENT_RESTARTS), offer(2), counter=2))
    machine.once()
    assert len(machine.runner.orders) == 1
    assert (last(site).advertisement, last(site).reason) == ("PHX20002", "it waits for the restart of the machine")
    machine.computer.boots += 1
    machine.once()
    assert len(machine.runner.orders) == 2


def test_the_machine_is_not_restarted_while_another_program_runs_and_one_that_hangs_holds_up_nobody_else(site, machine):
    hung = threading.Event()

    def hangs(order):
        if order.command_line == "./hangs":
            hung.wait(60)
        return exits()(order)

    machine.runner.comes_to = hangs
    restarts = offer(2, afterwards=Afterwards.CLIENT_RESTARTS)
    site.offer(policy(offer(1, command_line="./hangs"), restarts, offer(3)))
    software, stop = machine.started(), threading.Event()
    machine.contact_with(software)

    def turns_until(ran: int) -> None:
        deadline = time.monotonic() + 60
        while len(ended(software)) < ran and time.monotonic() < deadline:
            software.turn(stop)
            time.sleep(0.01)

    turns_until(1)
    software.turn(stop)
    assert ended(software) == {"PHX20002"}
    assert len(machine.runner.orders) == 2, "the third waits for the restart"
    site.clock.now += 601
    turns_until(2)
    assert ended(software) == {"PHX20002", "PHX20003"}
    assert machine.computer.restarts == []
    hung.set()
    software.finish()
    software.turn(stop)
    assert len(machine.computer.restarts) == 1
    software.turn(stop)
    assert len(machine.computer.restarts) == 1


def ended(software):
    return {run.advertisement for run in software.history.kept.runs if run.state == "succeeded"}


def test_a_restart_that_was_ordered_by_an_agent_that_died_is_ordered_again(site, machine):
    site.offer(policy(offer(afterwards=Afterwards.CLIENT_RESTARTS)))
    machine.once()
    machine.once()
    assert len(machine.computer.restarts) == 2


def test_the_user_that_it_ran_for_is_logged_off(site, machine):
    machine.runner.logged_on = ("mary", "john")
    users = offer(
        rights=Rights.USER, logged_on=LoggedOn.USER_LOGGED_ON, every_user=True, afterwards=Afterwards.LOGS_OFF
    )
    site.offer(policy(users))
    machine.once()
    assert sorted(machine.computer.logged_off) == ["john", "mary"]
    told = {report.reason for report in site.reports}
    assert told > {"john was logged off after it", "mary was logged off after it"}
    machine.once()
    assert len(machine.computer.logged_off) == 2


def test_one_that_could_not_be_logged_off_is_told(site, machine):
    machine.runner.logged_on = ("mary",)
    machine.computer = MemoryComputer(cannot=True)
    site.offer(policy(offer(afterwards=Afterwards.LOGS_OFF)))
    machine.once()
    assert last(site).state == "succeeded"
    assert "mary was not logged off after it: this machine has no loginctl" in last(site).reason


def test_a_logoff_that_an_agent_that_died_had_still_to_do_is_not_made_up_for(site, machine):
    machine.runner.logged_on = ("mary",)
    site.offer(policy(offer(afterwards=Afterwards.LOGS_OFF)))
    software = machine.started()
    machine.contact_with(software)
    software.turn(threading.Event())
    software.finish()
    machine.once()
    assert machine.computer.logged_off == []


def test_a_program_that_runs_each_day_restarts_the_machine_each_day(site, machine):
    daily = offer(assignments=(At(NOW, 86400),), rerun=Rerun.ALWAYS, afterwards=Afterwards.CLIENT_RESTARTS)
    site.offer(policy(daily))
    for _ in range(3):
        machine.once()
        machine.computer.boots += 1
        site.clock.now += 86400
    assert len(machine.computer.restarts) == 3
