"""What is asked of a Windows machine and what becomes of its answers, against a fake of its two services. No Windows
was at hand: `tests/windows_rpc.py` says what the fake is."""

from importlib.util import find_spec

import pytest

if not find_spec("impacket"):
    pytest.skip("the extra `windows` is not installed", allow_module_level=True)

from impacket.dcerpc.v5 import scmr, tsch

from keyturn.adapters.windows_machines.calls import Calls
from keyturn.adapters.windows_machines.codes import WIN32, win32_error
from keyturn.adapters.windows_machines.services import Services
from keyturn.adapters.windows_machines.tasks import Tasks
from keyturn.model.secret import Secret
from keyturn.wire.windows import LOGON_FAILED, Lost, MachineError, Service, Task
from tests.windows_rpc import KEY, FakeManager, FakeScheduler, FakeService

PASSWORD = Secret("second \\ 'password\" \xe9 \N{SNOWMAN}, longer than one block")
NAME = "MSSQLSERVER"
TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><LogonTrigger><UserId>CORP\\somebody</UserId></LogonTrigger></Triggers>
  <Principals>
    <Principal id="Author"><UserId>CORP\\svc-sql</UserId><LogonType>Password</LogonType></Principal>
  </Principals>
</Task>"""


def opened(manager: FakeManager, *lacks: type) -> Services:
    return Services(Calls("win1", manager.pipe(*lacks)), KEY)


def manager(**values: object) -> FakeManager:
    return FakeManager({NAME: FakeService("CORP\\svc-sql", **values)})  # type: ignore[arg-type]


def test_a_service_shows_its_account_and_who_needs_it() -> None:
    fake = manager(dependants=("SQLSERVERAGENT", "Reports"))
    assert opened(fake).service(NAME) == Service("CORP\\svc-sql", True, ("SQLSERVERAGENT", "Reports"))


def test_a_service_that_stands_still_is_told() -> None:
    assert opened(manager(state=scmr.SERVICE_STOPPED)).service(NAME) == Service("CORP\\svc-sql", False)


def test_account_and_password_are_changed_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    fake = manager()
    opened(fake).change(NAME, "CORP\\svc-sql2", PASSWORD)
    assert (fake.services[NAME].runs_as, fake.services[NAME].password) == ("CORP\\svc-sql2", PASSWORD.reveal())
    assert capfd.readouterr() == ("", ""), "the library prints the session's key"


def test_a_service_is_stopped_and_started_when_the_machine_says_so() -> None:
    fake = manager(lasting=2)
    services = opened(fake)
    services.stop(NAME, 30)
    assert fake.services[NAME].state == scmr.SERVICE_STOPPED
    services.start(NAME, 30)
    assert fake.services[NAME].state == scmr.SERVICE_RUNNING


def test_stopping_what_stands_still_and_starting_what_runs_changes_nothing() -> None:
    services = opened(manager(state=scmr.SERVICE_STOPPED))
    services.stop(NAME, 30)
    services.start(NAME, 30)
    services.start(NAME, 30)


def test_a_service_that_never_stops_is_named_with_the_time() -> None:
    with pytest.raises(MachineError, match=r"win1, service MSSQLSERVER did not stop within 0 s"):
        opened(manager(lasting=10**9)).stop(NAME, 0)


def test_a_failed_logon_of_a_service_is_told_apart() -> None:
    with pytest.raises(MachineError, match="could not log on") as caught:
        opened(manager(state=scmr.SERVICE_STOPPED, start_fails=1069)).start(NAME, 30)
    assert caught.value.code == 1069
    assert "Log on as a service" in caught.value.hint


def test_a_service_that_ends_while_it_starts_is_told_with_its_code() -> None:
    with pytest.raises(MachineError, match="ended by itself"):
        opened(manager(state=scmr.SERVICE_STOPPED, dies=1067)).start(NAME, 30)


def test_what_is_not_there_and_what_is_not_allowed_have_a_way_out() -> None:
    with pytest.raises(MachineError, match="win1, service nope: there is no such service") as caught:
        opened(manager()).service("nope")
    assert caught.value.hint
    denied = manager()
    denied.denied = True
    with pytest.raises(MachineError, match="may not do this") as caught:
        opened(denied).change(NAME, "CORP\\svc-sql", PASSWORD)
    assert caught.value.code == 5


def test_a_machine_that_cannot_change_services_says_so() -> None:
    with pytest.raises(MachineError, match="does not offer this call"):
        opened(manager(), scmr.RChangeServiceConfigW).change(NAME, "CORP\\svc-sql", PASSWORD)


@pytest.mark.parametrize("answer", [b"", b"\0" * 40, b"\x05\0\x02\x03" + b"\xff" * 40])
def test_an_answer_that_is_none_is_a_lost_one(answer: bytes) -> None:
    pipe = manager().pipe()
    services = Services(Calls("win1", pipe), KEY)
    pipe.garbage = answer
    with pytest.raises(Lost):
        services.service(NAME)


def test_a_task_shows_its_principal_and_not_who_triggers_it() -> None:
    tasks = Tasks(Calls("win1", FakeScheduler({"\\Backup\\Nightly": TASK}).pipe()))
    assert tasks.task("\\Backup\\Nightly") == Task("CORP\\svc-sql", True, TASK)


def test_a_task_is_registered_as_it_is_with_another_password() -> None:
    long = TASK.replace("</Task>", f"<!-- {'x' * 9000} --></Task>")
    fake = FakeScheduler({"\\Backup\\Nightly": long})
    tasks = Tasks(Calls("win1", fake.pipe()))
    tasks.register("\\Backup\\Nightly", tasks.task("\\Backup\\Nightly"), "CORP\\svc-sql", PASSWORD)
    kept = tsch.TASK_UPDATE | tsch.TASK_IGNORE_REGISTRATION_TRIGGERS
    assert fake.registered == [("\\Backup\\Nightly", long, kept, "CORP\\svc-sql", PASSWORD.reveal())]


@pytest.mark.parametrize(
    ("kind", "stores"), [("Password", True), ("S4U", False), ("InteractiveToken", False), ("Group", False)]
)
def test_only_some_tasks_keep_a_password(kind: str, stores: bool) -> None:
    definition = TASK.replace(">Password<", f">{kind}<")
    assert Tasks(Calls("win1", FakeScheduler({"\\a": definition}).pipe())).task("\\a").stores_password is stores


ENTITY = f'<!DOCTYPE Task [<!ENTITY a "b">]>{TASK.partition("?>")[2]}'


@pytest.mark.parametrize("definition", ["", "<Task", "<Task/>", ENTITY], ids=["nothing", "cut", "nobody", "entity"])
def test_a_definition_that_is_none_is_told(definition: str) -> None:
    with pytest.raises(MachineError, match="cannot be read"):
        Tasks(Calls("win1", FakeScheduler({"\\a": definition}).pipe())).task("\\a")


@pytest.mark.parametrize(("code", "words"), [(1326, "wrong name or password"), (1385, "no right"), (1909, "locked")])
def test_a_registration_says_why_the_account_was_refused(code: int, words: str) -> None:
    fake = FakeScheduler({"\\a": TASK}, refuses=0x80070000 | code)
    tasks = Tasks(Calls("win1", fake.pipe()))
    with pytest.raises(MachineError, match=words) as caught:
        tasks.register("\\a", tasks.task("\\a"), "CORP\\svc-sql", PASSWORD)
    assert caught.value.code == code
    assert PASSWORD.reveal() not in str(caught.value)


def test_a_task_that_is_not_there_is_told() -> None:
    with pytest.raises(MachineError, match="no such task"):
        Tasks(Calls("win1", FakeScheduler({}).pipe())).task("\\a")


def test_every_failed_logon_has_words_of_its_own() -> None:
    assert set(WIN32) >= LOGON_FAILED


def test_a_code_without_words_is_told_by_its_number() -> None:
    assert win32_error("win1", 4711).message == "win1: code 4711"
    assert win32_error("win1", 0x80041309).message == "win1: code 0x80041309"
