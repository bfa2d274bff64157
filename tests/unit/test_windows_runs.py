"""What the Windows runner decides before it asks Windows: the rest of it nobody has run."""

import pytest

from keyturn.adapters.runners.windows.orders import (
    Session,
    console_first,
    local_folders,
    network_identity,
    parts_of,
    password_of,
)
from keyturn.distribution.presenting import Presentable, SharePath
from keyturn.distribution.run_context import (
    AsUser,
    ExecuteAs,
    LocalSystem,
    LoggedOnUser,
    Machine,
    RaisedAccount,
    RealmAccount,
    TokenAccount,
)
from keyturn.distribution.running import RunOrder
from keyturn.model.errors import Refused
from keyturn.model.secret import Secret

READER = Presentable(RealmAccount("CORP\\reader"), Secret("Turn-the-key-0001"))
INSTALLER = Presentable(RealmAccount("CORP\\installer"), Secret("Turn-the-key-0002"))


def order(who: ExecuteAs, *identities: Presentable) -> RunOrder:
    shares = (SharePath(r"\\files\apps", identities),) if identities else ()
    return RunOrder("run-1", "setup.exe", r"C:\cache", who, shares)


PRESENTED: list[tuple[ExecuteAs, tuple[Presentable, ...], Presentable | None]] = [
    (LocalSystem(), (), None),
    (LocalSystem(), (Presentable(Machine()),), None),
    (LocalSystem(), (Presentable(Machine()), READER, INSTALLER), READER),
    (LoggedOnUser("alice"), (Presentable(AsUser("alice")), READER), None),
    (TokenAccount(), (READER,), None),
    (RaisedAccount("CORP\\installer"), (INSTALLER,), None),
]


@pytest.mark.parametrize(("who", "identities", "expected"), PRESENTED)
def test_local_system_alone_is_somebody_else_on_the_network(
    who: ExecuteAs, identities: tuple[Presentable, ...], expected: Presentable | None
) -> None:
    assert network_identity(order(who, *identities)) == expected


def test_an_account_that_runs_a_program_logs_on_with_its_own_password() -> None:
    who = RaisedAccount("CORP\\installer")
    assert password_of(who, order(who, READER, INSTALLER)) is INSTALLER


def test_an_account_whose_password_did_not_come_is_refused_by_name() -> None:
    who = RaisedAccount("CORP\\installer")
    with pytest.raises(Refused, match=r"CORP\\installer"):
        password_of(who, order(who, READER))


@pytest.mark.parametrize(
    ("account", "parts"), [("CORP\\name", ("CORP", "name")), ("name", (".", "name")), ("a\\b\\c", ("a\\b", "c"))]
)
def test_an_account_is_a_realm_and_a_name(account: str, parts: tuple[str, str]) -> None:
    assert parts_of(account) == parts


def test_a_path_keeps_folders_of_this_machine_alone() -> None:
    path = r"C:\Windows\System32;\\files\tools;S:\tools; ;C:\Windows"
    assert local_folders(path, lambda folder: folder.startswith("S:")) == r"C:\Windows\System32;C:\Windows"


def test_whoever_is_at_the_console_comes_first_and_services_are_nobody() -> None:
    sessions = [Session(0, ""), Session(2, "bob"), Session(1, "alice"), Session(3, "alice")]
    assert console_first(sessions, 1) == ("alice", "bob")
