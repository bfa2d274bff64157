"""The accounts of another machine keep the contract of every authority over a real sshd, with the rights that the
how-to gives and no more."""

import shutil
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.adapters.authorities.local_accounts.authority import LocalAccounts, open_authority
from keyturn.adapters.authorities.local_accounts.programs import Machine
from keyturn.adapters.authorities.reaching import Login
from keyturn.contracts.authority import FIRST, GROUPS, SECOND, AuthorityContract
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe, RealmName
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.estate import Realm, RealmKind
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.wire.ssh import Ssh
from tests.sshd import Sshd, cut_after, sshd

WEB1 = RealmName("WEB1")
(GROUP,) = GROUPS.groups
LDAP = LogonProtocol.LDAP
DENY = 3


def over(way: Ssh) -> LocalAccounts:
    return LocalAccounts(Realm(WEB1, RealmKind.LOCAL, ("web1",)), time.time, Machine(way))


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as there:
        with (there.etc / "group").open("a") as groups:
            groups.write(f"{GROUP}:x:59999:\n")  # groupadd takes no name with a space
        yield there


@pytest.fixture(params=["root", "sudo"])
def authority(request: pytest.FixtureRequest, there: Sshd) -> Authority:
    return over(getattr(there, request.param))


@pytest.fixture
def account(there: Sshd) -> Iterator[Account]:
    authority = over(there.root)
    account = authority.create(AccountToBe(WEB1, "kt-somebody"), FIRST)
    yield account
    authority.delete(account)


class TestContract(AuthorityContract):
    versions_count = False
    versions_rise = False
    folds_names = False
    counts = False  # the password is checked against the file: no logon is made

    @pytest.fixture
    def authority(self, there: Sshd) -> Authority:
        return over(there.sudo)

    @pytest.fixture
    def realm_name(self) -> RealmName:
        return WEB1

    @pytest.fixture
    def unreachable(self, there: Sshd) -> Iterator[Authority]:
        there.stop()
        yield over(there.sudo)
        there.start()


def shadow_of(etc: Path, name: str) -> str:
    lines = (etc / "shadow").read_text().splitlines()
    return next((line.split(":")[1] for line in lines if line.startswith(f"{name}:")), "")


def test_the_account_is_the_other_machines_and_none_of_this(
    there: Sshd, authority: Authority, account: Account
) -> None:
    authority.set_password(account, SECOND)
    assert shadow_of(there.etc, account.name).startswith("$y$")
    assert shadow_of(Path("/etc"), account.name) == ""
    assert account.sid.startswith((there.etc / "machine-id").read_text().strip())


def test_its_tally_of_wrong_passwords_is_told_in_its_time_and_forgotten(
    there: Sshd, authority: Authority, account: Account, tmp_path: Path
) -> None:
    """A machine whose clock shows another zone than ours counts all the same."""
    tallies = Path(f"{there.etc}/../var/run/faillock")
    service = there.etc / "pam.d/kt-counting"
    service.write_text("auth required pam_faillock.so authfail\n")
    (there.etc / "localtime").unlink(missing_ok=True)
    shutil.copy("/usr/share/zoneinfo/Asia/Tokyo", there.etc / "localtime")
    now = time.time()
    tallies.mkdir(exist_ok=True)
    (tallies / account.name).write_bytes(
        b"".join(struct.pack("=52sHHQ", b"here", 0, 1, int(now - ago)) for ago in (3, 2, 1))
    )
    try:
        state = authority.describe(account)
        assert (state.locked, state.pinned.bad_count, state.pinned.last_bad_at) == (True, DENY, int(now - 1))
        assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.LOCKED
        authority.unlock(account)
        assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.ACCEPTED
    finally:
        service.unlink()
        (tallies / account.name).unlink(missing_ok=True)


def refused(authority: Authority, account: Account) -> AuthorityError:
    with pytest.raises(AuthorityError) as raised:
        authority.set_password(account, SECOND)
    return raised.value


def test_another_host_key_is_refused_for_good_and_nothing_is_sent(there: Sshd, account: Account) -> None:
    known = there.folder / "known_hosts"
    before, was = known.read_text(), shadow_of(there.etc, account.name)
    there.new_host_key()
    try:
        error = refused(over(there.sudo), account)
        assert (error.permanent, str(known) in error.message, "another host key" in error.message) == (True, True, True)
        assert str(known) in error.hint
        assert shadow_of(there.etc, account.name) == was
        assert known.read_text() == before, "nothing is learnt by itself"
    finally:
        known.write_text("")
        there.known_at(there.port)


