"""A domain of two Samba controllers keeps the contract of every authority."""

import secrets
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.adapters.authorities.reaching import Login
from keyturn.contracts.authority import FIRST, SECOND, WRONG
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from tests.contract.domain_contract import DomainContract
from tests.samba import OURS, REALM, Samba, running
from tests.samba_proxy import proxied


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running() as samba:
        yield samba


@pytest.fixture
def authority(samba: Samba) -> Authority:
    return open_authority(samba.realm(), lambda: OURS)


@pytest.fixture
def planned(authority: Authority) -> Iterator[AccountToBe]:
    yield from _to_be(authority)


@pytest.fixture
def second(authority: Authority) -> Iterator[AccountToBe]:
    yield from _to_be(authority)


def _to_be(authority: Authority) -> Iterator[AccountToBe]:
    name = f"kt-{secrets.token_hex(4)}"
    yield AccountToBe(REALM, name)
    left = authority.find(name)
    if left:
        authority.delete(left)


@pytest.fixture
def account(authority: Authority, planned: AccountToBe) -> Account:
    return authority.create(planned, FIRST)


class TestTwoControllers(DomainContract):
    @pytest.fixture
    def realm(self, samba: Samba) -> Callable[..., Realm]:
        return samba.realm


# Keyturn's own login


def test_a_wrong_login_of_ours_is_presented_once_and_another_one_at_once(samba: Samba, ours_unlocked: None) -> None:
    logins = [Login(OURS.name, WRONG)]
    authority = open_authority(samba.realm(), lambda: logins[-1])
    for _ in range(7):
        with pytest.raises(AuthorityError) as raised:
            authority.find("anyone")
        assert raised.value.permanent
        assert "keyturn account adopt" in raised.value.hint
        assert WRONG.reveal() not in f"{raised.value} {raised.value.hint}"
    assert samba.bad_count(OURS.name) == 1
    logins.append(OURS)
    assert authority.find("anyone") is None


def test_threads_with_a_wrong_login_of_ours_spend_one_attempt_together(samba: Samba, ours_unlocked: None) -> None:
    together = time.monotonic() + 0.5  # by then every thread has come so far, were there no turn to wait for

    def slow() -> Login:
        time.sleep(max(0, together - time.monotonic()))
        return Login(OURS.name, WRONG)

    authority = open_authority(samba.realm(), slow)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(authority.find, "anyone") for _ in range(8)]
        faults = [each.exception() for each in asked]
    assert all(isinstance(fault, AuthorityError) and fault.permanent for fault in faults)
    assert samba.bad_count(OURS.name) == 1


def test_a_login_of_ours_that_is_locked_may_be_asked_again(samba: Samba, ours_unlocked: None) -> None:
    for _ in range(5):
        with pytest.raises(AuthorityError):
            open_authority(samba.realm(), lambda: Login(OURS.name, WRONG)).find("anyone")
    with pytest.raises(AuthorityError) as raised:
        open_authority(samba.realm(), lambda: OURS).find("anyone")
    assert not raised.value.permanent
    assert "locked" in str(raised.value)


# The way to a controller


