"""An OpenLDAP directory keeps the contract of every authority, and some promises of its own: real servers, one provider
and one consumer."""

import base64
import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import trustme

from keyturn.adapters.authorities.openldap.authority import open_authority
from keyturn.adapters.authorities.openldap.logins import REPLICATION_S, OwnLogin
from keyturn.adapters.authorities.openldap.session import Session
from keyturn.adapters.authorities.reaching import Login
from keyturn.contracts.authority import FIRST, SECOND, WRONG, AuthorityContract
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import Account, AccountToBe, RealmName
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from tests.builtin import Clock
from tests.openldap import ADDRESSES, EVERYTHING_BUT_PACKETS, REALM, Directory, running
from tests.openldap_configuration import ACCOUNTS, BIND_PASSWORD

KEYTURN = Login("keyturn", Secret(BIND_PASSWORD))
LDAP = LogonProtocol.LDAP


@pytest.fixture(scope="module")
def directory() -> Iterator[Directory]:
    with running() as directory:
        yield directory


@pytest.fixture
def authority(directory: Directory) -> Authority:
    return open_authority(directory.realm(), lambda: KEYTURN)


@pytest.fixture
def account(authority: Authority, directory: Directory) -> Iterator[Account]:
    account = authority.create(AccountToBe(REALM, f"kt-{secrets.token_hex(4)}"), FIRST)
    directory.converge()
    yield account
    authority.delete(account)


class TestContract(AuthorityContract):
    versions_count = False
    counts_travel = True
    tells_disabled = False

    @pytest.fixture
    def authority(self, directory: Directory) -> Authority:
        return open_authority(directory.realm(), lambda: KEYTURN)

    @pytest.fixture
    def realm_name(self) -> RealmName:
        return REALM

    @pytest.fixture
    def converge(self, directory: Directory) -> Callable[[], None]:
        return directory.converge

    @pytest.fixture
    def unreachable(self, directory: Directory) -> Authority:
        """Nobody listens on this port."""
        return open_authority(directory.realm(port=1), lambda: KEYTURN)


# Keyturn's own login


def test_a_wrong_login_of_ours_is_presented_once_and_another_one_at_once(directory: Directory) -> None:
    logins = [Login("keyturn", WRONG)]
    authority = open_authority(directory.realm(), lambda: logins[-1])
    before = directory.failures("keyturn")
    for _ in range(3):
        with pytest.raises(AuthorityError, match="refuses Keyturn's own login keyturn") as raised:
            authority.find("anybody")
        assert raised.value.permanent
        assert "account adopt" in raised.value.hint
        assert WRONG.reveal() not in str(raised.value)
    assert directory.failures("keyturn") == before + 1
    logins.append(KEYTURN)
    assert authority.find("keyturn")


def test_a_consumer_that_has_not_our_new_password_yet_is_asked_once_more_and_no_third_time() -> None:
    clock = Clock()
    own = OwnLogin(REALM, ADDRESSES[0], lambda: KEYTURN, clock)
    asked: list[Login] = []

    def refuse(login: Login) -> Answer:
        asked.append(login)
        return Answer.WRONG_PASSWORD

    for _ in range(5):
        for _ in range(3):
            with pytest.raises(AuthorityError):
                own.log_on(ADDRESSES[1], refuse)
        clock.turn(REPLICATION_S)
    assert len(asked) == 2
    own.log_on(ADDRESSES[0], lambda login: Answer.ACCEPTED)


def test_a_login_of_ours_that_is_locked_may_be_asked_again() -> None:
    own = OwnLogin(REALM, ADDRESSES[0], lambda: KEYTURN, Clock())
    with pytest.raises(AuthorityError) as raised:
        own.log_on(ADDRESSES[0], lambda login: Answer.LOCKED)
    assert not raised.value.permanent
    own.log_on(ADDRESSES[0], lambda login: Answer.ACCEPTED)


# the way there


def test_a_server_that_the_realms_authority_has_not_signed_is_not_spoken_to(directory: Directory) -> None:
    realm = directory.realm()
    other = directory.folder / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    settings = dict(realm.connection) | {"certificate_authority": str(other)}
    authority = open_authority(replace(realm, connection=tuple(settings.items())), lambda: KEYTURN)
    with pytest.raises(AuthorityError, match="certificate"):
        authority.find("keyturn")


