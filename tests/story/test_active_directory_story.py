"""The rotation of accounts in a real domain of two controllers."""

import base64
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.adapters.authorities.pass_through import PassThrough
from keyturn.adapters.authorities.reaching import Login
from keyturn.lifecycle.budgeted import Budgeted
from keyturn.lifecycle.execution import PROOF
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, Credential
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts
from keyturn.operations.own_logins import own_login
from keyturn.operations.parts import Parts
from keyturn.operations.ports import PlanState
from tests.builtin import Clock
from tests.inner_site import InnerSite, site_in
from tests.samba import OURS, running
from tests.secrets.breaking import with_locals
from tests.story.active_directory_there import Domain
from tests.story.kill_story import KillStory
from tests.story.lag_story import LagStory
from tests.story.parity_story import ParityStory
from tests.story.real_realm import FIRST, SERVICE, carried, estate, opened
from tests.story.realm_story import RealmStory, WithService
from tests.story.reset_story import ResetStory
from tests.story.roles_story import DIRECTORY_ROWS, RolesStory, Row
from tests.story.wrong_passwords_story import WrongPasswordsStory

WRONG = Secret("Never-was-a-key-0")


@pytest.fixture(scope="module")
def there() -> Iterator[Domain]:
    with running() as samba:
        yield Domain(samba)


class TestRotation(RealmStory, LagStory):
    def test_a_logon_that_another_controller_answers_is_no_proof_that_this_one_has_heard(
        self, tmp_path: Path, there: Domain, service: Account
    ) -> None:
        with there.forwarding() as second:
            site = opened(tmp_path, there.realm, second.authority)
            accounts.adopt(site.parts, SERVICE, FIRST, by="olga")
            record = site.run(site.rotate(SERVICE).plan_id, rounds=3)
            new = site.store.secret(Credential(service, 2))
            answer = second.authority.try_logon(service, new, protocol=PROOF, replica=second.replica)
            assert answer is Answer.ACCEPTED, "it is not forwarded"
            record = site.run(record.plan_id, rounds=3)
            assert (record.state, record.missing) == (PlanState.WAITING, (second.replica,))
            second.heal()
            assert carried(site, record.plan_id).state is PlanState.DONE
        site.close()

    def test_a_logon_with_the_previous_password_by_its_grace_is_no_proof(self, there: Domain, service: Account) -> None:
        authority = there.opened()
        authority.set_password(service, Secret("Turn-the-key-0002"))
        assert authority.try_logon(service, FIRST, protocol=LogonProtocol.NTLM) is Answer.ACCEPTED
        logon = PassThrough(authority).logon(SERVICE, FIRST, protocol=LogonProtocol.NTLM, source="PC-0001")
        assert not logon.current
        assert logon.answer is Answer.WRONG_PASSWORD


class TestParity(ParityStory): ...


class TestKills(KillStory):
    @pytest.fixture(params=[6, pytest.param(102, marks=pytest.mark.long)])
    def kills(self, request: pytest.FixtureRequest) -> int:
        return int(request.param)


class TestRoles(RolesStory):
    @pytest.fixture(params=DIRECTORY_ROWS, ids=str)
    def row(self, request: pytest.FixtureRequest) -> Row:
        row: Row = request.param
        return row


class TestReset(ResetStory): ...


class TestWrongPasswords(WrongPasswordsStory):
    @pytest.fixture(params=[60, pytest.param(1000, marks=pytest.mark.long)])
    def many(self, request: pytest.FixtureRequest) -> int:
        return int(request.param)


