"""`keyturn agent run` with programs to run, and `keyturn agent software`, verb by verb."""

import json
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result

from keyturn.agent.home import Home
from keyturn.agent.ports import SoftwareParts
from keyturn.agent.software.place import Place
from keyturn.agent.software.requests import Requests
from keyturn.cli.agent import agent
from keyturn.distribution.accesses import Access
from keyturn.model.errors import NotFound, Refused
from keyturn.model.logon import Answer
from keyturn.model.software import Afterwards, At, Rights
from tests.memory_runner import exits
from tests.policies import NETWORK, NOW, offer, policy
from tests.posix_runs import wait_until
from tests.story.software_site import SoftwareMachine, SoftwareSite


@pytest.fixture
def site() -> SoftwareSite:
    site = SoftwareSite()
    site.clock.now = NOW
    site.realm.set_password(NETWORK, "the password")
    site.publish(NETWORK, 1, "the password")
    return site


@pytest.fixture
def machine(site: SoftwareSite, tmp_path: Path) -> SoftwareMachine:
    return SoftwareMachine(site, tmp_path / "agent").enrol()  # type: ignore[return-value]


def typed(machine: SoftwareMachine, *words: str, **others: Any) -> Result:
    def unused(*_: object) -> NoReturn:
        raise AssertionError("nothing here has content")

    needs = SoftwareParts(lambda *_: machine.runner, lambda *_: unused, unused, unused, computer=machine.computer)
    parts = SimpleNamespace(agent=replace(machine.parts, software=needs, **others))
    return CliRunner().invoke(agent, [*words, "--dir", str(machine.folder)], obj=parts)


def test_one_contact_runs_what_is_due_to_its_end(site, machine):
    site.offer(policy(offer(1), offer(2, assignments=())))
    assert typed(machine, "run", "--once").exit_code == 0
    shown = typed(machine, "software", "status")
    assert shown.stdout.splitlines() == [
        "PHX20001  succeeded    PHX00001 install",
        "          1970-01-12T13:46:40+00:00, exit code 0, as root",
        "PHX20002  waiting      PHX00002 install",
        "          it is optional; nobody has asked for it",
    ]
    assert "policy 1 of site PHX, good until" in shown.stderr
    assert [report.state.value for report in site.reports] == [
        "received", "received", "waiting", "running", "succeeded",
    ]  # fmt: skip


def test_programs_run_once_no_other_process_of_the_agent_runs_any(site, machine):
    site.offer(policy(offer(1)))
    place, contacts = Place(Home(machine.folder)), threading.current_thread()
    place.make()
    other = ExitStack()
    assert other.enter_context(place.alone())
    seen: list[list[str]] = []

    def wait(told: threading.Event, seconds: float) -> bool:
        if threading.current_thread() is not contacts:
            return told.wait(0.02)
        seen.append([report.state.value for report in site.reports])
        other.close()
        if len(seen) > 1:
            wait_until(lambda: any(report.state == "succeeded" for report in site.reports), "nothing ran")
            told.set()
        return told.is_set()

    assert typed(machine, "run", "--interval", "1", wait=wait).exit_code == 0
    assert seen[0] == [], "another process ran programs then"


def test_a_program_that_failed_is_shown_with_its_reason(site, machine):
    machine.runner.comes_to = exits(2)
    site.offer(policy(offer()))
    typed(machine, "run", "--once")
    assert typed(machine, "software", "status").stdout.splitlines() == [
        "PHX20001  failed       PHX00001 install",
        "          1970-01-12T13:46:40+00:00, exit code 2, as root",
        "          the program ended with a code that is no success: exit code 2",
        "          way out: its last lines stand in the client's log",
    ]
    [row] = json.loads(typed(machine, "software", "status", "--json").stdout)
    assert (row["state"], row["cause"], row["exit_code"]) == ("failed", "exit-code", 2)


def test_what_waits_says_for_what_and_until_when(site, machine):
    site.offer(policy(offer(1, assignments=(At(NOW + 60),)), offer(2, rights=Rights.USER)))
    typed(machine, "run", "--once")
    assert typed(machine, "software", "status").stdout.splitlines() == [
        "PHX20001  waiting      PHX00001 install",
        "          it is not its time yet",
        "          until 1970-01-12T13:47:40+00:00",
        "PHX20002  waiting      PHX00002 install",
        "          it waits for a user to log on",
    ]


def test_what_was_refused_a_share_says_who_where_and_the_way_out_within_80_columns(site, machine):
    share = r"\\files-of-the-second-floor.corp.example\applications"
    refused = Access(share, NETWORK, 1, Answer.NO_SHARE_ACCESS, 0xC0000022, 0.012)
    machine.runner.comes_to = exits(5, accesses=(refused,))
    site.offer(policy(offer(command_line=rf"./install.sh {share}\data.cab")))
    typed(machine, "run", "--once")
    shown = typed(machine, "software", "status").stdout
    assert max(map(len, shown.splitlines())) < 80
    for word in (share, NETWORK, "no-share-access", "0xc0000022", "way out: let the account read the share"):
        assert word in shown, "whole, to be copied from the screen"


def test_a_restart_that_is_needed_is_shown_and_not_made_where_that_is_forbidden(site, machine):
    site.offer(policy(offer(afterwards=Afterwards.CLIENT_RESTARTS)))
    assert typed(machine, "run", "--once", "--no-restart").exit_code == 0
    shown = typed(machine, "software", "status").stdout
    assert "the machine has not restarted since" in shown
    assert "--no-restart" in shown
    assert machine.computer.restarts == []
    [row] = json.loads(typed(machine, "software", "status", "--json").stdout)
    assert (row["state"], row["needs_restart"]) == ("succeeded", True)