def test_a_controller_that_the_realms_authority_has_not_signed_is_not_spoken_to(samba: Samba, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    authority = open_authority(samba.realm(certificate_authority=str(other)), _nobody)
    with pytest.raises(AuthorityError, match="certificate") as raised:
        authority.find("anyone")
    assert raised.value.permanent


def test_a_controller_under_another_name_is_not_spoken_to(samba: Samba) -> None:
    with proxied(samba, "127.0.0.61") as proxy, pytest.raises(AuthorityError, match="certificate"):
        open_authority(samba.realm((proxy.address,)), _nobody).find("anyone")


def test_a_port_without_tls_is_not_spoken_to(samba: Samba) -> None:
    with pytest.raises(AuthorityError, match=":389"):
        open_authority(samba.realm(port="389"), _nobody).find("anyone")


def test_an_authority_file_that_is_not_there_is_named(samba: Samba) -> None:
    with pytest.raises(AuthorityError, match="no-such-file"):
        open_authority(samba.realm(certificate_authority="/no-such-file"), _nobody).find("anyone")


def test_a_controller_that_accepts_and_says_nothing_is_given_up(samba: Samba, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyturn.adapters.authorities.directories.tunnel.CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        authority = open_authority(samba.realm(("127.0.0.1",), port=port), _nobody)
        with pytest.raises(AuthorityError) as raised:
            authority.find("anyone")
    assert not raised.value.permanent


@pytest.mark.parametrize(
    "settings", [{"port": "ldaps"}, {"port": "0"}, {"password": "x"}], ids=["no number", "no port", "unknown"]
)
def test_settings_that_cannot_be_are_refused_before_any_connection(samba: Samba, settings: dict[str, str]) -> None:
    with pytest.raises(Refused):
        open_authority(samba.realm(**settings), _nobody)


def _nobody() -> Login:
    raise AssertionError("a login was asked for")


# What is read


def test_a_fine_grained_policy_wins_over_the_domains(samba: Samba, authority: Authority, account: Account) -> None:
    with samba.own_policy(account.name, threshold=3, duration_s=0):
        policy = authority.describe(account).policy
        assert (policy.lockout_threshold, policy.lockout_duration_s, policy.history) == (3, 0, 5)
    assert authority.describe(account).policy.lockout_threshold == 5


def test_a_policy_that_keyturn_may_not_see_is_not_guessed(samba: Samba, account: Account) -> None:
    stranger = Login("kt-stranger", FIRST)
    samba.adlab("ex", "dc1", "samba-tool", "user", "create", stranger.name, stranger.secret.reveal())
    with samba.own_policy(account.name, threshold=3, duration_s=0), pytest.raises(AuthorityError, match="policy"):
        open_authority(samba.realm(), lambda: stranger).describe(account)
    samba.adlab("ex", "dc1", "samba-tool", "user", "delete", stranger.name)


def test_a_controller_that_an_account_has_not_reached_knows_nothing_of_it(
    samba: Samba, authority: Authority, planned: AccountToBe
) -> None:
    with samba.replication_off("dc2"):
        account = authority.create(planned, FIRST)
        assert [replica.version for replica in authority.describe(account).replicas] == [1, 0]
        answer = authority.try_logon(account, FIRST, protocol=LogonProtocol.LDAP, replica=samba.hosts[1])
        assert answer is Answer.UNKNOWN_ACCOUNT
        authority.unlock(account)
    samba.converge()
    assert [replica.version for replica in authority.describe(account).replicas] == [1, 1]


def test_what_an_account_may_do_beyond_its_groups_is_named_and_not_copied(
    samba: Samba, authority: Authority, account: Account, second: AccountToBe
) -> None:
    samba.write(
        samba.dn(account.name), servicePrincipalName="HTTP/app.corp.example", userAccountControl=0x200 | 0x80000
    )
    assert authority.rights(account).grants == {"spn:HTTP/app.corp.example", "delegation:unconstrained"}
    twin = authority.create(second, SECOND, like=account)
    assert authority.rights(twin).grants == frozenset()
    assert authority.rights(twin).groups == authority.rights(account).groups
    authority.grant(twin, authority.rights(account))
    assert authority.rights(twin).grants == frozenset()


def test_an_account_is_made_beside_the_one_it_is_like(
    samba: Samba, authority: Authority, account: Account, second: AccountToBe
) -> None:
    elsewhere = open_authority(samba.realm(container="CN=Users,DC=corp,DC=example"), lambda: OURS)
    twin = elsewhere.create(second, SECOND, like=account)
    assert samba.dn(twin.name) == f"CN={twin.name},OU=Keyturn,DC=corp,DC=example"


def test_a_group_that_is_not_there_is_not_made(authority: Authority, account: Account) -> None:
    with pytest.raises(AuthorityError, match="Nobody Knows") as raised:
        authority.grant(account, Rights(groups=frozenset({"Nobody Knows"})))
    assert raised.value.permanent


@pytest.mark.parametrize("protocol", LogonProtocol)
def test_an_empty_password_is_wrong_and_not_the_anonymous_login(
    authority: Authority, account: Account, protocol: LogonProtocol
) -> None:
    assert authority.try_logon(account, Secret(""), protocol=protocol) is Answer.WRONG_PASSWORD
    assert authority.describe(account).pinned.bad_count == 0


@pytest.mark.parametrize("protocol", LogonProtocol)
def test_a_password_of_any_letters_is_the_same_by_every_way(
    authority: Authority, account: Account, protocol: LogonProtocol
) -> None:
    odd = Secret('Zur Tür "ключ" \\ 🔑 %s $HOME')
    authority.set_password(account, odd)
    assert authority.try_logon(account, odd, protocol=protocol) is Answer.ACCEPTED


def test_a_name_with_the_letters_of_a_filter_or_a_path_is_only_a_name(authority: Authority) -> None:
    for name in ("*", "kt-*", "kt)(objectClass=*", "CN=kt,DC=x", "\\2a", "\0"):
        assert authority.find(name) is None
