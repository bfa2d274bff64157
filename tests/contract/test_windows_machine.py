"""The way to a machine and its logon, against the file server of a real Samba domain: it shows its services as Windows
does, and cannot change them."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from socket import create_server

import pytest

if not (find_spec("impacket") and find_spec("ldap")):
    pytest.skip("the extras `windows` and `directory` are not installed", allow_module_level=True)

from impacket.dcerpc.v5 import scmr

from keyturn.adapters.windows_machines import session
from keyturn.adapters.windows_machines.calls import Calls
from keyturn.adapters.windows_machines.machine import Machine
from keyturn.adapters.windows_machines.session import reach
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.windows import MachineError, Service
from tests.samba import Samba, running
from tests.story.agent_site import MemorySite
from tests.windows import Managing

RIGHT, WRONG = Secret("Turn-the-key-0001"), Secret("not the password of anybody")


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running(file_server=True) as samba:
        yield samba


@pytest.fixture(scope="module")
def manager(samba: Samba) -> str:
    return made(samba, "Domain Admins")


def made(samba: Samba, group: str) -> str:
    name = f"kt-{secrets.token_hex(4)}"
    samba.adlab("ex", "dc1", "samba-tool", "user", "create", name, RIGHT.reveal())
    samba.adlab("ex", "dc1", "samba-tool", "group", "addmembers", group, name)
    samba.converge()
    return f"CORP\\{name}"


@pytest.fixture
def machine(samba: Samba, manager: str) -> Iterator[Machine]:
    with reach(host(samba)) as reached:
        machine = reached.log_on(manager, RIGHT)
        assert isinstance(machine, Machine)
        yield machine


def host(samba: Samba) -> str:
    return samba.share.split("\\")[2]


def test_services_show_whom_they_run_as(machine: Machine) -> None:
    assert machine.service("Spooler") == Service("LocalSystem", False)


def test_a_service_that_is_not_there_is_told(machine: Machine) -> None:
    with pytest.raises(MachineError, match="no such service"):
        machine.service("MSSQLSERVER")


def test_a_machine_that_cannot_change_services_says_so_and_stays_as_it_is(machine: Machine) -> None:
    with pytest.raises(MachineError, match="as Windows documents it"):
        machine.change_service("Spooler", "CORP\\kt-somebody", RIGHT)
    assert machine.service("Spooler").runs_as == "LocalSystem"


def test_a_machine_without_a_task_scheduler_says_so(machine: Machine) -> None:
    with pytest.raises(MachineError, match="atsvc: it offers no such service"):
        machine.task("\\Backup\\Nightly")


def test_a_wrong_password_counts_once(samba: Samba) -> None:
    account = made(samba, "Domain Admins")
    with reach(host(samba)) as reached:
        assert reached.log_on(account, WRONG) is Answer.WRONG_PASSWORD
    assert samba.bad_counts(account.partition("\\")[2]) == 1


def test_whoever_administers_nothing_is_told_so(samba: Samba) -> None:
    account = made(samba, "Domain Guests")
    with reach(host(samba)) as reached:
        machine = reached.log_on(account, RIGHT)
        assert isinstance(machine, Machine)
        with pytest.raises(MachineError, match="may not do this") as caught:
            machine.change_service("Spooler", account, RIGHT)
    assert caught.value.code == 5
    assert samba.bad_counts(account.partition("\\")[2]) == 0


def test_calls_are_sealed_by_a_second_logon_with_the_same_password(samba: Samba, manager: str) -> None:
    """As the Task Scheduler of Windows demands it; here it is the Service Control Manager that takes it."""
    with reach(host(samba)) as reached:
        machine = reached.log_on(manager, RIGHT)
        assert isinstance(machine, Machine)
        calls = Calls(host(samba), machine._pipe("svcctl")).sealed(manager, RIGHT).bind(scmr.MSRPC_UUID_SCMR)
        assert scmr.hROpenSCManagerW(calls.rpc, dwDesiredAccess=scmr.SC_MANAGER_CONNECT)["ErrorCode"] == 0
    assert samba.bad_counts(manager.partition("\\")[2]) == 0


@pytest.mark.parametrize(
    ("known", "said", "counted"),
    [(RIGHT, "runs as LocalSystem, not as CORP\\svc-sql", 0), (WRONG, "does not let CORP", 1)],
)
def test_an_agent_logs_on_with_its_own_account_and_never_twice_with_a_wrong_password(
    samba: Samba, tmp_path: Path, known: Secret, said: str, counted: int
) -> None:
    """The site in memory takes `known` for the password; the domain knows better."""
    account, site = made(samba, "Domain Admins"), MemorySite()
    for name in (account, "CORP\\svc-sql"):
        site.realm.set_password(name, known.reveal())
        site.publish(name, 1, known.reveal())
    agent = Managing(site, tmp_path / "agent", reach=reach)
    agent.enrol()
    agent.settings(f"""
        [[consumer]]
        account = 'CORP\\svc-sql'
        host = "{host(samba)}"
        service = "Spooler"
        manage_as = '{account}'
        """)
    reasons = [trouble.reason for _ in range(5) for trouble in agent.troubles()]
    assert any(said in reason for reason in reasons), reasons
    assert samba.bad_counts(account.partition("\\")[2]) == counted


def test_nothing_is_presented_where_nothing_is_encrypted(samba: Samba, manager: str) -> None:
    with (
        samba.file_server_with("server smb encrypt = off"),
        pytest.raises(MachineError, match="no encrypted SMB 3"),
        reach(host(samba)),
    ):
        pass
    assert samba.bad_counts(manager.partition("\\")[2]) == 0


def test_a_machine_that_is_not_there_is_told() -> None:
    with pytest.raises(MachineError, match=r"127\.0\.0\.77 does not answer on port 445"), reach("127.0.0.77"):
        pass


def test_a_machine_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "CONNECT_S", 1)
    with closing(create_server(("127.0.0.78", 445))), pytest.raises(MachineError), reach("127.0.0.78"):
        pass
