"""The rotation of an account of this machine, through the use cases of a site, in a private copy of `/etc`."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.adapters.authorities.local_accounts.authority import LocalAccounts
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe, Credential, RealmName
from keyturn.model.estate import Realm, RealmKind
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts
from keyturn.operations.ports import PlanState
from tests.builtin import Clock
from tests.inner_site import InnerSite, site_in
from tests.private_etc import private_etc

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
    return LocalAccounts(Realm(MACHINE, RealmKind.LOCAL, ("here",)), time.time)


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