def test_an_authority_file_that_is_not_there_is_named(directory: Directory) -> None:
    realm = directory.realm()
    settings = dict(realm.connection) | {"certificate_authority": "/nowhere/ca.pem"}
    authority = open_authority(replace(realm, connection=tuple(settings.items())), lambda: KEYTURN)
    with pytest.raises(AuthorityError, match=r"/nowhere/ca\.pem") as raised:
        authority.find("keyturn")
    assert raised.value.permanent


def test_a_server_that_accepts_and_says_nothing_is_given_up(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyturn.adapters.authorities.directories.tunnel.CONNECT_S", 0.2)
    with socket.create_server((ADDRESSES[0], 0)) as silent:
        authority = open_authority(directory.realm(port=silent.getsockname()[1]), lambda: KEYTURN)
        with pytest.raises(AuthorityError) as raised:
            authority.find("keyturn")
    assert not raised.value.permanent


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"certificate_authority": ""}, "no base"),
        ({"base": "dc=example"}, "no certificate_authority"),
        ({"base": "dc=example", "certificate_authority": "ca.pem", "port": "ldap"}, "is no port"),
        ({"base": "dc=example", "certificate_authority": "ca.pem", "tls": "no"}, "tls is no setting"),
    ],
)
def test_settings_that_say_too_little_or_what_nobody_knows_are_refused(
    directory: Directory, settings: dict[str, str], words: str
) -> None:
    realm = replace(directory.realm(), connection=tuple(settings.items()))
    with pytest.raises(Refused, match=words):
        open_authority(realm, lambda: KEYTURN)


# what the overlay keeps


def test_a_change_right_after_ours_bears_another_mark(
    authority: Authority, account: Account, directory: Directory
) -> None:
    authority.set_password(account, SECOND)
    ours = authority.describe(account).pinned.version
    with directory.administering() as root:
        root.passwd_s(f"uid={account.name},{ACCOUNTS}", None, "Somebody-else-9")
    assert authority.describe(account).pinned.version > ours


def test_a_set_right_after_somebody_elses_bears_another_mark(
    authority: Authority, account: Account, directory: Directory
) -> None:
    with directory.administering() as root:
        root.passwd_s(f"uid={account.name},{ACCOUNTS}", None, "Somebody-else-9")
    theirs = authority.describe(account).pinned.version
    authority.set_password(account, SECOND)
    assert authority.describe(account).pinned.version > theirs
    assert authority.try_logon(account, SECOND, protocol=LDAP) is Answer.ACCEPTED


def test_an_accounts_own_policy_wins_and_its_lock_ends_with_the_duration(
    authority: Authority, account: Account, directory: Directory
) -> None:
    short = directory.policy("short", pwdLockout="TRUE", pwdMaxFailure=2, pwdLockoutDuration=1)
    directory.change(account.name, pwdPolicySubentry=short)
    policy = authority.describe(account).policy
    assert (policy.lockout_threshold, policy.lockout_duration_s, policy.history) == (2, 1, 0)
    for _ in range(2):
        assert authority.try_logon(account, WRONG, protocol=LDAP) is Answer.WRONG_PASSWORD
    assert authority.describe(account).locked
    while authority.describe(account).locked:
        pass
    assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.ACCEPTED
    assert authority.describe(account).pinned.bad_count == 0


def test_a_policy_that_makes_people_change_their_password_does_not_bar_an_account_of_ours(
    authority: Authority, account: Account, directory: Directory
) -> None:
    strict = directory.policy("strict", pwdMustChange="TRUE", pwdMinAge=600, pwdInHistory=5)
    directory.change(account.name, pwdPolicySubentry=strict)
    authority.set_password(account, FIRST)
    assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.ACCEPTED


def test_an_account_that_somebody_told_to_change_its_password_says_so(
    authority: Authority, account: Account, directory: Directory
) -> None:
    reminding = directory.policy("reminding", pwdMustChange="TRUE", pwdLockout="TRUE", pwdMaxFailure=5)
    directory.change(account.name, pwdPolicySubentry=reminding, pwdReset=b"TRUE")
    assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.MUST_CHANGE
    assert authority.try_logon(account, WRONG, protocol=LDAP) is Answer.WRONG_PASSWORD


def test_an_expired_password_is_told_from_a_wrong_one(
    authority: Authority, account: Account, directory: Directory
) -> None:
    ageing = directory.policy("ageing", pwdMaxAge=1, pwdLockout="TRUE", pwdMaxFailure=5)
    directory.change(account.name, pwdPolicySubentry=ageing, pwdChangedTime=b"20200101000000Z")
    assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.PASSWORD_EXPIRED
    assert authority.try_logon(account, WRONG, protocol=LDAP) is Answer.WRONG_PASSWORD


