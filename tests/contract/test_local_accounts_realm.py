"""The accounts of this machine keep the contract of every authority, in a private copy of `/etc`."""

import os
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.adapters.authorities.local_accounts.authority import LocalAccounts, open_authority
from keyturn.adapters.authorities.local_accounts.programs import Machine
from keyturn.adapters.authorities.reaching import Login
from keyturn.contracts.authority import FIRST, GROUPS, SECOND, WRONG, AuthorityContract
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import Account, AccountToBe, RealmName
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.estate import Realm, RealmKind
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from tests.private_etc import private_etc

MACHINE = RealmName("HERE")
(GROUP,) = GROUPS.groups
LDAP = LogonProtocol.LDAP
DENY, UNLOCK_S = 3, 600


def opened(*hosts: str, **settings: str) -> Authority:
    realm = Realm(MACHINE, RealmKind.LOCAL, hosts or ("here",), connection=tuple(settings.items()))

    def nobody() -> Login:
        raise AssertionError("root needs no login")

    return open_authority(realm, nobody)


@pytest.fixture(scope="module", autouse=True)
def etc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with private_etc() as etc:
        with (etc / "group").open("a") as groups:
            groups.write(f"{GROUP}:x:59999:\n")  # groupadd takes no name with a space
        yield etc


@pytest.fixture
def counting(etc: Path, tmp_path: Path) -> Iterator[Path]:
    """Logons go through pam_faillock; the folder of its tallies."""
    service, settings = etc / "pam.d/kt-counting", etc / "security/faillock.conf"
    before = settings.read_text()
    service.write_text("auth required pam_faillock.so authfail\n")
    settings.write_text(f"dir = {tmp_path}\ndeny = {DENY}\nunlock_time = {UNLOCK_S}\n")
    yield tmp_path
    service.unlink()
    settings.write_text(before)


@pytest.fixture
def authority() -> Authority:
    return opened()


@pytest.fixture
def account(authority: Authority) -> Iterator[Account]:
    account = authority.create(AccountToBe(MACHINE, "kt-somebody"), FIRST)
    yield account
    authority.delete(account)


class TestContract(AuthorityContract):
    versions_count = False
    versions_rise = False
    folds_names = False
    counts = False  # the password is checked against the file: no logon is made

    @pytest.fixture
    def authority(self) -> Authority:
        return opened()

    @pytest.fixture
    def realm_name(self) -> RealmName:
        return MACHINE

    @pytest.fixture
    def unreachable(self, etc: Path) -> Iterator[Authority]:
        """The files cannot be read for now."""
        names = ("machine-id", "passwd")
        for name in names:
            (etc / name).rename(etc / f"{name}.away")
        yield opened()
        for name in names:
            (etc / f"{name}.away").rename(etc / name)


def fail(folder: Path, name: str, *moments: float) -> None:
    """As pam_faillock writes it: struct tally of faillock.h, one after another."""
    valid = 1
    records = [struct.pack("=52sHHQ", b"here", 0, valid, int(moment)) for moment in moments]
    (folder / name).write_bytes(b"".join(records))


def test_the_tally_of_wrong_passwords_is_told_and_locks(authority: Authority, account: Account, counting: Path) -> None:
    now = time.time()
    fail(counting, account.name, now - 2, now - 1)
    state = authority.describe(account)
    assert (state.pinned.bad_count, state.pinned.last_bad_at) == (2, int(now - 1))
    assert (state.policy.lockout_threshold, state.policy.lockout_duration_s) == (DENY, UNLOCK_S)
    assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.ACCEPTED
    fail(counting, account.name, now - 3, now - 2, now - 1)
    assert authority.describe(account).locked
    assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.LOCKED


def test_a_new_password_leaves_the_lock_and_unlocking_ends_it(
    authority: Authority, account: Account, counting: Path
) -> None:
    fail(counting, account.name, *[time.time()] * DENY)
    authority.set_password(account, SECOND)
    assert authority.try_logon(account, SECOND, protocol=LDAP) is Answer.LOCKED
    authority.unlock(account)
    state = authority.describe(account)
    assert (state.locked, state.pinned.bad_count) == (False, 0)
    assert authority.try_logon(account, SECOND, protocol=LDAP) is Answer.ACCEPTED


def test_a_lock_ends_with_its_time(account: Account, counting: Path) -> None:
    fail(counting, account.name, *[time.time()] * DENY)
    realm = Realm(MACHINE, RealmKind.LOCAL, ("here",))
    later = LocalAccounts(realm, lambda: time.time() + UNLOCK_S + 1, Machine())
    assert not later.describe(account).locked
    assert later.try_logon(account, FIRST, protocol=LDAP) is Answer.ACCEPTED


