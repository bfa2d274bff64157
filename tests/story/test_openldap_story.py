"""The rotation of an account in a real OpenLDAP directory, through the use cases of a site."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from keyturn.adapters.authorities.openldap.authority import open_authority
from keyturn.adapters.authorities.reaching import Login
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe, Credential
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts, plans
from keyturn.operations.parts import LEASE_S
from keyturn.operations.ports import PlanState
from tests.builtin import Clock
from tests.inner_site import InnerSite, site_in
from tests.openldap import PROXY, REALM, Directory, running
from tests.openldap_configuration import BIND_PASSWORD
from tests.openldap_proxy import proxied, sets

FIRST = Secret("Turn-the-key-0001")
ESTATE = f"""
product = "generic"

[[realm]]
name = "{REALM}"
kind = "openldap"
replicas = ["127.0.0.1", "127.0.0.2"]

[[site]]
code = "PHX"
realm = "{REALM}"
server = "SRV-PHX"

[[account]]
name = "kt-service"
realm = "{REALM}"
role = "service"
sites = ["PHX"]

[[account]]
name = "kt-shared"
realm = "{REALM}"
role = "shared-service"
sites = ["PHX"]
"""


@pytest.fixture(scope="module")
def directory() -> Iterator[Directory]:
    with running() as directory:
        yield directory


def reached(directory: Directory, provider: str | None = None) -> Authority:
    realm = directory.realm()
    if provider:
        realm = replace(realm, replicas=(provider, *realm.replicas[1:]))
    return open_authority(realm, lambda: Login("keyturn", Secret(BIND_PASSWORD)))


@pytest.fixture
def authority(directory: Directory) -> Authority:
    return reached(directory)


@pytest.fixture
def service(directory: Directory, authority: Authority) -> Iterator[Account]:
    account = authority.create(AccountToBe(REALM, "kt-service"), FIRST)
    directory.converge()
    yield account
    authority.delete(account)


def opened(folder: Path, authority: Authority) -> InnerSite:
    """The clock is the server's: what it says of logons is compared with ours."""
    return site_in(folder, ESTATE, clock=Clock(time.time()), real={REALM: authority})


def logs_on(authority: Authority, site: InnerSite, account: Account, generation: int) -> Answer:
    secret = site.store.secret(Credential(account, generation))
    return authority.try_logon(account, secret, protocol=LogonProtocol.LDAP)


class Killed(BaseException):
    pass


class Mortal:
    """An authority whose process dies right after its call of that number."""

    def __init__(self, authority: Authority, calls: int) -> None:
        self._authority = authority
        self._left = calls

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._authority, name)

        def call(*given: object, **named: object) -> object:
            answer = verb(*given, **named)
            self._left -= 1
            if self._left == 0:
                raise Killed
            return answer

        return call


def test_the_sealed_password_logs_on_at_the_server_although_worker_after_worker_dies(
    tmp_path: Path, directory: Directory, authority: Authority, service: Account
) -> None:
    site = opened(tmp_path, authority)
    accounts.adopt(site.parts, "kt-service", FIRST, by="olga")
    record = site.rotate("kt-service")
    before, deaths = sets(directory), 0
    while record.state not in (PlanState.DONE, PlanState.STOPPED):
        site.close()
        site = opened(tmp_path, cast("Authority", Mortal(authority, deaths + 1)))
        site.clock.turn((deaths + 1) * (LEASE_S + 1))
        try:
            plans.advance_plan(site.parts, record.plan_id, "worker")
        except Killed:
            deaths += 1
        record = site.store.plan(record.plan_id)
    assert record.state is PlanState.DONE, record.note
    assert deaths > 3
    assert sets(directory) == before + 1
    assert logs_on(authority, site, service, 2) is Answer.ACCEPTED
    assert authority.try_logon(service, FIRST, protocol=LogonProtocol.LDAP) is Answer.WRONG_PASSWORD
    site.close()


def test_a_set_whose_answer_is_lost_is_resolved_and_not_made_again(
    tmp_path: Path, directory: Directory, authority: Authority, service: Account
) -> None:
    with proxied(directory) as proxy:
        site = opened(tmp_path, reached(directory, PROXY))
        accounts.adopt(site.parts, "kt-service", FIRST, by="olga")
        before = sets(directory)
        proxy.cutting = True
        record = site.run(site.rotate("kt-service").plan_id, rounds=10)
    assert record.state is PlanState.DONE, record.note
    assert (proxy.cuts, sets(directory)) == (1, before + 1)
    assert logs_on(authority, site, service, 2) is Answer.ACCEPTED
    assert authority.describe(service).pinned.bad_count == 0
    site.close()


def test_a_second_account_is_made_in_the_same_groups_and_takes_over(tmp_path: Path, authority: Authority) -> None:
    site = opened(tmp_path, authority)
    site.create("kt-shared")
    record = site.run(site.rotate("kt-shared").plan_id, step_s=30)
    assert record.state is PlanState.DONE, record.note
    first, second = authority.find("kt-shared"), authority.find("kt-shared_2")
    assert first
    assert second
    assert logs_on(authority, site, second, 1) is Answer.ACCEPTED
    assert not authority.describe(first).enabled
    for account in (first, second):
        authority.delete(account)
    site.close()