def test_an_account_outside_its_time_proves_nothing(
    authority: Authority, account: Account, directory: Directory
) -> None:
    directory.change(account.name, pwdEndTime=b"20200101000000Z")
    assert authority.try_logon(account, FIRST, protocol=LDAP) is Answer.LOCKED
    assert authority.describe(account).pinned.bad_count == 0


def test_an_account_is_not_said_to_be_disabled_where_the_overlay_would_not_mind(
    authority: Authority, account: Account, directory: Directory
) -> None:
    lax = directory.policy("lax", pwdLockout="FALSE")
    directory.change(account.name, pwdPolicySubentry=lax)
    with pytest.raises(AuthorityError, match="never locks") as raised:
        authority.disable(account)
    assert raised.value.permanent
    assert authority.describe(account).enabled


def test_an_empty_password_is_wrong_and_not_the_anonymous_login(authority: Authority, account: Account) -> None:
    assert authority.try_logon(account, Secret(""), protocol=LDAP) is Answer.WRONG_PASSWORD


def test_a_consumer_that_lags_is_seen_without_a_logon(
    authority: Authority, account: Account, directory: Directory
) -> None:
    directory.consumer.stop()
    with pytest.raises(AuthorityError) as raised:
        authority.describe(account)
    assert not raised.value.permanent
    alone = open_authority(directory.realm(replicas=ADDRESSES[:1]), lambda: KEYTURN)
    alone.set_password(account, SECOND)
    directory.consumer.start()
    directory.converge()
    assert {state.version for state in authority.describe(account).replicas} == {alone.describe(account).pinned.version}


# groups


def test_who_gets_a_used_name_is_in_none_of_its_groups(authority: Authority, account: Account) -> None:
    authority.grant(account, Rights(groups=frozenset({"Keyturn Contract"})))
    authority.delete(account)
    again = authority.create(AccountToBe(REALM, account.name), FIRST)
    assert authority.rights(again).groups == frozenset()
    authority.delete(again)


def test_a_group_that_is_not_there_is_not_made(authority: Authority, account: Account) -> None:
    with pytest.raises(AuthorityError, match="0 groups named Nobody's") as raised:
        authority.grant(account, Rights(groups=frozenset({"Nobody's", "Keyturn Contract"})))
    assert raised.value.permanent
    assert authority.rights(account).groups == frozenset()


# what a crash leaves


def test_an_account_half_made_is_not_found_and_the_next_call_finishes_it(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dies(Exception):
        pass

    def die(*_: object) -> None:
        raise Dies

    planned = AccountToBe(REALM, "kt-half-made")
    with monkeypatch.context() as dying:
        dying.setattr(Session, "rename", die)
        with pytest.raises(Dies):
            authority.create(planned, FIRST)
    assert authority.find(planned.name) is None
    account = authority.create(planned, SECOND)
    assert authority.try_logon(account, SECOND, protocol=LDAP) is Answer.ACCEPTED
    authority.delete(account)


def test_a_policy_that_cannot_be_read_is_not_guessed(
    authority: Authority, account: Account, directory: Directory
) -> None:
    directory.change(account.name, pwdPolicySubentry=f"cn=gone,{ACCOUNTS}".encode())
    with pytest.raises(AuthorityError, match="cn=gone") as raised:
        authority.describe(account)
    assert raised.value.permanent


# what the servers write down


def test_no_log_of_the_servers_has_a_password() -> None:
    """Not the audit log either, which has every change as it was asked for."""
    with running(EVERYTHING_BUT_PACKETS) as directory:
        authority = open_authority(directory.realm(), lambda: KEYTURN)
        account = authority.create(AccountToBe(REALM, "kt-told"), FIRST)
        authority.set_password(account, SECOND)
        directory.converge()
        for replica in ADDRESSES:
            authority.try_logon(account, SECOND, protocol=LDAP, replica=replica)
            authority.try_logon(account, WRONG, protocol=LDAP, replica=replica)
        written = [*directory.folder.rglob("log"), *directory.folder.rglob("audit.ldif")]
        texts = [path.read_text(errors="replace") for path in written]
    assert len(written) == 4
    for path, text in zip(written, texts, strict=True):
        assert "kt-told" in text, path
        for secret in (FIRST, SECOND, WRONG, KEYTURN.secret):
            assert secret.reveal() not in text, path
            assert base64.b64encode(secret.reveal().encode()).decode() not in text, path  # as LDIF writes it
