"""The computer account and a user's own tickets at a file server of a real domain."""

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from keyturn.adapters.runners.posix.share_mounting import Mounted
from keyturn.adapters.shares.smb_content import SmbPoint
from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import NotLetIn, Presentable, SharePath
from keyturn.distribution.run_context import AsUser, Machine
from keyturn.model.logon import Answer
from tests.samba import Samba, running

COMPUTER = "PC-0001"
PERSON = "kt-person"
PASSWORD = "Turn-the-key-0001"
USER = "games"
"""Of this machine; whose tickets are those of the person."""


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    if not (find_spec("krb5") and find_spec("gssapi")):
        pytest.skip("the extra `kerberos` is not installed")
    with running(file_server=True) as samba:
        samba.put_on_share("setup.txt", "version=1\n")
        samba.adlab("ex", "dc1", "samba-tool", "computer", "create", COMPUTER)
        samba.adlab("ex", "dc1", "samba-tool", "group", "addmembers", "sms-readers", f"{COMPUTER}$")
        change_key(samba)
        keytab = str(samba.directory / "pc.keytab")
        samba.adlab("ex", "dc1", "samba-tool", "domain", "exportkeytab", keytab, f"--principal={COMPUTER}$")
        samba.adlab("ex", "dc1", "samba-tool", "user", "create", PERSON, PASSWORD)
        samba.adlab("ex", "dc1", "samba-tool", "group", "addmembers", "sms-readers", PERSON)
        samba.adlab("sync", "dc1", "dc2")
        yield samba


@pytest.fixture
def kerberos(samba: Samba) -> dict[str, str]:
    return {
        "KRB5_CONFIG": str(samba.kerberos_configuration()),
        "KRB5_KTNAME": str(samba.directory / "pc.keytab"),
    }


@pytest.fixture(autouse=True)
def configured(kerberos: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in kerberos.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def tickets(kerberos: dict[str, str]) -> Iterator[Path]:
    uid = pwd.getpwnam(USER).pw_uid
    cache = Path(f"/tmp/krb5cc_{uid}")
    subprocess.run(
        ["kinit", "-c", f"FILE:{cache}", f"{PERSON}@CORP.EXAMPLE"],
        input=PASSWORD,
        text=True,
        capture_output=True,
        check=True,
        env=os.environ | kerberos,
    )
    os.chown(cache, uid, -1)
    yield cache
    cache.unlink(missing_ok=True)


def test_the_computer_account_reads_content_with_the_key_of_the_machine(samba: Samba) -> None:
    assert read(samba, Presentable(Machine())) == ([Answer.ACCEPTED], b"version=1\n")


def test_the_computer_account_reaches_a_share_for_a_program(
    samba: Samba, kerberos: dict[str, str], tmp_path: Path
) -> None:
    shares = (SharePath(samba.share, (Presentable(Machine()),)),)
    with Mounted(tmp_path, shares, environment=kerberos) as mounted:
        assert mounted.path(samba.share + r"\setup.txt").read_text() == "version=1\n"
    assert [(access.identity, access.answer) for access in mounted.accesses] == [
        ("the computer account", Answer.ACCEPTED)
    ]


def test_a_user_reaches_a_share_with_the_tickets_of_that_users_session(samba: Samba, tickets: Path) -> None:
    assert read(samba, Presentable(AsUser(USER))) == ([Answer.ACCEPTED], b"version=1\n")


@pytest.mark.parametrize("put", ["link", "other owner", "second name"])
def test_tickets_that_could_be_another_users_are_not_used(
    samba: Samba, tickets: Path, tmp_path: Path, put: str
) -> None:
    if put == "link":
        shutil.move(tickets, tmp_path / "tickets")
        tickets.symlink_to(tmp_path / "tickets")
    elif put == "other owner":
        os.chown(tickets, 0, -1)
    else:
        os.link(tickets, tickets.with_name("krb5cc_second"))
    try:
        refused = read(samba, Presentable(AsUser(USER)))
    finally:
        tickets.with_name("krb5cc_second").unlink(missing_ok=True)
    assert refused == ([None], b"")


def test_a_computer_account_whose_key_is_old_is_called_so(samba: Samba) -> None:
    for _ in range(3):  # a controller may take the last few
        change_key(samba)
    samba.adlab("sync", "dc1", "dc2")
    assert read(samba, Presentable(Machine())) == ([Answer.WRONG_PASSWORD], b"")


def change_key(samba: Samba) -> None:
    new = f"--newpassword={secrets.token_urlsafe(20)}-Aa1"
    samba.adlab("ex", "dc1", "samba-tool", "user", "setpassword", f"{COMPUTER}$", new)


def read(samba: Samba, identity: Presentable) -> tuple[list[Answer | None], bytes]:
    noted: list[Access] = []
    content = b""
    try:
        with SmbPoint(samba.share).reach(identity, 1, noted.append) as reached:
            content = b"".join(reached.read("setup.txt", 0))
    except NotLetIn:
        pass
    return [access.answer for access in noted], content
