"""The rotation of SQL Server's logins through the use cases of a site, against the fake."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe, Credential
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts
from keyturn.operations.ports import PlanState
from tests.builtin import Clock
from tests.database_realms import GROUP, REALM, Certificates, Database, certificates_for
from tests.inner_site import InnerSite, site_in
from tests.tds_fake.realm import THRESHOLD, faked, granted, realm_of
from tests.tds_fake.server import Fake

FIRST = Secret("Turn-the-key-0001")
ANY = LogonProtocol.KERBEROS
ESTATE = f"""
product = "generic"

[[realm]]
name = "{REALM}"
kind = "sql-server"
replicas = ["localhost"]

[realm.policy]
lockout_threshold = {THRESHOLD}

[[site]]
code = "PHX"
realm = "{REALM}"
server = "SRV-PHX"

[[account]]
name = "kt-service"
realm = "{REALM}"
role = "database"
sites = ["PHX"]

[[account]]
name = "kt-shared"
realm = "{REALM}"
role = "shared-service"
sites = ["PHX"]
"""


@pytest.fixture(scope="module")
def certificates() -> Iterator[Certificates]:
    with certificates_for(None) as certificates:
        yield certificates


@pytest.fixture
def fake(certificates: Certificates) -> Iterator[Fake]:
    with faked(certificates) as fake:
        yield fake


@pytest.fixture
def database(fake: Fake, certificates: Certificates) -> Database:
    return realm_of(fake, certificates)


@pytest.fixture
def authority(database: Database) -> Authority:
    return database.authority()


@pytest.fixture
def site(tmp_path: Path, authority: Authority) -> Iterator[InnerSite]:
    """The clock is the server's: what it says of logons is compared with ours."""
    site = site_in(tmp_path, ESTATE, clock=Clock(time.time()), real={REALM: authority})
    yield site
    site.close()


@pytest.fixture
def service(authority: Authority, site: InnerSite) -> Account:
    account = authority.create(AccountToBe(REALM, "kt-service"), FIRST)
    accounts.adopt(site.parts, "kt-service", FIRST, by="olga")
    return account


def test_a_login_is_rotated_and_no_attempt_is_wrong(
    fake: Fake, database: Database, authority: Authority, site: InnerSite, service: Account
) -> None:
    record = site.run(site.rotate("kt-service").plan_id)
    assert record.state is PlanState.DONE, record.note
    assert database.sets() == 1
    assert fake.instance.logins["kt-service"].bad_count == 0
    assert not [line for line in fake.written if line.startswith("Logon:")]
    assert _logs_on(authority, site, service, 2) is Answer.ACCEPTED
    assert site.store.secret(Credential(service, 2)).reveal() not in "".join(fake.written)


def test_a_set_whose_answer_is_lost_is_resolved_and_not_made_again(
    fake: Fake, database: Database, authority: Authority, site: InnerSite, service: Account
) -> None:
    record = site.rotate("kt-service")
    lost: list[str] = []
    fake.after = lambda batch: bool(lost) or "HASHED" not in batch or lost.append(batch) is not None
    record = site.run(record.plan_id, rounds=10)
    assert record.state is PlanState.DONE, record.note
    assert (len(lost), database.sets()) == (1, 1)
    assert _logs_on(authority, site, service, 2) is Answer.ACCEPTED


def test_a_lock_by_somebody_else_ends_with_the_rotation(
    fake: Fake, authority: Authority, site: InnerSite, service: Account
) -> None:
    for _ in range(THRESHOLD):
        authority.try_logon(service, Secret("Not-its-password"), protocol=ANY)
    assert authority.describe(service).locked
    record = site.run(site.rotate("kt-service").plan_id, rounds=10)
    assert record.state is PlanState.DONE, record.note
    assert not authority.describe(service).locked
    assert _logs_on(authority, site, service, 2) is Answer.ACCEPTED


def test_a_second_login_is_made_with_the_same_rights_and_takes_over(
    fake: Fake, database: Database, authority: Authority, site: InnerSite
) -> None:
    with granted(fake, "CONTROL SERVER"):
        site.create("kt-shared")
        database.administer(f"ALTER SERVER ROLE [{GROUP}] ADD MEMBER [kt-shared]")
        database.administer("USE [billing];CREATE USER [kt-shared] FOR LOGIN [kt-shared]")
        database.administer("GRANT UPDATE ON SCHEMA::[dbo] TO [kt-shared]", "billing")
        record = site.run(site.rotate("kt-shared").plan_id, step_s=30)
        assert record.state is PlanState.DONE, record.note
        first, second = authority.find("kt-shared"), authority.find("kt-shared_2")
        assert first
        assert second
        assert _logs_on(authority, site, second, 1) is Answer.ACCEPTED
        assert authority.rights(second) == authority.rights(first)
        assert authority.rights(second).groups == {GROUP}
        assert not authority.describe(first).enabled


def _logs_on(authority: Authority, site: InnerSite, account: Account, generation: int) -> Answer:
    return authority.try_logon(account, site.store.secret(Credential(account, generation)), protocol=ANY)
