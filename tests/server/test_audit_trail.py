"""Whoever changes something over the API is named in the audit log, and what they typed in secret is not in it."""

import base64
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from httpx2 import Response

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.secret import Secret
from keyturn.operations import envelopes, people, plans, push_asking, recovery, site_control_text
from keyturn.operations.estates import import_estate
from keyturn.operations.ports import Event, Person, PersonRole
from keyturn.server.rest.app import authorisation, people_app
from keyturn.wire.estate_file.reading import read_estate
from tests.estates import HEAD, account
from tests.inner_site import InnerSite, site_in
from tests.server import authored, linked, pointed
from tests.software import OFFER, PACKAGE

ESTATE = HEAD + account("KtClient", "client-connection-additional") + account("KtInstall", "software-installation")
CLIENT, INSTALL = "CORP\\KtClient", "CORP\\KtInstall"
SECRET = "Maple7Rain-42x"
_HASH = PasswordHasher(time_cost=1, memory_cost=64).hash(SECRET)


SIGHTINGS = [
    {"domain": "CORP", "name": "KtClient", "source": "PC-9", "first_at": 1, "last_at": 2, "accepted": 3, "wrong": 0}
]


def nothing(site: InnerSite) -> str:
    return ""


def known_account(site: InnerSite) -> str:
    """One whose password is `SECRET`."""
    record = plans.propose_creation(site.parts, INSTALL, by="olga", given=Secret(SECRET))
    plans.approve(site.parts, record.plan_id, by="paul")
    assert site.run(record.plan_id).state == "done"
    return ""


def proposed(site: InnerSite) -> str:
    return plans.propose_creation(site.parts, CLIENT, by="olga").plan_id


def waiting(site: InnerSite) -> str:
    """For machines without an agent."""
    known_account(site)
    record = site.rotate(INSTALL)
    assert site.run(record.plan_id, rounds=5).state == "waiting"
    return record.plan_id


def stopped(site: InnerSite) -> str:
    plan_id = waiting(site)
    site.clock.turn(3601)
    assert site.run(plan_id).state == "stopped"
    return plan_id


def drilling(site: InnerSite) -> str:
    known_account(site)
    return envelopes.hand_out(site.parts, INSTALL, None, envelopes.Purpose.DRILL, by="custodian").challenge


def enrolled(site: InnerSite) -> str:
    site.enrol("PC-0001")
    return ""


def service_known(site: InnerSite) -> str:
    """A service account whose password is `SECRET`."""
    return _made(site, "SMSService", "service")


def _made(site: InnerSite, name: str, role: str) -> str:
    text = site.store.text() + account(name, role)
    import_estate(site.parts, text, read_estate(text, roles=role_names()), by="olga")
    record = plans.propose_creation(site.parts, name, by="olga", given=Secret(SECRET))
    plans.approve(site.parts, record.plan_id, by="paul")
    assert site.run(record.plan_id).state == "done"
    return ""


class NoMachines:
    """A way to machines that nobody takes here."""

    def push(self, *_: object) -> NoReturn:
        raise AssertionError("nobody carries a request out in this test")


def push_possible(site: InnerSite) -> str:
    site.parts = replace(site.parts, pusher=NoMachines())
    return _made(site, "KtPush", "client-push-installation")


def push_asked(site: InnerSite) -> str:
    push_possible(site)
    push_asking.ask(site.parts, push_asking.Asked(names=["PC-0001"]), by="olga")
    return ""


def key_issued(site: InnerSite) -> str:
    recovery.issue(site.parts, "floor-2", lasts_s=60, by="olga")
    return ""


def control_text(site: InnerSite) -> str:
    """That sets one property otherwise."""
    text = site_control_text.export_text(site.parts)
    changed = text.replace(b"<Maximum Concurrent Sendings><><><8>", b"<Maximum Concurrent Sendings><><><4>")
    assert changed != text
    return base64.b64encode(changed).decode()


def left_out(site: InnerSite) -> str:
    """An access point that a reset went on without."""
    site.store.leave_out("CAP1", proposed(site))
    return ""


@dataclass(frozen=True)
class Call:
    """`before` makes what the call is about, and returns the plan's id or the drill's challenge where there is one.
    `tells` is the event."""

    tells: str
    body: object = None
    """Text, JSON, or JSON made from what `before` has returned."""
    before: Callable[[InnerSite], str] = nothing
    by: str = ""
    """Whose name is expected, where no role is needed."""


