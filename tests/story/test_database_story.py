"""The rotation of accounts at real database servers, through the use cases of a site."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe, Credential
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts, plans
from keyturn.operations.parts import LEASE_S
from keyturn.operations.ports import PlanState
from tests.builtin import Clock
from tests.cutting import cutting
from tests.database_realms import BOTH, GROUP, REALM, Database
from tests.inner_site import InnerSite, site_in

FIRST = Secret("Turn-the-key-0001")
ANY = LogonProtocol.KERBEROS
ESTATE = f"""
product = "generic"

[[realm]]
name = "{REALM}"
kind = "KIND"
replicas = ["HOST"]

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


@pytest.fixture(scope="module", params=BOTH)
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with BOTH[request.param]() as database:
        yield database


@pytest.fixture
def service(database: Database) -> Iterator[Account]:
    authority = database.authority()
    account = authority.create(AccountToBe(REALM, "kt-service"), FIRST)
    yield account
    authority.delete(account)


def opened(folder: Path, database: Database, authority: Authority) -> InnerSite:
    """The clock is the server's: what it says of logons is compared with ours."""
    text = ESTATE.replace("HOST", database.realm.replicas[0]).replace("KIND", database.realm.kind)
    return site_in(folder, text, clock=Clock(time.time()), real={REALM: authority})


def logs_on(database: Database, site: InnerSite, account: Account, generation: int) -> Answer:
    return database.authority().try_logon(account, site.store.secret(Credential(account, generation)), protocol=ANY)


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
    tmp_path: Path, database: Database, service: Account
) -> None:
    authority = database.authority()
    site = opened(tmp_path, database, authority)
    accounts.adopt(site.parts, "kt-service", FIRST, by="olga")
    record = site.rotate("kt-service")
    before, deaths = database.sets(), 0
    while record.state not in (PlanState.DONE, PlanState.STOPPED):
        site.close()
        site = opened(tmp_path, database, cast("Authority", Mortal(authority, deaths + 1)))
        site.clock.turn((deaths + 1) * (LEASE_S + 1))
        try:
            plans.advance_plan(site.parts, record.plan_id, "worker")
        except Killed:
            deaths += 1
        record = site.store.plan(record.plan_id)
    assert record.state is PlanState.DONE, record.note
    assert deaths > 3
    assert database.sets() == before + 1
    assert logs_on(database, site, service, 2) is Answer.ACCEPTED
    assert authority.try_logon(service, FIRST, protocol=ANY) is Answer.WRONG_PASSWORD
    authority.unlock(service)
    site.close()


def test_a_set_whose_answer_is_lost_is_resolved_and_not_made_again(
    tmp_path: Path, database: Database, service: Account
) -> None:
    commit = {"postgresql": b"COMMIT", "mariadb": b"ALTER USER"}[database.realm.kind]
    with _near() as folder, cutting((near := database.elsewhere(folder)).socket, database.socket) as cut:
        site = opened(tmp_path, near, near.authority())
        accounts.adopt(site.parts, "kt-service", FIRST, by="olga")
        record = site.rotate("kt-service")
        before = database.sets()
        cut.before = commit
        record = site.run(record.plan_id, rounds=10)
    assert record.state is PlanState.DONE, record.note
    assert (cut.cuts, database.sets()) == (1, before + 1)
    assert logs_on(database, site, service, 2) is Answer.ACCEPTED
    site.close()


def test_a_set_that_never_landed_is_made_again_with_the_same_password(
    tmp_path: Path, database: Database, service: Account
) -> None:
    with _near() as folder, cutting((near := database.elsewhere(folder)).socket, database.socket) as cut:
        site = opened(tmp_path, near, near.authority())
        accounts.adopt(site.parts, "kt-service", FIRST, by="olga")
        record = site.rotate("kt-service")
        cut.before = {"postgresql": b"ALTER ROLE", "mariadb": b"SET timestamp"}[database.realm.kind]
        record = site.run(record.plan_id, rounds=10)
    assert record.state is PlanState.DONE, record.note
    assert cut.cuts == 1
    assert logs_on(database, site, service, 2) is Answer.ACCEPTED
    site.close()


def test_a_second_account_is_made_with_the_same_rights_and_takes_over(tmp_path: Path, database: Database) -> None:
    authority = database.authority()
    site = opened(tmp_path, database, authority)
    site.create("kt-shared")
    database.administer(f"GRANT {_quoted(database, GROUP)} TO {_quoted(database, 'kt-shared')}")
    record = site.run(site.rotate("kt-shared").plan_id, step_s=30)
    assert record.state is PlanState.DONE, record.note
    first, second = authority.find("kt-shared"), authority.find("kt-shared_2")
    assert first
    assert second
    assert logs_on(database, site, second, 1) is Answer.ACCEPTED
    assert authority.rights(second) == authority.rights(first)
    assert authority.rights(second).groups == {GROUP}
    assert not authority.describe(first).enabled
    for account in (first, second):
        authority.delete(account)
    site.close()


def _quoted(database: Database, name: str) -> str:
    mark = '"' if database.realm.kind == "postgresql" else "`"
    return f"{mark}{name}{mark}"


@contextmanager
def _near() -> Iterator[Path]:
    """A folder whose name is short enough for a socket's."""
    with tempfile.TemporaryDirectory(prefix="keyturn-cut-") as folder:
        yield Path(folder)
