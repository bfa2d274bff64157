"""What an account's logon at the site's own distribution point is good for, and what ends it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from keyturn.adapters.authorities.builtin.site_realms import Access
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.lifecycle.guards import Change
from keyturn.model.accounts import Account, AccountToBe, RealmName
from keyturn.model.secret import Secret
from keyturn.operations import accounts, clients, software_packages
from keyturn.operations.access import Logon
from keyturn.operations.content import read_source
from keyturn.operations.estates import import_estate
from keyturn.operations.software_packages import NewPackage
from keyturn.server.content import routes
from keyturn.server.recent_logons import GOOD_S
from keyturn.wire.estate_file.reading import read_estate
from tests.builtin import Clock
from tests.estates import account
from tests.inner_site import RECIPIENT, InnerSite
from tests.server.machine import HOST, Machine
from tests.software import ESTATE, PACKAGE, software_site, source_of

FILE = "/dp/v1/PHX00001.1/files/install"
NAME = r"CORP\NetAccess"
SECRET, NEXT, WRONG = Secret("Turn-the-key-0001"), Secret("Turn-the-key-0002"), Secret("Never-was-a-key-0")


class Counting(Access):
    """The realm, which knows how often it was asked."""

    asked = 0

    def logon(self, *given: Any, **named: Any) -> Logon:
        Counting.asked += 1
        return super().logon(*given, **named)


@dataclass
class Visitor:
    """An account of the realm that comes over HTTP Basic. `clock` is the server's own."""

    http: TestClient
    clock: Clock
    account: Account

    def reads(self, password: Secret = SECRET, **headers: str) -> bool:
        reply = self.http.get(FILE, auth=(NAME, password.reveal()), headers=headers)
        assert reply.status_code in (200, 401)
        return reply.status_code == 200


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = software_site(tmp_path, two_person_approval=False)
    text = ESTATE + account("NetAccess", "network-access")
    import_estate(site.parts, text, read_estate(text, roles=role_names()), by="olga")
    software_packages.add(site.parts, NewPackage("Editor", source_of(site, "editor", install="the editor")), by="olga")
    read_source(site.parts, PACKAGE, by="olga")
    yield site
    site.close()


@pytest.fixture
def visitor(site: InnerSite) -> Visitor:
    made = site.realm().create(AccountToBe(RealmName("CORP"), "NetAccess"), SECRET)
    parts = replace(site.parts, access_realm=lambda name: Counting(site.realm(name)))
    Counting.asked = 0
    clock = Clock()
    app = Starlette(routes=routes(parts, frozenset({HOST}), clock))
    return Visitor(TestClient(app, base_url=f"https://{HOST}"), clock, made)


def test_five_hundred_files_cost_an_account_one_logon(visitor: Visitor) -> None:
    assert all(visitor.reads() for _ in range(500))
    assert Counting.asked == 1


def test_after_a_minute_the_realm_is_asked_again(visitor: Visitor) -> None:
    visitor.reads()
    visitor.clock.turn(GOOD_S - 1)
    visitor.reads()
    assert Counting.asked == 1
    visitor.clock.turn(1)
    assert visitor.reads()
    assert Counting.asked == 2


def test_what_was_refused_is_not_remembered_and_nothing_else_is_taken_for_it(visitor: Visitor) -> None:
    assert visitor.reads()
    assert not visitor.reads(WRONG)
    assert not visitor.reads(WRONG)
    assert Counting.asked == 3
    assert visitor.reads()
    assert Counting.asked == 3


def test_each_machine_logs_on_for_itself(site: InnerSite, visitor: Visitor) -> None:
    """Its logon is its proof that it has the password."""
    machine = Machine(visitor.http, site.clock)
    token = clients.invite(site.parts, machine.name, by="test")
    clients.enrol(site.parts, token, machine.name, machine.key.public_key().public_bytes_raw(), RECIPIENT)
    assert visitor.reads()
    for _ in range(2):
        assert visitor.reads(**machine.signed("GET", FILE))
    assert Counting.asked == 2


def test_another_generation_of_the_account_ends_it(site: InnerSite, visitor: Visitor) -> None:
    accounts.adopt(site.parts, NAME, SECRET, by="olga")
    visitor.reads()
    site.realm().set_password(visitor.account, NEXT)
    visitor.reads()
    assert Counting.asked == 1, "the realm alone knows of it"
    accounts.adopt(site.parts, NAME, NEXT, by="olga")
    visitor.reads()
    assert Counting.asked == 2


def test_an_account_that_is_disabled_through_keyturn_reads_nothing_from_then_on(
    site: InnerSite, visitor: Visitor
) -> None:
    assert visitor.reads()
    accounts.change(site.parts, NAME, Change.DISABLE, by="olga")
    assert not visitor.reads()


def test_a_name_that_nobody_can_have_is_asked_of_the_realm_alone(visitor: Visitor) -> None:
    assert visitor.http.get(FILE, auth=("CORP\\Net\0Access", "x")).status_code == 401