CHANGE = {"set": [{"path": "sender.https.at-once", "value": "4"}]}

CALLS: dict[tuple[str, str], Call] = {
    ("PUT", "/estate"): Call("estate-imported", ESTATE),
    ("POST", "/estate/sightings"): Call("holders-seen", {"seen": SIGHTINGS}),
    ("POST", "/accounts/adopt"): Call("account-adopted", {"account": INSTALL, "password": SECRET}, known_account),
    ("POST", "/accounts/change"): Call("account-unlocked", {"account": INSTALL, "change": "unlock"}, known_account),
    ("POST", "/plans"): Call("plan-proposed", {"account": INSTALL, "kind": "create", "password": SECRET}),
    ("POST", "/plans/{plan_id}/approve"): Call("plan-approved", before=proposed),
    ("POST", "/plans/{plan_id}/reject"): Call("plan-rejected", before=proposed),
    ("POST", "/plans/{plan_id}/resume"): Call("plan-resumed", before=stopped),
    ("POST", "/plans/{plan_id}/resume-alike"): Call("plan-resumed", before=stopped),
    ("POST", "/plans/{plan_id}/abandon"): Call("plan-abandoned", before=waiting),
    ("POST", "/plans/{plan_id}/confirm"): Call("holders-confirmed", {"holders": ["PC-0001"]}, waiting),
    ("POST", "/plans/{plan_id}/release"): Call("holders-released", {"holders": ["PC-0001"]}, waiting),
    ("POST", "/clients"): Call("client-invited", {"name": "PC-0001"}),
    ("POST", "/clients/{name}/readmit"): Call("client-readmitted", before=enrolled),
    ("POST", "/clients/forget"): Call("client-forgotten", {"names": ["PC-0001"]}, enrolled),
    ("POST", "/login"): Call("token-issued", {"name": "VIEWER", "password": SECRET}, by="viewer"),
    ("POST", "/people"): Call("person-added", {"name": "eve", "roles": ["viewer"], "password": SECRET}),
    ("DELETE", "/people/{name}"): Call("person-removed"),
    ("POST", "/envelopes/take"): Call("envelope-copied", {"account": INSTALL}, known_account),
    ("POST", "/envelopes/seal"): Call("envelope-sealed", {"account": INSTALL}, known_account),
    ("POST", "/envelopes/drill"): Call(
        "drill-failed", lambda challenge: {"account": INSTALL, "challenge": challenge, "answer": SECRET}, drilling
    ),
    ("POST", "/realms/{realm}/accounts/{name}/password"): Call(
        "password-set-in-realm", {"password": SECRET + "2"}, known_account
    ),
    ("PUT", "/realms/{realm}/policy"): Call("realm-policy-set", {"lockout_threshold": 7}),
    ("POST", "/hierarchy/invitations"): Call("site-invited", {"code": "LON"}, linked.with_child_planned),
    ("POST", "/hierarchy/join"): Call(
        "site-joined", {"url": "https://cen.example", "fingerprint": "", "token": SECRET}, linked.with_parent_in_reach
    ),
    ("POST", "/hierarchy/leave"): Call("site-left", before=linked.with_parent),
    ("DELETE", "/hierarchy/sites/{name}"): Call("site-dismissed", before=linked.with_child),
    ("POST", "/hierarchy/bundles"): Call(
        "bundle-queued", {"destination": "LON", "kind": "status", "payload": "aGVsbG8="}, linked.with_child
    ),
    ("POST", "/hierarchy/collect"): Call(
        "bundle-collected", {"source": "LON", "kind": "status", "sequence": 1}, linked.with_file
    ),
    ("POST", "/site/control/deltas"): Call("site-control-applied", CHANGE),
    ("POST", "/site/control/deltas/{name}"): Call("site-control-proposed", {**CHANGE, "base": 0}, linked.with_child),
    ("PUT", "/site/control/text"): Call("site-control-applied", lambda text: {"content": text}, control_text),
    ("POST", "/push"): Call("client-install-asked", {"names": ["PC-0001"]}, push_possible),
    ("DELETE", "/push/{name}"): Call("client-install-withdrawn", before=push_asked),
    ("POST", "/logon-keys"): Call("logon-key-issued", {"name": "floor-2"}),
    ("DELETE", "/logon-keys/{name}"): Call("logon-key-revoked", before=key_issued),
    ("POST", "/site/components"): Call("component-stop", {"verb": "stop", "names": ["account-manager"]}),
    ("POST", "/site-resets"): Call("plan-proposed", {"site": "PHX", "service_password": SECRET}, service_known),
    ("POST", "/left-out/{system}/assign"): Call("access-point-assigned", before=left_out),
    ("POST", "/sites/{code}/removal"): Call("site-removed", before=linked.with_child_planned),
    ("POST", "/access-points/{system}/permissions"): Call("permissions-set", before=pointed.with_access_point),
    ("POST", "/access-points/repair"): Call("permissions-repaired", {"carry_out": True}, pointed.with_access_point),
    ("POST", "/inboxes/visit"): Call("access-points-visited", before=pointed.with_access_point),
    ("POST", "/packages"): Call("package-added", {"name": "Editor", "access": [CLIENT]}),
    ("POST", "/packages/{package_id}/update"): Call("package-updated", {}, authored.with_unread_package),
    ("POST", "/packages/{package_id}/access"): Call("package-access", {"allow": [CLIENT]}, authored.with_program),
    ("POST", "/packages/{package_id}/distribute"): Call("package-distributed", {}, authored.with_point),
    ("POST", "/packages/{package_id}/refresh"): Call("package-refreshed", {}, authored.with_point),
    ("DELETE", "/packages/{package_id}"): Call("package-removed", before=authored.with_program),
    ("POST", "/programs"): Call("program-added", {"program": authored.PROGRAM}, authored.with_package_alone),
    ("DELETE", "/packages/{package_id}/programs/{name}"): Call("program-removed", before=authored.with_program),
    ("POST", "/collections"): Call("collection-added", {"name": "Desks", "listed": ["PC-0001"]}),
    ("DELETE", "/collections/{name}"): Call("collection-removed", before=authored.with_program),
    ("POST", "/advertisements"): Call("advertisement-made", authored.seen, authored.with_program),
    ("POST", "/advertisements/{advertisement_id}/approve"): Call(
        "advertisement-approved", lambda digest: {"digest": digest}, authored.with_offer
    ),
    ("POST", "/advertisements/{advertisement_id}/cancel"): Call("advertisement-cancelled", before=authored.with_offer),
    ("DELETE", "/advertisements/{advertisement_id}"): Call(
        "advertisement-removed", before=authored.with_cancelled_offer
    ),
    ("POST", "/realms/{realm}/replication"): Call("replica-cut", {"replica": "dc2", "cut": True}),
}
"""Every route that changes something, with a request that it takes."""

