"""A real file server of a real domain keeps the contract of every access point, by NTLM and by Kerberos."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.adapters.shares.smb import SmbShare
from keyturn.agent.ports import Share
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.wire.agent import FOLDER, SITE_FILE, NoAnswer, Reading
from tests.contract.share_contract import WRONG, Reader, ShareContract, read
from tests.samba import OURS, READERS, REALM, Samba, running

RIGHT = Secret("Turn-the-key-0001")
LONG_AGO = 130_000_000_000_000_000
"""A moment of 2012, as `accountExpires` writes it."""
NO_HOURS = b"\0" * 21


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running(file_server=True) as samba:
        samba.set_policy(RealmPolicy(lockout_threshold=5, history=24))
        samba.put_on_share(f"{FOLDER}/{SITE_FILE}", '{"site":"PHX"}')
        samba.put_on_share(f"{FOLDER}/long.acc", json.dumps("x" * 200_000))
        samba.put_on_share(f"{FOLDER}/empty.acc", "")
        samba.put_on_share(f"{FOLDER}/closed.acc", "{}")
        (samba.shared / FOLDER / "closed.acc").chmod(0o600)
        yield samba


@pytest.fixture
def authority(samba: Samba) -> Authority:
    return open_authority(samba.realm(), lambda: OURS)


@pytest.fixture
def account(samba: Samba, authority: Authority) -> Iterator[Account]:
    account = authority.create(AccountToBe(REALM, f"kt-{secrets.token_hex(4)}"), RIGHT)
    authority.grant(account, Rights(groups=frozenset({READERS})))
    samba.converge()
    yield account
    authority.delete(account)


@pytest.fixture
def reader(samba: Samba, authority: Authority, account: Account) -> Reader:
    def disable() -> None:
        authority.disable(account)
        samba.converge()

    return Reader(str(account), RIGHT, lambda: samba.bad_counts(account.name), disable)


class TestNtlm(ShareContract):
    @pytest.fixture
    def share(self, samba: Samba) -> Share:
        return SmbShare(samba.share, LogonProtocol.NTLM)

    @pytest.fixture
    def unreachable(self) -> Share:
        return SmbShare(r"\\127.0.0.1\cap", LogonProtocol.NTLM)


class TestKerberos(ShareContract):
    locked = Answer.REVOKED
    disabled = Answer.REVOKED

    @pytest.fixture(autouse=True)
    def configured(self, samba: Samba, monkeypatch: pytest.MonkeyPatch) -> None:
        if not (find_spec("krb5") and find_spec("gssapi")):
            pytest.skip("the extra `kerberos` is not installed")
        monkeypatch.setenv("KRB5_CONFIG", str(samba.kerberos_configuration()))

    @pytest.fixture
    def share(self, samba: Samba) -> Share:
        return SmbShare(samba.share, LogonProtocol.KERBEROS)

    @pytest.fixture
    def unreachable(self) -> Share:
        return SmbShare(r"\\127.0.0.1\cap", LogonProtocol.KERBEROS)

    def test_a_password_that_must_be_changed_is_told(self, samba: Samba, share: Share, reader: Reader) -> None:
        change(samba, reader, pwdLastSet=0)
        assert read(share, reader) == Reading(Answer.PASSWORD_EXPIRED)
        assert reader.bad_counts() == 0

    def test_no_controller_that_answers_is_no_answer(
        self, samba: Samba, share: Share, reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        nowhere = tmp_path / "krb5.conf"
        nowhere.write_text(samba.kerberos_configuration().read_text().replace(samba.hosts[0], "127.0.0.1:1"))
        monkeypatch.setenv("KRB5_CONFIG", str(nowhere))
        with pytest.raises(NoAnswer, match="Kerberos"):
            read(share, reader)


@pytest.fixture
def share(samba: Samba) -> Share:
    return SmbShare(samba.share, LogonProtocol.NTLM)


def change(samba: Samba, reader: Reader, **values: object) -> None:
    dn = samba.dn(reader.name.partition("\\")[2])
    for host in samba.hosts:
        samba.write(dn, host, **values)
    samba.converge()


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"accountExpires": LONG_AGO}, Answer.ACCOUNT_EXPIRED),
        ({"pwdLastSet": 0}, Answer.MUST_CHANGE),
        ({"userWorkstations": "ELSEWHERE"}, Answer.NOT_FROM_HERE),
        ({"logonHours": NO_HOURS}, Answer.NOT_AT_THIS_HOUR),
    ],
    ids=["expired", "must change", "workstation", "hours"],
)
def test_an_account_that_is_barred_is_told_why_and_nothing_is_counted(
    samba: Samba, share: Share, reader: Reader, values: dict[str, object], answer: Answer
) -> None:
    change(samba, reader, **values)
    assert read(share, reader) == Reading(answer)
    assert reader.bad_counts() == 0
    assert read(share, reader, WRONG) == Reading(Answer.WRONG_PASSWORD)


def test_an_account_outside_the_readers_is_let_in_and_then_not_into_the_share(
    samba: Samba, authority: Authority, share: Share
) -> None:
    account = authority.create(AccountToBe(REALM, f"kt-{secrets.token_hex(4)}"), RIGHT)
    samba.converge()
    stranger = Reader(str(account), RIGHT, lambda: samba.bad_counts(account.name), lambda: None)
    assert read(share, stranger) == Reading(Answer.NO_SHARE_ACCESS)
    assert stranger.bad_counts() == 0
    authority.delete(account)


def test_a_file_that_readers_may_not_read_is_told_from_one_that_is_not_there(share: Share, reader: Reader) -> None:
    assert read(share, reader, name="closed.acc") == Reading(Answer.NO_FILE_ACCESS)


def test_a_share_that_is_not_there_is_told(samba: Samba, reader: Reader) -> None:
    gone = SmbShare(samba.share.replace("cap", "gone"), LogonProtocol.NTLM)
    assert read(gone, reader) == Reading(Answer.NO_SHARE)


def test_folders_below_the_share_are_part_of_its_name(samba: Samba, reader: Reader) -> None:
    samba.put_on_share(f"PHX/{FOLDER}/{SITE_FILE}", '{"site":"BELOW"}')
    deeper = SmbShare(samba.share + "\\PHX", LogonProtocol.NTLM)
    assert read(deeper, reader) == Reading(Answer.ACCEPTED, b'{"site":"BELOW"}')


@pytest.mark.parametrize("name", ["long.acc", "empty.acc"])
def test_a_file_comes_whole(samba: Samba, share: Share, reader: Reader, name: str) -> None:
    assert read(share, reader, name=name).content == (samba.shared / FOLDER / name).read_bytes()


def test_a_name_that_no_machine_has_is_told(reader: Reader) -> None:
    with pytest.raises(NoAnswer, match=r"no machine is called fs9\.invalid"):
        read(SmbShare(r"\\fs9.invalid\cap", LogonProtocol.NTLM), reader)


@pytest.mark.parametrize("option", ["server smb encrypt = off", "server max protocol = SMB2_10"])
def test_a_server_that_can_be_listened_to_is_left_before_a_password_is_used(
    samba: Samba, share: Share, reader: Reader, option: str
) -> None:
    with samba.file_server_with(option):
        until = time.monotonic() + 60
        while not_refused(share, reader):
            assert time.monotonic() < until, "the file server does not follow its settings"
        with pytest.raises(NoAnswer, match="no encrypted SMB 3"):
            read(share, reader, WRONG)
    assert reader.bad_counts() == 0


def left_behind() -> list[threading.Thread]:
    """The library's workers, by the name it gives them, and our deadlines."""
    return [t for t in threading.enumerate() if t.name.startswith("msg_worker") or isinstance(t, threading.Timer)]


def not_refused(share: Share, reader: Reader) -> bool:
    with suppress(NoAnswer):
        return read(share, reader).answer is Answer.ACCEPTED
    return False


def test_reading_leaves_no_thread_and_no_session_behind(samba: Samba, share: Share, reader: Reader) -> None:
    for _ in range(5):
        read(share, reader)
        read(share, reader, name="nobody.acc")
    samba.shared.chmod(0o700)
    assert read(share, reader) == Reading(Answer.NO_FILE_ACCESS)
    samba.shared.chmod(0o2750)
    assert left_behind() == []
    until = time.monotonic() + 60
    while reader.name.partition("\\")[2] in samba.adlab("ex", "fs1", "smbstatus", "-b"):
        assert time.monotonic() < until, "a session is left"
