"""Keyturn changes the password of an account that it works with itself, at real database servers."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from keyturn.adapters.authorities.reaching import Login
from keyturn.lifecycle.budgeted import Budgeted
from keyturn.lifecycle.guards import Change
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Credential
from keyturn.model.errors import NotFound, Refused
from keyturn.model.secret import Secret
from keyturn.operations import accounts, plans
from keyturn.operations.own_logins import own_login
from keyturn.operations.parts import LEASE_S, Parts
from keyturn.operations.ports import PlanState
from tests.builtin import Clock
from tests.database_realms import BOTH, LOGIN, REALM, Database
from tests.how_to import commands
from tests.inner_site import InnerSite, site_in

SECOND = Login("keyturn_2", Secret("Stands-in-0002"))
ESTATE = f"""
product = "generic"

[[realm]]
name = "{REALM}"
kind = "KIND"
replicas = ["HOST"]
bind_account = "keyturn"
second_bind_account = "keyturn_2"

[[account]]
name = "keyturn"
realm = "{REALM}"
role = "service"

[[account]]
name = "keyturn_2"
realm = "{REALM}"
role = "service"
"""


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


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with BOTH[request.param]() as database:
        _make_second(database)
        yield database


def _make_second(database: Database) -> None:
    """As the how-to says."""
    if database.realm.kind == "postgresql":
        for command in commands("keyturns-own-accounts", "sql"):
            database.administer(command)
        database.administer(f"ALTER ROLE keyturn_2 PASSWORD '{SECOND.secret.reveal()}'")
        return
    clause = f"IDENTIFIED BY '{SECOND.secret.reveal()}'"
    for command in commands("keyturns-own-accounts", "mysql"):
        ours = command.replace("IDENTIFIED VIA mysql_native_password USING '*HASH'", clause)
        database.administer(ours.replace(" REQUIRE SSL", ""))


def opened(folder: Path, database: Database, *, estate: str = ESTATE, dies_after: int = 0) -> tuple[InnerSite, Watched]:
    """A site that reaches the server as sites do, with the login that its own store says."""
    real: dict[str, Authority] = {}

    def by_the_account_itself(parts: Parts) -> Parts:
        def reached(realm: str, name: str, secret: Secret) -> Budgeted:
            return Budgeted(database.authority(lambda: Login(name, secret)), parts.store, parts.now)

        return replace(parts, reached_by=reached)

    text = estate.replace("HOST", database.realm.replicas[0]).replace("KIND", database.realm.kind)
    if database.realm.connection:
        port = dict(database.realm.connection)["port"]
        text = text.replace("\n[[account]]", f'\n[realm.connection]\nport = "{port}"\n\n[[account]]', 1)
    site = site_in(folder, text, clock=Clock(time.time()), wrap=by_the_account_itself, real=real)

    def login() -> Login:
        account, secret = own_login(site.store, site.store.estate().realm(REALM))
        return Login(account.name, secret)

    watched = Watched(database.authority(login), login, dies_after=dies_after)
    real[REALM] = watched  # type: ignore[assignment]
    return site, watched


def taken_in(folder: Path, database: Database) -> tuple[InnerSite, Watched]:
    site, watched = opened(folder, database)
    for login in (LOGIN, SECOND):
        accounts.adopt(site.parts, login.name, login.secret, by="olga")
    watched.used.clear()
    return site, watched


def test_each_is_changed_by_the_other(tmp_path: Path, database: Database) -> None:
    site, watched = taken_in(tmp_path, database)
    for changed, meanwhile in (("keyturn", "keyturn_2"), ("keyturn_2", "keyturn"), ("keyturn", "keyturn_2")):
        record = site.rotate(changed)
        watched.used.clear()
        assert site.run(record.plan_id).state is PlanState.DONE
        assert {login for _, login in watched.used} == {meanwhile}
        assert "set_password" in {verb for verb, _ in watched.used}
    assert watched.login().name == "keyturn"
    assert site.store.account(site.store.estate().managed("keyturn").account).generation == 3
    assert watched.find("keyturn")  # and so the newest password is the right one
    site.close()


def test_there_is_never_a_moment_without_a_working_one_whatever_crashes(tmp_path: Path, database: Database) -> None:
    site, _ = taken_in(tmp_path, database)
    record, deaths = site.rotate("keyturn"), 0
    while record.state not in (PlanState.DONE, PlanState.STOPPED):
        site.close()
        site, watched = opened(tmp_path, database, dies_after=deaths + 1)
        site.clock.turn((deaths + 1) * (LEASE_S + 1))
        try:
            plans.advance_plan(site.parts, record.plan_id, "worker")
        except Killed:
            deaths += 1
        record = site.store.plan(record.plan_id)
        assert database.authority(watched.login).find("keyturn")
    assert record.state is PlanState.DONE, record.note
    assert deaths > 3
    secret = site.store.secret(Credential(site.store.estate().managed("keyturn").account, 2))
    assert database.authority(lambda: Login("keyturn", secret)).find("keyturn")
    site.close()


def test_both_are_never_changed_at_once(tmp_path: Path, database: Database) -> None:
    site, _ = taken_in(tmp_path, database)
    site.rotate("keyturn")
    with pytest.raises(Refused, match="has an open plan"):
        site.rotate("keyturn_2")
    site.close()


def test_a_plan_stops_before_anything_is_sealed_when_the_other_one_does_not_work(
    tmp_path: Path, database: Database
) -> None:
    site, _ = taken_in(tmp_path, database)
    if database.realm.kind == "postgresql":
        database.administer("ALTER ROLE keyturn_2 PASSWORD 'changed-by-somebody'")
    else:
        database.administer("SET PASSWORD FOR keyturn_2@'%' = PASSWORD('changed-by-somebody')")
    record = site.run(site.rotate("keyturn").plan_id)
    assert record.state is PlanState.STOPPED
    assert "keyturn_2" in record.note
    assert record.hint == "keyturn account adopt keyturn_2"
    assert not site.store.changing(site.store.estate().managed("keyturn_2").account)
    managed = site.store.estate().managed("keyturn")
    with pytest.raises(NotFound):
        site.store.secret(Credential(managed.account, 2))
    site.close()


def test_one_alone_is_not_changed(tmp_path: Path, database: Database) -> None:
    site, _ = opened(tmp_path, database)
    accounts.adopt(site.parts, LOGIN.name, LOGIN.secret, by="olga")
    with pytest.raises(Refused, match="could not be repaired with it") as refused:
        site.rotate("keyturn")
    assert "second_bind_account" in refused.value.hint
    site.close()


def test_none_of_them_is_disabled_by_hand(tmp_path: Path, database: Database) -> None:
    site, _ = taken_in(tmp_path, database)
    with pytest.raises(Refused, match="Keyturn reaches realm LEDGER with it"):
        accounts.change(site.parts, "keyturn_2", Change.DISABLE, by="olga")
    site.close()