def test_an_unknown_host_key_is_refused_for_good(there: Sshd, account: Account, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    error = refused(over(replace(there.sudo, known_hosts=str(empty))), account)
    assert error.permanent
    assert f"a host key that is not in {empty}" in error.message


def test_a_key_that_is_not_let_in_is_named(there: Sshd, account: Account) -> None:
    another = str(there.folder / "host_key")
    error = refused(over(replace(there.sudo, identity_file=another)), account)
    assert error.permanent
    assert f"does not let keyturn in with {another}" in error.message


def test_what_sudo_refuses_is_told_in_its_words(there: Sshd, account: Account) -> None:
    sudoers = there.etc / "sudoers.d/keyturn"
    before = sudoers.read_text()
    sudoers.write_text(before.replace("KEYTURN_ROTATE, ", ""))
    try:
        error = refused(over(there.sudo), account)
    finally:
        sudoers.write_text(before)
    assert error.permanent
    assert "sudo: a password is required" in error.message
    assert "sudoers" in error.hint


def test_a_user_without_root_and_sudo_is_told_what_is_missing(there: Sshd, account: Account) -> None:
    error = refused(over(replace(there.sudo, sudo=False)), account)
    assert error.permanent
    assert "/etc/shadow: Permission denied" in error.message


@pytest.mark.parametrize("way", ["root", "sudo"])
def test_a_program_that_is_not_there_is_an_error_for_good(there: Sshd, way: str) -> None:
    """A machine's lack of `faillock`, say. sudo is given leave for it, so that the program itself is missing."""
    with (there.etc / "sudoers.d/more").open("w") as more:
        more.write("keyturn ALL=(root) NOPASSWD: ALL\n")
    try:
        with pytest.raises(AuthorityError, match=r"lacks a program: .*kt-no-program") as raised:
            Machine(getattr(there, way)).run("kt-no-program")
    finally:
        (there.etc / "sudoers.d/more").unlink()
    assert raised.value.permanent


def test_an_unknown_name_may_pass(there: Sshd, account: Account) -> None:
    error = refused(over(replace(there.sudo, host="kt-nowhere.invalid")), account)
    assert not error.permanent
    assert "kt-nowhere.invalid is not reached" in error.message


def test_a_cut_connection_may_pass_and_the_next_call_goes_on(there: Sshd, account: Account) -> None:
    with cut_after(there, 2000) as port:
        error = refused(over(replace(there.sudo, port=port)), account)
    assert not error.permanent
    over(there.sudo).set_password(account, SECOND)
    assert over(there.sudo).try_logon(account, SECOND, protocol=LDAP) is Answer.ACCEPTED


def test_a_word_of_the_shell_is_a_name_and_no_command(there: Sshd) -> None:
    assert over(there.root).find("$(touch /etc/kt-here); x") is None
    Machine(there.root).run("grep", "-e", "$(touch /etc/kt-here)", "/etc/passwd", fine=frozenset({1}))
    assert not (there.etc / "kt-here").exists()


WELL = {"host": "web1.example", "user": "keyturn", "identity_file": "/k", "known_hosts": "/h"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"host": "-oProxyCommand=reboot"}, "host must be"),
        ({"user": "-l root"}, "user must be"),
        ({"identity_file": "key"}, "identity_file must be the absolute path"),
        ({"known_hosts": "/a b"}, "known_hosts must be the absolute path"),
        ({"known_hosts": "/a%h"}, "known_hosts must be the absolute path"),
        ({"port": "ssh"}, "port must be a number"),
        ({"sudo": "maybe"}, 'sudo must be "yes" or "no"'),
        ({"mood": "good"}, "mood is no setting"),
    ],
)
def test_wrong_settings_are_refused_by_name_before_anything_is_opened(change: dict[str, str], words: str) -> None:
    realm = Realm(WEB1, RealmKind.LOCAL, ("web1",), connection=tuple((WELL | change).items()))
    with pytest.raises(Refused, match=words):
        open_authority(realm, _nobody)


def test_a_connection_without_a_host_is_refused() -> None:
    with pytest.raises(Refused, match="its connection has no host"):
        open_authority(Realm(WEB1, RealmKind.LOCAL, ("web1",), connection=(("user", "keyturn"),)), _nobody)


def _nobody() -> Login:
    raise AssertionError("a key of SSH is no login of the realm")
