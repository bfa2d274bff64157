"""A new password reaches services and tasks of Windows machines before the agent proves it, with never more than one
wrong logon for it. The machine is one in memory: no Windows was at hand."""

from pathlib import Path

import pytest

from keyturn.agent.consumers.windows_record import works
from keyturn.agent.turns import put_right
from keyturn.lockout.policy import Standing
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from tests.story.agent_site import MemorySite
from tests.windows import Managing, MemoryService, MemoryTask, MemoryWindows

SQL, SQL2, MANAGE = "CORP\\svc-sql", "CORP\\svc-sql2", "CORP\\svc-manage"
OLD, NEW = "first password of the account", "second {name} \\ password\xe9"
MANAGING = "what the manager logs on with"
SERVICE = f"""
[[consumer]]
account = '{SQL}'
host = "win1.corp.example"
service = "MSSQLSERVER"
manage_as = '{MANAGE}'
"""
TASK = f"""
[[consumer]]
account = '{SQL}'
host = "win1.corp.example"
task = '\\Backup\\Nightly'
manage_as = '{MANAGE}'
"""


@pytest.fixture
def site() -> MemorySite:
    site = MemorySite()
    for account, password in ((MANAGE, MANAGING), (SQL, OLD)):
        site.realm.set_password(account, password)
        site.publish(account, 1, password)
    return site


@pytest.fixture
def win1(site: MemorySite) -> MemoryWindows:
    return MemoryWindows(
        site.realm, MANAGE, {"MSSQLSERVER": MemoryService(SQL, OLD)}, {"\\Backup\\Nightly": MemoryTask(SQL, OLD)}
    )


@pytest.fixture
def machine(site: MemorySite, win1: MemoryWindows, tmp_path: Path) -> Managing:
    machine = Managing(site, tmp_path / "agent", reach=win1.reach)
    machine.enrol()
    return machine


def change(site: MemorySite) -> None:
    site.realm.set_password(SQL, NEW)
    site.publish(SQL, 2, NEW)


def cycle(site: MemorySite) -> None:
    site.realm.set_password(SQL2, NEW)
    site.publish(SQL2, 1, NEW, succeeds=(SQL,))


def settled(machine: Managing, text: str) -> None:
    """Everybody has the first generation, as the agent knows."""
    machine.settings(text)
    machine.contact()
    assert machine.troubles() == []


# Services.