class TestSecrecy(WithService):
    def test_no_log_and_no_traceback_has_a_password_however_talkative(
        self, there: Domain, service: Account, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        samba, authority = there.samba, there.opened()
        unreached = open_authority(samba.realm(("127.0.0.1",), port="1"), lambda: OURS)
        new, refused = Secret("Nobody-reads-this-1"), Secret("Zq-17")
        faults = []
        samba.adlab("loud", "dc1", "100")
        authority.set_password(service, new)
        for protocol in LogonProtocol:
            authority.try_logon(service, new, protocol=protocol)
            authority.try_logon(service, WRONG, protocol=protocol)
        for realm, secret in ((authority, refused), (unreached, new)):
            with pytest.raises(AuthorityError) as raised:
                realm.set_password(service, secret)
            faults.append(with_locals(raised.value))
        said = b"".join(path.read_bytes() for path in samba.directory.glob("dc1/**/*log*") if path.is_file())
        said += caplog.text.encode() + "".join(faults).encode()
        samba.adlab("loud", "dc1", "1")
        assert b"unicodePwd" in said
        assert b"PREAUTH_FAILED" in said, "the controller was not talkative"
        for secret in (new, WRONG, refused, OURS.secret):
            assert [form for form in _forms(secret) if form in said] == []


def _forms(secret: Secret) -> Iterator[bytes]:
    for plain in (secret.reveal().encode(), secret.reveal().encode("utf-16-le")):
        yield plain
        yield base64.b64encode(plain).rstrip(b"=")[:-1]
        yield plain.hex().encode()
        yield repr(plain)[2:-1].encode()


class TestOwnAccounts:
    """The two with which Keyturn itself works, made as the how-to says: in the unit, each with the delegated rights."""

    names = ("kt-own-1", "kt-own-2")

    @pytest.fixture
    def own(self, there: Domain) -> dict[str, Secret]:
        passwords = {name: Secret(f"Keeps-the-{name}-7x") for name in self.names}
        for name, password in passwords.items():
            there.delegate(name)
            there.samba.set_password(there.samba.dn(name), password)
        there.samba.adlab("sync", "dc1", "dc2")
        return passwords

    def test_each_is_changed_by_the_other_and_no_logon_is_refused(
        self, tmp_path: Path, there: Domain, own: dict[str, Secret]
    ) -> None:
        site = opened_with_its_own(tmp_path, there, own)
        before = {name: there.sets(name) for name in own}
        first, second = own
        for name in (first, second, first):
            record = carried(site, site.rotate(name).plan_id)
            assert record.state is PlanState.DONE, record.note
        assert {name: there.sets(name) - before[name] for name in own} == {first: 2, second: 1}
        assert [there.samba.bad_count(name) for name in own] == [0, 0]
        site.close()


class TestOwnAccountsWithoutCertificates(TestOwnAccounts):
    names = ("kt-own-3", "kt-own-4")

    @pytest.fixture
    def there(self, there: Domain) -> Domain:
        if find_spec("gssapi") is None:
            pytest.skip("the extra `kerberos` is not installed")
        for controller, host in zip(("DC1", "DC2"), there.samba.hosts, strict=True):
            there.samba.known_as(controller, host, host)
        return replace(there, sealed=True)


def opened_with_its_own(folder: Path, there: Domain, own: dict[str, Secret]) -> InnerSite:
    """A site that reaches the domain as sites do, with the login that its own store says."""
    first, second = own
    realm = replace(there.realm, bind_account=first, second_bind_account=second)
    accounts_text = "".join(f'\n[[account]]\nname = "{n}"\nrealm = "CORP"\nrole = "generic/service"\n' for n in own)
    text = estate(realm).split("\n[[site]]")[0] + accounts_text
    text = text.replace("replicas", f'bind_account = "{first}"\nsecond_bind_account = "{second}"\nreplicas')
    real: dict[str, Authority] = {}

    def reached(parts: Parts) -> Parts:
        def by_itself(_: str, name: str, secret: Secret) -> Budgeted:
            return Budgeted(open_authority(there.realm, lambda: Login(name, secret)), parts.store, parts.now)

        return replace(parts, reached_by=by_itself)

    site = site_in(folder, text, clock=Clock(time.time()), real=real, wrap=reached)

    def login() -> Login:
        account, secret = own_login(site.store, realm)
        return Login(account.name, secret)

    real["CORP"] = open_authority(there.realm, login)
    for name, password in own.items():
        accounts.adopt(site.parts, name, password, by="olga")
    return site
