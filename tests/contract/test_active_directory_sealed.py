"""The same domain without certificates: Kerberos seals what LDAPS did, and every promise is kept."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import gssapi
import krb5
import pytest

from keyturn.adapters.authorities.active_directory.authority import ActiveDirectory, open_authority
from keyturn.adapters.authorities.active_directory.kerberos import ticket_for_ldap
from keyturn.adapters.authorities.active_directory.ntlm import bind
from keyturn.adapters.authorities.active_directory.sealed_logon import seal
from keyturn.adapters.authorities.reaching import Login
from keyturn.contracts.authority import FIRST, SECOND, WRONG
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.estate import Realm
from keyturn.model.logon import Answer, LogonProtocol
from tests.contract.domain_contract import DomainContract
from tests.samba import OURS, REALM, Samba, running
from tests.samba_proxy import proxied
from tests.secrets.breaking import with_locals

_LDAP = 389
_UNSEALED = "127.0.0.63"
_MADE = """\
samba-tool user show {name} >&2 || samba-tool user create {name} --random-password
samba-tool spn add ldap/{address} {name} >&2 || true
samba-tool domain exportkeytab {keys} --principal=ldap/{address}
"""
_KERBEROS_REALM = "CORP.EXAMPLE"


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running() as samba:
        samba.known_as("DC1", samba.hosts[0], samba.hosts[0], _loopback(samba))
        samba.known_as("DC2", samba.hosts[1], samba.hosts[1])
        yield samba


@pytest.fixture
def authority(samba: Samba) -> Authority:
    return open_authority(samba.sealed_realm(), lambda: OURS)


@pytest.fixture
def account(authority: Authority) -> Iterator[Account]:
    made = authority.create(AccountToBe(REALM, f"kt-{secrets.token_hex(4)}"), FIRST)
    yield made
    authority.delete(made)


def _loopback(samba: Samba) -> str:
    """Where a proxy stands."""
    return samba.hosts[0].replace("10.", "127.", 1)


class TestTwoSealedControllers(DomainContract):
    @pytest.fixture
    def realm(self, samba: Samba) -> Callable[..., Realm]:
        return samba.sealed_realm


# The settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"certificate_authority": "/etc/keyturn/corp-ca.pem"}, "certificate_authority"),
        ({"protection": "none"}, "protection is none"),
        ({"protection": "tls"}, "no certificate_authority"),
        ({"port": "0"}, "0 is no port"),
    ],
    ids=["proven twice", "unprotected", "not proven", "no port"],
)
def test_settings_that_would_leave_it_open_what_protects_are_refused(
    samba: Samba, settings: dict[str, str], said: str
) -> None:
    with pytest.raises(Refused, match=said) as raised:
        open_authority(samba.sealed_realm(**settings), lambda: OURS)
    assert raised.value.hint


def test_without_its_library_nothing_is_begun(samba: Samba, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyturn.adapters.authorities.active_directory.kerberos.find_spec", lambda name: None)
    with pytest.raises(Refused, match="gssapi") as raised:
        open_authority(samba.sealed_realm(), lambda: OURS)
    assert "keyturn[directory,kerberos]" in raised.value.hint
    assert open_authority(samba.realm(), lambda: OURS).find("anyone") is None


# What can be heard on the way


def test_nothing_of_an_account_and_its_password_can_be_heard(samba: Samba, account: Account) -> None:
    with proxied(samba, ldap_port=_LDAP) as proxy:
        authority = open_authority(samba.sealed_realm((proxy.address,)), lambda: OURS)
        authority.set_password(account, SECOND)
        assert authority.describe(account).pinned.version == 2
        heard = bytes(proxy.heard).lower()
    assert b"GSSAPI".lower() in heard  # it was this way that it went
    for told in (SECOND.reveal(), OURS.secret.reveal(), account.name, "unicodePwd", "objectSid", "userAccountControl"):
        assert told.lower().encode() not in heard
        assert told.lower().encode("utf-16-le") not in heard


def test_a_trial_by_ldap_shows_no_password_and_is_told_apart(samba: Samba, account: Account) -> None:
    with proxied(samba, ldap_port=_LDAP) as proxy:
        authority = open_authority(samba.sealed_realm((proxy.address,)), lambda: OURS)
        said = [authority.try_logon(account, each, protocol=LogonProtocol.LDAP) for each in (FIRST, WRONG)]
        heard = bytes(proxy.heard)
    assert said == [Answer.ACCEPTED, Answer.WRONG_PASSWORD]
    assert samba.bad_count(account.name) == 1
    for secret in (FIRST, WRONG):
        assert secret.reveal().encode() not in heard
        assert secret.reveal().encode("utf-16-le") not in heard


def test_more_than_one_frame_holds_is_read_whole(samba: Samba, authority: ActiveDirectory) -> None:
    assert authority.survey(0) == open_authority(samba.realm(), lambda: OURS).survey(0)  # type: ignore[attr-defined]


@pytest.mark.parametrize("secret", [FIRST, WRONG], ids=["right", "wrong"])
def test_why_kerberos_bars_an_account_is_told_without_ldaps(authority: Authority, account: Account, secret) -> None:
    authority.disable(account)
    answer = authority.try_logon(account, secret, protocol=LogonProtocol.KERBEROS)
    assert answer is (Answer.DISABLED if secret is FIRST else Answer.WRONG_PASSWORD)


def test_a_logon_leaves_one_ticket_in_memory_and_none_when_it_is_through(samba: Samba) -> None:
    context = krb5.init_context()
    host = samba.hosts[0]
    with ticket_for_ldap(host, OURS.name, _KERBEROS_REALM, OURS.secret) as cache:
        assert isinstance(cache, str)
        held = [str(ticket.server) for ticket in krb5.cc_resolve(context, cache.encode())]
        assert held == [f"ldap/{host}@{_KERBEROS_REALM}"]
    assert list(krb5.cc_resolve(context, cache.encode())) == []


# The controller


def test_a_controller_by_a_name_that_the_domain_does_not_know_is_told_nothing(samba: Samba) -> None:
    with proxied(samba, "127.0.0.62", ldap_port=_LDAP) as proxy, pytest.raises(AuthorityError) as raised:
        open_authority(samba.sealed_realm((proxy.address,)), lambda: OURS).find("anyone")
    assert "replicas" in raised.value.hint
    assert raised.value.permanent
    assert b"GSSAPI" not in proxy.heard


def test_a_key_that_is_too_short_is_refused(samba: Samba, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyturn.adapters.authorities.active_directory.sealed_logon._WEAKEST_BITS", 257)
    with pytest.raises(AuthorityError, match="its key has 256 bits") as raised:
        open_authority(samba.sealed_realm(), lambda: OURS).find("anyone")
    assert "AES" in raised.value.hint


@dataclass
class _OffersNoSeal:
    """libldap before a server that proves itself, and offers these security layers."""

    context: gssapi.SecurityContext
    layers: int
    asked: list[bytes] = field(default_factory=list)

    def sasl_bind_s(self, dn: str, mechanism: str, token: bytes) -> bytes:
        self.asked.append(token)
        if not self.context.complete:
            return self.context.step(token) or b""
        return self.context.wrap(bytes([self.layers]) + (1 << 16).to_bytes(3), False).message


@pytest.mark.parametrize(("layers", "why"), [(1, "no encryption"), (1 | 2, "no encryption")], ids=["bare", "signed"])
def test_a_controller_that_would_not_encrypt_is_refused_before_anything_is_agreed(
    samba: Samba, tmp_path: Path, layers: int, why: str
) -> None:
    with proxied(samba, _UNSEALED, ldap_port=_LDAP):  # Kerberos answers there too
        server = _OffersNoSeal(_server_of_the_domain(samba, tmp_path / "keys"), layers)
        with ticket_for_ldap(_UNSEALED, OURS.name, _KERBEROS_REALM, OURS.secret) as cache:
            assert isinstance(cache, str)
            with pytest.raises(AuthorityError, match=why) as raised:
                seal("a logon", server, f"ldap/{_UNSEALED}@{_KERBEROS_REALM}", cache)  # type: ignore[arg-type]
    assert raised.value.permanent
    assert server.asked[1:] == [b""]


def _server_of_the_domain(samba: Samba, keys: Path) -> gssapi.SecurityContext:
    """One that Kerberos gives tickets for, as it does for every machine of the domain."""
    name = "kt-not-sealing"
    if not keys.exists():
        samba.adlab("ex", "dc1", "sh", "-eu", given=_MADE.format(name=name, address=_UNSEALED, keys=keys))
    ours = gssapi.Credentials(usage="accept", store={"keytab": f"FILE:{keys}"})
    return gssapi.SecurityContext(creds=ours, usage="accept")


class _Says:
    """libldap before a server that knows no NTLM, and is content at once or never."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def sasl_bind_s(self, dn: str, mechanism: str, token: bytes) -> object:
        return self.answers.pop(0)


