"""The rotation of an account of this machine, through the use cases of a site, in a private copy of `/etc`."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyturn.adapters.authorities.local_accounts.authority import LocalAccounts
from keyturn.adapters.authorities.local_accounts.programs import Machine
from keyturn.adapters.authorities.reaching import Login
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import Account, AccountToBe, Credential, RealmName
from keyturn.model.estate import Realm, RealmKind
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts
from keyturn.operations.ports import PlanState
from tests.builtin import Clock
from tests.inner_site import InnerSite, site_in
from tests.private_etc import private_etc
from tests.story.kill_story import KillStory

MACHINE = RealmName("HERE")
FIRST = Secret("Turn-the-key-0001")
ESTATE = """
product = "generic"

[[realm]]
name = "HERE"
kind = "local"
replicas = ["here"]

[[site]]
code = "PHX"
realm = "HERE"
server = "SRV-PHX"

[[account]]
name = "kt-service"
realm = "HERE"
role = "service"
sites = ["PHX"]
"""


@pytest.fixture(scope="module", autouse=True)
def etc() -> Iterator[Path]:
    with private_etc() as etc:
        yield etc


@pytest.fixture
def authority() -> Authority:
    return LocalAccounts(Realm(MACHINE, RealmKind.LOCAL, ("here",)), time.time, Machine())


@pytest.fixture
def service(authority: Authority) -> Iterator[Account]:
    account = authority.create(AccountToBe(MACHINE, "kt-service"), FIRST)
    yield account
    authority.delete(account)


@pytest.fixture
def site(tmp_path: Path, authority: Authority, service: Account) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ESTATE, clock=Clock(time.time()), real={MACHINE: authority})
    accounts.adopt(site.parts, "kt-service", FIRST, by="olga")
    yield site
    site.close()


def test_the_sealed_password_is_the_one_in_the_file(authority: Authority, service: Account, site: InnerSite) -> None:
    record = site.run(site.rotate("kt-service").plan_id, rounds=10)
    assert record.state is PlanState.DONE, record.note
    sealed = site.store.secret(Credential(service, 2))
    assert authority.try_logon(service, sealed, protocol=LogonProtocol.LDAP) is Answer.ACCEPTED
    assert authority.try_logon(service, FIRST, protocol=LogonProtocol.LDAP) is Answer.WRONG_PASSWORD


def test_what_root_has_set_meanwhile_stops_the_plan(authority: Authority, service: Account, site: InnerSite) -> None:
    plan = site.rotate("kt-service").plan_id
    original = authority.set_password

    def both(account: Account, secret: Secret) -> None:
        original(account, secret)
        original(account, Secret("Somebody-else-9"))

    authority.set_password = both  # type: ignore[method-assign]
    record = site.run(plan, rounds=10)
    assert record.state is PlanState.STOPPED
    assert "somebody else has changed" in record.note


@dataclass(frozen=True)
class Here:
    """This machine as a realm of the stories. It keeps no record of the passwords set."""

    realm = Realm(MACHINE, RealmKind.LOCAL, ("here",))
    login = Login("", Secret(""))

    def opened(self) -> Authority:
        return LocalAccounts(self.realm, time.time, Machine())

    def converge(self) -> None: ...

    def sets(self, name: str) -> None: ...

    def join(self, account: Account) -> None:
        self.opened().grant(account, Rights(groups=frozenset({"games"})))


class TestKills(KillStory):
    @pytest.fixture
    def there(self) -> Here:
        return Here()

    @pytest.fixture(params=[6, pytest.param(54, marks=pytest.mark.long)])
    def kills(self, request: pytest.FixtureRequest) -> int:
        return int(request.param)
