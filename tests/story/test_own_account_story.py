"""Keyturn changes the password of an account that it works with itself, at real servers."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from keyturn.adapters.authorities.reaching import Login, Maker
from keyturn.lifecycle.budgeted import Budgeted
from keyturn.lifecycle.guards import Change
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import AccountToBe, Credential
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import Realm
from keyturn.model.secret import Secret
from keyturn.operations import accounts, plans
from keyturn.operations.own_logins import own_login
from keyturn.operations.parts import LEASE_S, Parts
from keyturn.operations.ports import PlanState
from tests.builtin import Clock
from tests.database_realms import LOGIN, mariadb_realm, postgresql_realm
from tests.how_to import commands
from tests.inner_site import InnerSite, site_in

FIRST = LOGIN
SECOND = Login("keyturn_2", Secret("Stands-in-0002"))
ANOTHER = "changed-by-somebody"


@dataclass(frozen=True)
class There:
    """A real realm that Keyturn reaches as FIRST or SECOND, both made as the how-to says. `change_second` is somebody
    else giving SECOND another password, `refused` how many logons with either the servers have refused."""

    realm: Realm
    open: Maker
    change_second: Callable[[], None]
    refused: Callable[[], int]

    def authority(self, login: Callable[[], Login]) -> Authority:
        return self.open(self.realm, login)

    @property
    def estate(self) -> str:
        hosts = ", ".join(f'"{host}"' for host in self.realm.replicas)
        settings = "".join(f'{key} = "{value}"\n' for key, value in self.realm.connection)
        connection = f"\n[realm.connection]\n{settings}" if settings else ""
        return f"""
product = "generic"

[[realm]]
name = "{self.realm.name}"
kind = "{self.realm.kind}"
replicas = [{hosts}]
bind_account = "keyturn"
second_bind_account = "keyturn_2"
{connection}
[[account]]
name = "keyturn"
realm = "{self.realm.name}"
role = "service"