def test_a_machine_without_faillock_never_locks(authority: Authority, account: Account) -> None:
    assert authority.describe(account).policy.lockout_threshold == 0


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("--expiredate", "1"), Answer.ACCOUNT_EXPIRED),
        (("--lastday", "0"), Answer.MUST_CHANGE),
        (("--lastday", "1000", "--maxdays", "30"), Answer.PASSWORD_EXPIRED),
    ],
)
def test_what_bars_the_right_password_is_told_and_a_wrong_one_stays_wrong(
    authority: Authority, account: Account, arguments: tuple[str, ...], answer: Answer
) -> None:
    subprocess.run(["chage", *arguments, account.name], check=True)
    assert authority.try_logon(account, FIRST, protocol=LDAP) is answer
    assert authority.try_logon(account, WRONG, protocol=LDAP) is Answer.WRONG_PASSWORD


def test_a_disabled_account_stays_disabled_under_a_new_password(authority: Authority, account: Account) -> None:
    authority.disable(account)
    assert authority.try_logon(account, WRONG, protocol=LDAP) is Answer.WRONG_PASSWORD
    authority.set_password(account, SECOND)
    assert not authority.describe(account).enabled
    authority.enable(account)
    assert authority.try_logon(account, SECOND, protocol=LDAP) is Answer.ACCEPTED


class Dying(Machine):
    """One on which whoever sets a password is killed once chpasswd(8) has ended."""

    def run(self, program: str, *arguments: str, entered: str = "", fine: frozenset[int] = frozenset({0})) -> str:
        said = super().run(program, *arguments, entered=entered, fine=fine)
        if program == "chpasswd":
            raise KeyboardInterrupt
        return said


def test_a_disabled_account_is_not_open_with_its_new_password_for_a_moment(
    authority: Authority, account: Account
) -> None:
    authority.disable(account)
    killed = LocalAccounts(Realm(MACHINE, RealmKind.LOCAL, ("here",)), time.time, Dying())
    with pytest.raises(KeyboardInterrupt):
        killed.set_password(account, SECOND)
    assert authority.try_logon(account, SECOND, protocol=LDAP) is Answer.DISABLED


def test_the_file_has_a_yescrypt_hash_under_a_salt_of_its_own(
    authority: Authority, account: Account, etc: Path
) -> None:
    hashes = set()
    for _ in range(2):
        authority.set_password(account, SECOND)
        line = next(row for row in (etc / "shadow").read_text().splitlines() if row.startswith(f"{account.name}:"))
        hashes.add(line.split(":")[1])
    assert len(hashes) == 2
    assert all(hashed.startswith("$y$") for hashed in hashes)


def test_a_password_that_would_break_the_line_is_refused(authority: Authority, account: Account) -> None:
    with pytest.raises(AuthorityError) as raised:
        authority.set_password(account, Secret("Turn-the-key\nroot:1"))
    assert raised.value.permanent
    assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.ACCEPTED


def test_an_account_half_made_is_not_found_and_the_next_call_finishes_it(authority: Authority) -> None:
    subprocess.run(["useradd", "--no-create-home", "--comment", "keyturn-making", "kt-half"], check=True)
    assert authority.find("kt-half") is None
    account = authority.create(AccountToBe(MACHINE, "kt-half"), FIRST)
    assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.ACCEPTED
    authority.delete(account)


def test_an_account_of_another_machine_is_not_the_one_of_the_same_number(
    authority: Authority, account: Account
) -> None:
    elsewhere = Account(MACHINE, f"{'0' * 32}-{account.sid.rpartition('-')[2]}", account.name)
    authority.delete(elsewhere)
    assert authority.find(account.name) == account


def test_files_that_somebody_holds_are_an_error_that_may_pass(
    authority: Authority, account: Account, etc: Path
) -> None:
    (etc / "passwd.lock").write_text(str(os.getpid()))
    try:
        with pytest.raises(AuthorityError, match="lock") as raised:
            authority.disable(account)
    finally:
        (etc / "passwd.lock").unlink()
    assert not raised.value.permanent


def test_a_group_that_is_not_there_is_not_made(authority: Authority, account: Account) -> None:
    with pytest.raises(AuthorityError, match="has no group nobodys"):
        authority.grant(account, Rights(groups=frozenset({"nobodys"})))


def test_one_machine_has_one_replica() -> None:
    with pytest.raises(Refused, match="one replica"):
        opened("one", "two")