ASKING: dict[tuple[str, str], Call] = {
    ("POST", "/accounts/show"): Call("", {"account": CLIENT}),
    ("POST", "/forecasts"): Call("", {"account": CLIENT}),
    ("POST", "/site-resets/preview"): Call("", {"site": "PHX"}),
    ("POST", "/plans/{plan_id}/release-forecast"): Call("", {"holders": ["PC-0001"]}, waiting),
    ("POST", "/clients/forget-preview"): Call("", {"names": ["PC-0001"]}, enrolled),
    ("POST", "/advertisements/preview"): Call("", authored.ADVERTISEMENT, authored.with_program),
    ("POST", "/audit-log/verify"): Call("", {"checkpoints": []}),
}
"""They answer a question whose words belong in a body, and change nothing."""

NAMES = {
    "/clients/{name}/readmit": "PC-0001",
    "/people/{name}": "viewer",
    "/hierarchy/sites/{name}": "LON",
    "/site/control/deltas/{name}": "LON",
    "/push/{name}": "PC-0001",
    "/logon-keys/{name}": "floor-2",
    "/packages/{package_id}/programs/{name}": "Install",
    "/collections/{name}": "Desks",
    "/realms/{realm}/accounts/{name}/password": "KtInstall",
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ESTATE)
    for role in PersonRole:
        site.store.people.add(Person(role.value, frozenset({role})), _HASH)
    yield site
    site.close()


def events_of(site: InnerSite, route: tuple[str, str], call: Call) -> tuple[list[Event], str]:
    """What the call has told, and the name of who made it."""
    ready = prepared(site, route, call)
    before = len(site.store.since())
    answer = ready.send()
    assert answer.status_code < 300, answer.text
    return list(site.store.since(before)), ready.role or call.by


