"""The API for people: who may call what, and how errors are told."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from keyturn.model.secret import Secret
from keyturn.operations import people
from keyturn.operations.ports import Person, PersonRole
from keyturn.server.rest.app import authorisation, people_app
from tests.estates import ADDITIONAL
from tests.inner_site import InnerSite, site_in

PASSPHRASE = Secret("a long enough sentence")
_HASH = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSPHRASE.reveal())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ADDITIONAL)
    for role in PersonRole:
        site.store.people.add(Person(role.value, frozenset({role})), _HASH)
    yield site
    site.close()


@pytest.fixture
def api(site: InnerSite) -> Iterator[TestClient]:
    with TestClient(people_app(site.parts), raise_server_exceptions=False) as client:
        yield client


def bearer(site: InnerSite, name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {people.issue(site.parts, name, site.parts.settings.token_s).reveal()}"}


OPEN = {("POST", "/api/v1/login")}


@pytest.mark.parametrize(("method", "path"), sorted(authorisation()))
def test_every_route_needs_a_token_and_exactly_the_role_it_says(
    site: InnerSite, api: TestClient, method: str, path: str
) -> None:
    role = authorisation()[method, path]
    url = re.sub(r"{\w+}", lambda part: {"{realm}": "CORP"}.get(part[0], "1"), path)
    if (method, path) in OPEN:
        assert role == ""
        return
    assert api.request(method, url, json={}).status_code == 401
    assert api.request(method, url, json={}, headers={"authorization": "Bearer wrong"}).status_code == 401
    for other in PersonRole:
        status = api.request(method, url, json={}, headers=bearer(site, other.value)).status_code
        assert (status == 403) == (other.value != role), other


def test_who_knows_the_password_gets_a_token(site: InnerSite, api: TestClient) -> None:
    answer = api.post("/api/v1/login", json={"name": "viewer", "password": PASSPHRASE.reveal()})
    token = {"authorization": f"Bearer {answer.json()['token']}"}
    assert api.get("/api/v1/accounts", headers=token).status_code == 200


def test_a_wrong_password_and_an_unknown_name_are_told_alike(api: TestClient) -> None:
    answers = [
        api.post("/api/v1/login", json={"name": name, "password": "not this one"}) for name in ("viewer", "nobody")
    ]
    assert [a.status_code for a in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_a_token_ends_with_its_time_and_with_its_person(site: InnerSite, api: TestClient) -> None:
    token = bearer(site, "viewer")
    assert api.get("/api/v1/accounts", headers=token).status_code == 200
    site.clock.turn(site.parts.settings.token_s + 1)
    assert api.get("/api/v1/accounts", headers=token).status_code == 401
    fresh = bearer(site, "viewer")
    people.remove(site.parts, "viewer", by="approver")
    assert api.get("/api/v1/accounts", headers=fresh).status_code == 401


def test_nobody_removes_themselves_and_short_passwords_are_refused(site: InnerSite, api: TestClient) -> None:
    token = bearer(site, "approver")
    for spelling in ("approver", "Approver"):
        assert api.delete(f"/api/v1/people/{spelling}", headers=token).status_code == 409
    short = {"name": "eve", "roles": ["viewer"], "password": "short"}
    assert api.post("/api/v1/people", json=short, headers=token).status_code == 409


def test_an_error_names_the_thing_and_the_way_out(site: InnerSite, api: TestClient) -> None:
    answer = api.post("/api/v1/plans", json={"account": "nobody"}, headers=bearer(site, "operator"))
    assert answer.status_code == 404
    assert answer.json() == {"error": "no account nobody in the estate", "hint": "keyturn account list"}


def test_a_plan_goes_from_proposal_to_done_over_rest(site: InnerSite, api: TestClient) -> None:
    proposal = {"account": "CORP\\KtClient", "kind": "create"}
    proposed = api.post("/api/v1/plans", json=proposal, headers=bearer(site, "operator"))
    assert proposed.status_code == 201
    plan = proposed.json()
    assert plan["state"] == "proposed"
    assert set(plan["forecast"]) == {"first_lockout_s", "blamed", "orphaned", "recovered", "safe"}
    approved = api.post(f"/api/v1/plans/{plan['id']}/approve", headers=bearer(site, "approver"))
    assert approved.json()["approved_by"] == ["approver"]
    site.run(plan["id"])
    assert api.get(f"/api/v1/plans/{plan['id']}", headers=bearer(site, "viewer")).json()["state"] == "done"
    picture = api.get(f"/api/v1/plans/{plan['id']}/timeline.svg", headers=bearer(site, "viewer"))
    assert picture.headers["content-type"] == "image/svg+xml"


def test_a_password_in_a_request_comes_back_in_no_answer(site: InnerSite, api: TestClient) -> None:
    canary = "Maple7Rain-42x"
    for body in ({"account": "KtClient", "password": canary}, {"account": 7, "password": canary}, {"password": canary}):
        for path in ("/api/v1/accounts/adopt", "/api/v1/plans", "/api/v1/login"):
            answer = api.post(path, json=body, headers=bearer(site, "operator"))
            assert answer.status_code >= 400
            assert canary not in answer.text, path


def test_an_unforeseen_failure_tells_nothing_of_the_inside(site: InnerSite) -> None:
    def broken() -> None:
        raise RuntimeError("Maple7Rain-42x")

    class Store:
        def __getattr__(self, verb: str) -> object:
            return broken if verb == "estate" else getattr(site.store, verb)

    parts = replace(site.parts, store=Store())  # type: ignore[arg-type]
    with TestClient(people_app(parts), raise_server_exceptions=False) as api:
        answer = api.get("/api/v1/accounts", headers=bearer(site, "viewer"))
    assert answer.status_code == 500
    assert "Maple" not in answer.text