def test_a_service_is_restarted_with_the_new_password_before_it_is_proven(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    change(site)
    assert machine.troubles() == []
    service = win1.services["MSSQLSERVER"]
    assert (service.runs_as, service.password, service.running) == (SQL, NEW, True)
    assert site.proofs[-1] == ("PC-0001", SQL, 2, Answer.ACCEPTED)
    assert site.realm.wrong(SQL) == site.realm.wrong(MANAGE) == 0
    assert machine.has_it() == [True]


def test_a_service_that_has_the_password_is_not_restarted_again(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    machine.settings(SERVICE + SERVICE.replace("MSSQLSERVER", "missing"))
    starts = win1.services["MSSQLSERVER"].starts
    change(site)
    for _ in range(3):
        [trouble] = machine.troubles()
        assert trouble.consumer == "win1.corp.example, service missing"
        assert "no such service" in trouble.reason
    assert win1.services["MSSQLSERVER"].starts == starts + 1


def test_the_same_password_handed_out_anew_restarts_nothing(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    starts = win1.services["MSSQLSERVER"].starts
    put_right(machine.home, machine.client(), machine.parts)
    assert machine.troubles() == []
    assert win1.services["MSSQLSERVER"].starts == starts


def test_a_service_of_somebody_else_is_left_alone_and_named(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    win1.services["MSSQLSERVER"].runs_as = "LocalSystem"
    machine.settings(SERVICE)
    machine.contact()
    [trouble] = machine.troubles()
    assert "runs as LocalSystem, not as CORP\\svc-sql" in trouble.reason
    assert win1.services["MSSQLSERVER"] == MemoryService("LocalSystem", OLD)


def test_a_service_that_spells_the_account_otherwise_keeps_its_spelling(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    win1.services["MSSQLSERVER"].runs_as = "svc-sql@corp.example"
    site.realm.passwords["svc-sql@corp.example"] = site.realm.passwords[SQL]
    site.realm.standings["svc-sql@corp.example"] = Standing()
    settled(machine, SERVICE + "runs_as = 'SVC-SQL@corp.example'\n")
    change(site)
    assert machine.troubles() == []
    assert win1.services["MSSQLSERVER"].runs_as == "svc-sql@corp.example"
    assert win1.services["MSSQLSERVER"].password == NEW


def test_a_cycle_moves_the_service_to_the_second_account(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    cycle(site)
    assert machine.troubles() == []
    service = win1.services["MSSQLSERVER"]
    assert (service.runs_as, service.password, service.running) == (SQL2, NEW, True)


def test_a_service_that_cannot_log_on_gets_back_what_it_had_and_is_not_tried_again(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    win1.rights = frozenset({SQL})
    cycle(site)
    [trouble] = machine.troubles()
    assert "code 1069" in trouble.reason
    assert "runs again with the one before" in trouble.reason
    service = win1.services["MSSQLSERVER"]
    assert (service.runs_as, service.password, service.running) == (SQL, OLD, True)
    starts = service.starts
    [trouble] = machine.troubles()
    assert "keyturn agent reinstall" in trouble.reason
    assert service.starts == starts
    assert not [proof for proof in site.proofs if proof[1] == SQL2]


def test_a_password_that_the_realm_does_not_know_costs_the_account_one_wrong_logon(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    site.publish(SQL, 2, NEW)
    for _ in range(10):
        assert machine.troubles()
    assert site.realm.wrong(SQL) == 1
    assert win1.services["MSSQLSERVER"].running


def test_after_it_was_put_right_the_password_is_tried_once_more(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    site.publish(SQL, 2, NEW)
    assert machine.troubles()
    site.realm.set_password(SQL, NEW)
    put_right(machine.home, machine.client(), machine.parts)
    assert machine.troubles() == []
    assert win1.services["MSSQLSERVER"].password == NEW


def test_where_the_password_before_was_never_given_the_trouble_says_so(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    machine.contact()
    machine.settings(SERVICE)
    win1.rights = frozenset()
    [trouble] = machine.troubles()
    assert "was never given by this agent" in trouble.reason


def test_services_that_need_it_are_named_and_nothing_is_stopped(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    win1.services["MSSQLSERVER"].dependants = ("SQLSERVERAGENT", "Reports")
    change(site)
    [trouble] = machine.troubles()
    assert "SQLSERVERAGENT, Reports" in trouble.reason
    assert win1.services["MSSQLSERVER"].password == OLD


@pytest.mark.parametrize("running", [True, False])
def test_a_service_is_not_started_for_a_change_where_it_does_not_run_or_must_not_be_restarted(
    site: MemorySite, machine: Managing, win1: MemoryWindows, running: bool
) -> None:
    service = win1.services["MSSQLSERVER"]
    service.running = running
    settled(machine, SERVICE + ("restart = false\n" if running else ""))
    change(site)
    assert machine.troubles() == []
    assert (service.password, service.running, service.starts) == (NEW, running, 0)


@pytest.mark.parametrize("verb", ["change_service", "stop", "start"])
def test_an_answer_that_is_lost_is_asked_for_again(
    site: MemorySite, machine: Managing, win1: MemoryWindows, verb: str
) -> None:
    settled(machine, SERVICE)
    change(site)
    win1.dies_at = verb
    assert "did not finish" in machine.troubles()[0].reason
    win1.dies_at = ""
    assert machine.troubles() == []
    service = win1.services["MSSQLSERVER"]
    assert (service.password, service.running) == (NEW, True)
    assert site.realm.wrong(SQL) == 0


def test_what_was_cut_off_and_then_fails_gets_back_the_account_before(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    cycle(site)
    win1.dies_at = "stop"
    assert machine.troubles()
    win1.dies_at, win1.rights = "", frozenset({SQL})
    assert "runs again with the one before" in machine.troubles()[0].reason
    service = win1.services["MSSQLSERVER"]
    assert (service.runs_as, service.password, service.running) == (SQL, OLD, True)


# Tasks.


def test_a_task_has_the_new_password_before_it_is_proven(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, TASK)
    change(site)
    assert machine.troubles() == []
    assert win1.tasks["\\Backup\\Nightly"] == MemoryTask(SQL, NEW)
    assert machine.has_it() == [True]


def test_a_task_that_refuses_the_password_keeps_its_own_and_costs_one_wrong_logon(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, TASK)
    site.publish(SQL, 2, NEW)
    for _ in range(10):
        assert machine.troubles()
    assert site.realm.wrong(SQL) == 1
    assert win1.tasks["\\Backup\\Nightly"] == MemoryTask(SQL, OLD)


def test_a_lost_answer_of_a_task_costs_two_wrong_logons_at_the_most(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, TASK)
    site.publish(SQL, 2, NEW)
    win1.dies_at = "register"
    for _ in range(10):
        assert machine.troubles()
    assert site.realm.wrong(SQL) <= 2


def test_a_task_without_a_password_is_told(site: MemorySite, machine: Managing, win1: MemoryWindows) -> None:
    win1.tasks["\\Backup\\Nightly"].stores_password = False
    machine.settings(TASK)
    machine.contact()
    assert "without a password" in machine.troubles()[0].reason


def test_an_agent_with_new_keys_hands_over_anew(site: MemorySite, machine: Managing, win1: MemoryWindows) -> None:
    settled(machine, SERVICE)
    machine.enrol()
    machine.contact()
    change(site)
    assert machine.troubles() == []
    assert win1.services["MSSQLSERVER"].password == NEW


# The account that manages.


def test_nothing_is_presented_before_the_managing_account_is_proven(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    machine.settings(SERVICE)
    site.withdraw(MANAGE)
    [trouble] = machine.troubles()
    assert "holds no proven password of CORP\\svc-manage" in trouble.reason
    assert win1.hosts == []


def test_a_wrong_password_of_the_managing_account_is_presented_once_and_told(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    change(site)
    site.realm.set_password(MANAGE, "changed behind our back")
    site.share_down = True
    for _ in range(10):
        machine.contact()
    assert [who for who, account, _ in site.realm.logons if account == MANAGE].count("the agent") >= 1
    assert site.realm.wrong(MANAGE) == 1
    assert ("PC-0001", MANAGE, 1, Answer.WRONG_PASSWORD) in site.proofs


def test_a_machine_that_is_down_costs_nothing_and_is_tried_again(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE)
    change(site)
    win1.down = True
    for _ in range(5):
        assert "port 445" in machine.troubles()[0].reason
    win1.down = False
    assert machine.troubles() == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (SERVICE.replace(MANAGE, SQL), "manage_as must be REALM\\name of another account"),
        (SERVICE.replace(MANAGE, "svc-manage"), "manage_as must be REALM\\name of another account"),
        (SERVICE.replace("manage_as", "password"), "manage_as is missing"),
        (SERVICE.replace("host", "machine"), "host is missing"),
        (SERVICE + "restart = 'no'", "restart must be true or false"),
        (SERVICE + "task = '\\Backup'", "task is no key of it"),
        (TASK.replace("'\\Backup", "'Backup"), "task must be the path of a task"),
    ],
)
def test_a_mistake_in_the_settings_is_named_and_nothing_is_presented(
    site: MemorySite, machine: Managing, win1: MemoryWindows, text: str, wrong: str
) -> None:
    machine.settings(text)
    report, _ = machine.contact()
    assert wrong in report.failure
    assert win1.hosts == []


def test_no_password_stands_unsealed_in_the_agents_folder(
    site: MemorySite, machine: Managing, win1: MemoryWindows
) -> None:
    settled(machine, SERVICE + TASK)
    change(site)
    assert machine.troubles() == []
    files = [file.read_bytes() for file in machine.folder.rglob("*") if file.is_file()]
    assert repr(works(SQL, Secret(NEW))).count("secret") == 1
    for password in (OLD, NEW, MANAGING):
        assert not [content for content in files if password.encode() in content]