@dataclass(frozen=True)
class Ready:
    role: str | None
    send: Callable[[], Response]


def prepared(site: InnerSite, route: tuple[str, str], call: Call) -> Ready:
    method, path = route
    role = authorisation()[method, f"/api/v1{path}"]
    found = call.before(site)
    body = call.body(found) if callable(call.body) else call.body
    named = {"realm": "CORP", "system": "CAP1", "code": "LON", "package_id": PACKAGE, "advertisement_id": OFFER}
    url = "/api/v1" + path.format(plan_id=found, name=NAMES.get(path), **named)
    headers = {"content-type": "application/json"}
    if role:
        headers["authorization"] = f"Bearer {people.issue(site.parts, role, 60).reveal()}"

    def send() -> Response:
        with TestClient(people_app(site.parts)) as api:
            if isinstance(body, str):
                toml = {**headers, "content-type": "application/toml"}
                return api.request(method, url, content=body, headers=toml)
            return api.request(method, url, json=body, headers=headers)

    return Ready(role, send)


@pytest.mark.parametrize("route", sorted(route for route in authorisation() if route[0] != "GET"), ids=" ".join)
def test_a_route_that_changes_something_names_who_did(site: InnerSite, route: tuple[str, str]) -> None:
    route = (route[0], route[1].removeprefix("/api/v1"))
    assert (route in CALLS) != (route in ASKING), f"{route}: say in this test what it tells"
    if route in ASKING:
        assert events_of(site, route, ASKING[route])[0] == []
        return
    told, person = events_of(site, route, CALLS[route])
    assert (person, CALLS[route].tells) in [(event.actor, event.kind) for event in told]
    assert SECRET[:8] not in repr(site.store.since()), "what is typed in secret is not told"


IN_THE_REALM = {"/accounts/change", "/realms/{realm}/accounts/{name}/password", "/realms/{realm}/policy"} | {
    "/realms/{realm}/replication"
}
"""What they change is no row of the store, so that no transaction holds it together with its line."""


@pytest.mark.parametrize("route", sorted(route for route in CALLS if route[1] not in IN_THE_REALM), ids=" ".join)
def test_nothing_is_changed_where_its_line_cannot_be_written(
    site: InnerSite, tmp_path: Path, route: tuple[str, str]
) -> None:
    ready = prepared(site, route, CALLS[route])
    with closing(sqlite3.connect(tmp_path / "store.db")) as by_hand, by_hand:
        by_hand.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    before = rows_of(tmp_path)
    answer = ready.send()
    assert answer.status_code == 503, answer.text
    assert rows_of(tmp_path) == before


def rows_of(folder: Path) -> dict[str, list[object]]:
    """All of the store but the ledger of logons, which were spent."""
    with closing(sqlite3.connect(folder / "store.db")) as by_hand:
        tables = by_hand.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('attempts', 'sqlite_sequence')"
        ).fetchall()
        return {table: by_hand.execute(f"SELECT * FROM {table}").fetchall() for (table,) in tables}


def test_a_login_refused_is_told_by_name_only_where_that_is_one(site: InnerSite) -> None:
    before = len(site.store.since())
    with TestClient(people_app(site.parts)) as api:
        for name in ("Viewer", SECRET):
            answer = api.post("/api/v1/login", json={"name": name, "password": "not this one"})
            assert answer.status_code == 401
    told = site.store.since(before)
    assert [(event.actor, event.kind, event.subject) for event in told] == [
        ("viewer", "login-refused", "viewer"),
        ("somebody unknown", "login-refused", ""),
    ]
    assert SECRET not in repr(told)


def test_a_logon_that_was_spent_in_vain_is_told(site: InnerSite) -> None:
    known_account(site)
    before = len(site.store.since())
    token = {"authorization": f"Bearer {people.issue(site.parts, 'operator', 60).reveal()}"}
    with TestClient(people_app(site.parts)) as api:
        body = {"account": INSTALL, "password": "Wrong-" + SECRET}
        assert api.post("/api/v1/accounts/adopt", json=body, headers=token).status_code == 409
    told = [(event.actor, event.kind) for event in site.store.since(before)]
    assert ("operator", "account-adoption-refused") in told
    assert SECRET not in repr(site.store.since())