[[account]]
name = "keyturn_2"
realm = "{self.realm.name}"
role = "service"
"""


@contextmanager
def postgresql() -> Iterator[There]:
    with postgresql_realm() as database:
        for command in commands("keyturns-own-accounts", "sql"):
            database.administer(command)

        def change(password: str) -> None:
            database.administer(f"ALTER ROLE keyturn_2 PASSWORD '{password}'")

        change(SECOND.secret.reveal())
        yield There(database.realm, database.maker, lambda: change(ANOTHER), database.refusals)


@contextmanager
def mariadb() -> Iterator[There]:
    clause = f"IDENTIFIED BY '{SECOND.secret.reveal()}'"
    with mariadb_realm() as database:
        for command in commands("keyturns-own-accounts", "mysql"):
            ours = command.replace("IDENTIFIED VIA mysql_native_password USING '*HASH'", clause)
            database.administer(ours.replace(" REQUIRE SSL", ""))

        def change() -> None:
            database.administer(f"SET PASSWORD FOR keyturn_2@'%' = PASSWORD('{ANOTHER}')")

        def refused() -> int:
            return database.written().count(b"Connect\tAccess denied for user 'keyturn")

        yield There(database.realm, database.maker, change, refused)


@contextmanager
def openldap() -> Iterator[There]:
    """A provider and a consumer: what is proven is proven on both."""
    if find_spec("ldap") is None:
        pytest.skip("the extra `directory` is not installed")
    from keyturn.adapters.authorities.openldap.authority import open_authority
    from tests import openldap as servers
    from tests.openldap_configuration import ACCESS, ACCOUNTS, two_accounts

    with servers.running(access=two_accounts(ACCESS)) as directory:

        def change(name: str, password: str) -> None:
            with directory.administering() as root:
                root.passwd_s(f"uid={name},{ACCOUNTS}", None, password)

        change(FIRST.name, FIRST.secret.reveal())
        realm = directory.realm()
        open_authority(realm, lambda: FIRST).create(AccountToBe(realm.name, SECOND.name), SECOND.secret)
        directory.converge()

        def refused() -> int:
            return sum(server.log.read_bytes().count(b"err=49") for server in (directory.provider, directory.consumer))

        yield There(realm, open_authority, lambda: change(SECOND.name, ANOTHER), refused)


REALMS = {"postgresql": postgresql, "mariadb": mariadb, "openldap": openldap}


class Killed(BaseException):
    pass


@dataclass
class Watched:
    """An authority that writes down with which account each verb was done, and whose process can die after one."""

    authority: Authority
    login: Callable[[], Login]
    used: list[tuple[str, str]] = field(default_factory=list)
    dies_after: int = 0

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self.authority, name)

        def call(*given: object, **named: object) -> object:
            self.used.append((name, self.login().name))
            answer = verb(*given, **named)
            if len(self.used) == self.dies_after:
                raise Killed
            return answer

        return call


@pytest.fixture(params=REALMS)
def there(request: pytest.FixtureRequest) -> Iterator[There]:
    with REALMS[request.param]() as there:
        yield there


def opened(folder: Path, there: There, *, dies_after: int = 0) -> tuple[InnerSite, Watched]:
    """A site that reaches the server as sites do, with the login that its own store says."""
    real: dict[str, Authority] = {}

    def by_the_account_itself(parts: Parts) -> Parts:
        def reached(realm: str, name: str, secret: Secret) -> Budgeted:
            return Budgeted(there.authority(lambda: Login(name, secret)), parts.store, parts.now)

        return replace(parts, reached_by=reached)

    site = site_in(folder, there.estate, clock=Clock(time.time()), wrap=by_the_account_itself, real=real)

    def login() -> Login:
        account, secret = own_login(site.store, site.store.estate().realm(there.realm.name))
        return Login(account.name, secret)

    watched = Watched(there.authority(login), login, dies_after=dies_after)
    real[there.realm.name] = watched  # type: ignore[assignment]
    return site, watched


def taken_in(folder: Path, there: There) -> tuple[InnerSite, Watched]:
    site, watched = opened(folder, there)
    for login in (FIRST, SECOND):
        accounts.adopt(site.parts, login.name, login.secret, by="olga")
    watched.used.clear()
    return site, watched


def test_each_is_changed_by_the_other(tmp_path: Path, there: There) -> None:
    site, watched = taken_in(tmp_path, there)
    for changed, meanwhile in (("keyturn", "keyturn_2"), ("keyturn_2", "keyturn"), ("keyturn", "keyturn_2")):
        record = site.rotate(changed)
        watched.used.clear()
        assert site.run(record.plan_id).state is PlanState.DONE
        assert {login for _, login in watched.used} == {meanwhile}
        assert "set_password" in {verb for verb, _ in watched.used}
    assert watched.login().name == "keyturn"
    assert site.store.account(site.store.estate().managed("keyturn").account).generation == 3
    assert watched.find("keyturn")  # and so the newest password is the right one
    assert there.refused() == 0
    site.close()


def test_there_is_never_a_moment_without_a_working_one_whatever_crashes(tmp_path: Path, there: There) -> None:
    site, _ = taken_in(tmp_path, there)
    record, deaths = site.rotate("keyturn"), 0
    while record.state not in (PlanState.DONE, PlanState.STOPPED):
        site.close()
        site, watched = opened(tmp_path, there, dies_after=deaths + 1)
        site.clock.turn((deaths + 1) * (LEASE_S + 1))
        try:
            plans.advance_plan(site.parts, record.plan_id, "worker")
        except Killed:
            deaths += 1
        record = site.store.plan(record.plan_id)
        assert there.authority(watched.login).find("keyturn")
    assert record.state is PlanState.DONE, record.note
    assert deaths > 3
    secret = site.store.secret(Credential(site.store.estate().managed("keyturn").account, 2))
    assert there.authority(lambda: Login("keyturn", secret)).find("keyturn")
    assert there.refused() == 0
    site.close()


def test_both_are_never_changed_at_once(tmp_path: Path, there: There) -> None:
    site, _ = taken_in(tmp_path, there)
    site.rotate("keyturn")
    with pytest.raises(Refused, match="has an open plan"):
        site.rotate("keyturn_2")
    site.close()


def test_a_plan_stops_before_anything_is_sealed_when_the_other_one_does_not_work(tmp_path: Path, there: There) -> None:
    site, _ = taken_in(tmp_path, there)
    there.change_second()
    record = site.run(site.rotate("keyturn").plan_id)
    assert record.state is PlanState.STOPPED
    assert there.refused() == 1
    assert "keyturn_2" in record.note
    assert record.hint.startswith("keyturn account adopt")
    assert "keyturn_2" in record.hint
    assert not site.store.changing(site.store.estate().managed("keyturn_2").account)
    managed = site.store.estate().managed("keyturn")
    with pytest.raises(NotFound):
        site.store.secret(Credential(managed.account, 2))
    site.close()


def test_a_wrong_password_for_the_second_is_refused_at_once_with_the_time_of_the_next(
    tmp_path: Path, there: There
) -> None:
    site, _ = opened(tmp_path, there)
    accounts.adopt(site.parts, FIRST.name, FIRST.secret, by="olga")
    with pytest.raises(Refused, match="keyturn_2 was not taken in: ") as wrong:
        accounts.adopt(site.parts, SECOND.name, Secret(ANOTHER), by="olga")
    next_one = datetime.fromtimestamp(math.ceil(site.clock.now + 1800), UTC).strftime("from %Y-%m-%d %H:%M:%SZ on")
    assert f"{next_one} (in 30 min)" in wrong.value.hint
    assert wrong.value.hint.endswith(f"keyturn account adopt '{there.realm.name}\\keyturn_2'")
    assert site.store.since()[-1].kind == "account-adoption-refused"
    site.clock.turn(900)
    with pytest.raises(Refused, match="one bad attempt of ours") as kept_back:
        accounts.adopt(site.parts, SECOND.name, SECOND.secret, by="olga")
    assert f"{next_one} (in 15 min)" in kept_back.value.hint
    assert there.refused() == 1
    site.clock.turn(901)
    assert accounts.adopt(site.parts, SECOND.name, SECOND.secret, by="olga").generation == 1
    site.close()


def test_one_alone_is_not_changed(tmp_path: Path, there: There) -> None:
    site, _ = opened(tmp_path, there)
    accounts.adopt(site.parts, FIRST.name, FIRST.secret, by="olga")
    with pytest.raises(Refused, match="could not be repaired with it") as refused:
        site.rotate("keyturn")
    assert "second_bind_account" in refused.value.hint
    site.close()


def test_none_of_them_is_disabled_by_hand(tmp_path: Path, there: There) -> None:
    site, _ = taken_in(tmp_path, there)
    with pytest.raises(Refused, match=f"Keyturn reaches realm {there.realm.name} with it"):
        accounts.change(site.parts, "keyturn_2", Change.DISABLE, by="olga")
    site.close()