@pytest.mark.parametrize("answers", [[0], [b"nothing"], [b"NTLMSSP\0\2\0\0\0"]], ids=["yes", "no NTLM", "half of it"])
def test_what_is_no_answer_to_a_trial_is_no_verdict(answers: list[object]) -> None:
    with pytest.raises(AuthorityError) as raised:
        bind("a logon", _Says(*answers), "CORP\\kt", FIRST)  # type: ignore[arg-type]
    assert not raised.value.permanent
    assert FIRST.reveal() not in with_locals(raised.value)


# Keyturn's own login


def test_a_wrong_login_of_ours_is_presented_once(samba: Samba, ours_unlocked: None) -> None:
    logins = [Login(OURS.name, WRONG)]
    authority = open_authority(samba.sealed_realm(), lambda: logins[-1])
    with ThreadPoolExecutor(4) as threads:
        faults = [each.exception() for each in [threads.submit(authority.find, "anyone") for _ in range(7)]]
    for fault in faults:
        assert isinstance(fault, AuthorityError)
        assert fault.permanent
        assert "keyturn account adopt" in fault.hint
        assert WRONG.reveal() not in f"{fault} {fault.hint}"
    assert samba.bad_count(OURS.name) == 1
    logins.append(OURS)
    assert authority.find("anyone") is None