def test_before_the_first_policy_there_is_nothing_to_show(machine):
    shown = typed(machine, "software", "status")
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, "", "no policy yet\n")


def test_a_person_runs_an_optional_program(site, machine):
    site.offer(policy(offer(assignments=())))
    typed(machine, "run", "--once")
    ran = typed(machine, "software", "run", "PHX20001")
    assert "succeeded" in ran.stdout
    assert len(machine.runner.orders) == 1


def test_without_a_running_agent_the_site_is_asked_first_as_the_agent_would(site, machine):
    site.offer(policy())
    typed(machine, "run", "--once")
    site.offer(policy(offer(assignments=()), counter=2))
    ran = typed(machine, "software", "run", "PHX20001")
    assert "succeeded" in ran.stdout, "it was offered since the last contact"
    assert ran.stderr == ""
    site.offer(policy(counter=3))
    site.clock.now += 1
    assert isinstance(typed(machine, "software", "run", "PHX20001").exception, NotFound), "and withdrawn since"


def test_without_a_site_that_answers_it_runs_by_the_policy_that_is_kept(site, machine):
    share = r"\\fs1\apps"
    site.offer(policy(offer(assignments=()), offer(2, assignments=(), command_line=rf"./install.sh {share}\x")))
    typed(machine, "run", "--once")
    site.down = True
    ran = typed(machine, "software", "run", "PHX20001")
    assert "succeeded" in ran.stdout
    assert "by the policy that is kept, for the contact failed: the site did not answer" in ran.stderr
    lent = typed(machine, "software", "run", "PHX20002")
    assert (lent.exit_code, lent.stdout.split()[1]) == (1, "failed"), "but presents nobody that it was not told to"
    assert "the site was not asked" in " ".join(lent.stdout.split())


def test_where_the_agent_runs_it_is_left_to_the_agent(site, machine):
    site.offer(policy(offer(assignments=())))
    typed(machine, "run", "--once")
    with machine.place.alone() as alone:
        assert alone
        left = typed(machine, "software", "run", "PHX20001")
    assert left.stderr == "the agent of this machine runs it within seconds\n"
    assert machine.runner.orders == []
    assert list(Requests(machine.place.path).all()) == ["PHX20001"]
    machine.once()
    assert len(machine.runner.orders) == 1
    assert Requests(machine.place.path).all() == {}


def test_what_is_not_offered_is_not_run(site, machine):
    site.offer(policy())
    typed(machine, "run", "--once")
    result = typed(machine, "software", "run", "../../etc/passwd")
    assert isinstance(result.exception, NotFound)
    assert "is not offered to PC-0001" in result.exception.message


def test_the_log_of_the_programs_is_shown(site, machine):
    missing = typed(machine, "software", "log")
    assert isinstance(missing.exception, NotFound)
    site.offer(policy(offer()))
    typed(machine, "run", "--once")
    shown = typed(machine, "software", "log", "--lines", "1")
    assert shown.stdout.count("<![LOG[") == 1
    assert "succeeded" in shown.stdout
    assert "there is a new policy" in typed(machine, "software", "log", "--name", "PolicyAgent").stdout


def test_a_second_process_only_contacts(site, machine):
    site.offer(policy(offer()))
    with machine.place.alone():
        typed(machine, "run", "--once")
    assert machine.runner.orders == []


def test_what_was_interrupted_is_repeated_only_for_a_person_who_says_so(site, machine):
    site.offer(policy(offer()))
    typed(machine, "run", "--once")
    history = machine.place.path / "history.json"
    history.write_bytes(history.read_bytes().replace(b'"succeeded"', b'"interrupted"'))
    result = typed(machine, "software", "run", "PHX20001")
    assert isinstance(result.exception, Refused)
    assert result.exception.hint.endswith("keyturn agent software run --again")
    site.clock.now += 1
    assert "succeeded" in typed(machine, "software", "run", "PHX20001", "--again").stdout


def test_who_runs_a_program_by_hand_learns_from_the_exit_status_whether_it_failed(site, machine):
    site.offer(policy(offer(assignments=()), offer(2, assignments=(), rights=Rights.USER)))
    typed(machine, "run", "--once")
    site.clock.now += 1
    assert typed(machine, "software", "run", "PHX20001").exit_code == 0
    assert typed(machine, "software", "run", "PHX20002").exit_code == 0  # it waits for a user
    machine.runner.comes_to = exits(2)
    site.clock.now += 1
    failed = typed(machine, "software", "run", "PHX20001")
    assert (failed.exit_code, failed.stdout.split()[1]) == (1, "failed")


def test_a_client_without_any_account_that_did_its_software_has_not_failed(site, machine):
    site.published.clear()
    site.offer(policy(offer()))
    done = typed(machine, "run", "--once")
    assert (done.exit_code, len(machine.runner.orders)) == (0, 1)
    assert "nothing to present" in done.stderr


def test_what_a_person_does_with_software_can_be_read_by_a_program(site, machine):
    site.offer(policy(offer(assignments=())))
    typed(machine, "run", "--once")
    with machine.place.alone():
        assert json.loads(typed(machine, "software", "run", "PHX20001", "--json").stdout) == []
    site.clock.now += 1
    [row] = json.loads(typed(machine, "software", "run", "PHX20001", "--json").stdout)
    assert (row["state"], row["executed_as"]) == ("succeeded", "root")
    log = json.loads(typed(machine, "software", "log", "--lines", "2", "--json").stdout)
    assert log["file"].endswith("/execmgr.log")
    assert [line.startswith("<![LOG[") for line in log["lines"]] == [True, True]