def test_a_login_of_ours_that_is_locked_may_be_asked_again(samba: Samba, ours_unlocked: None) -> None:
    for _ in range(5):
        with pytest.raises(AuthorityError):
            open_authority(samba.sealed_realm(), lambda: Login(OURS.name, WRONG)).find("anyone")
    with pytest.raises(AuthorityError, match="locked") as raised:
        open_authority(samba.sealed_realm(), lambda: OURS).find("anyone")
    assert not raised.value.permanent


def test_verbs_share_one_session_until_our_own_password_changes(samba: Samba, account: Account) -> None:
    logins = [OURS]
    with proxied(samba, ldap_port=_LDAP) as proxy:
        authority = open_authority(samba.sealed_realm((proxy.address,)), lambda: logins[-1])
        for _ in range(3):
            assert authority.find(account.name) == account
        assert bytes(proxy.heard).count(b"GSSAPI") == 3
        logins.append(Login(f"CORP\\{OURS.name}", OURS.secret))
        assert authority.find(account.name) == account
        assert bytes(proxy.heard).count(b"GSSAPI") == 6


@pytest.mark.parametrize("written", [f"CORP\\{OURS.name}", f"{OURS.name}@corp.example"])
def test_our_name_may_be_written_with_its_domain(samba: Samba, written: str) -> None:
    assert open_authority(samba.sealed_realm(), lambda: Login(written, OURS.secret)).find("anyone") is None


@pytest.mark.parametrize("written", [f"CN={OURS.name},CN=Users,DC=corp,DC=example", f"{OURS.name}@elsewhere.example"])
def test_a_name_that_kerberos_would_take_for_another_is_refused(samba: Samba, written: str) -> None:
    with pytest.raises(Refused, match="by Kerberos as"):
        open_authority(samba.sealed_realm(), lambda: Login(written, OURS.secret)).find("anyone")


def test_what_we_may_do_is_seen_as_over_ldaps(samba: Samba, authority: ActiveDirectory, account: Account) -> None:
    assert authority.missing_rights([account]) == ()
