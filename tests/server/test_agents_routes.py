"""The agents' routes and the access point: what is signed, once, by whom it says, and nothing else."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from keyturn.model.errors import KeyturnError
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations import clients
from keyturn.server import access_point, agents
from keyturn.server.serving import _refused
from keyturn.wire import agent as wire
from keyturn.wire.sealed import open_sealed, recipient_of
from tests.estates import ADDITIONAL
from tests.inner_site import InnerSite, site_in
from tests.server.machine import ACCOUNT, HOST, NAME, Machine


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ADDITIONAL)
    site.create("KtClient")
    yield site
    site.close()


@pytest.fixture
def http(site: InnerSite) -> TestClient:
    routes = [
        *agents.routes(site.parts, b"PEM", frozenset({HOST})),
        *access_point.routes(site.parts, frozenset({HOST})),
    ]
    app = Starlette(routes=routes, exception_handlers={KeyturnError: _refused})
    return TestClient(app, base_url=f"https://{HOST}", raise_server_exceptions=False)


@pytest.fixture
def machine(site: InnerSite, http: TestClient) -> Machine:
    machine = Machine(http, site.clock)
    token = clients.invite(site.parts, NAME, by="test")
    key = machine.key.public_key().public_bytes_raw()
    body = wire.write(wire.Enrol(token, NAME, key, recipient_of(machine.identity)))
    assert machine.send("POST", wire.ENROL, body).status_code == 200
    return machine


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"{ACCOUNT}:{password}".encode()).decode()


def test_a_machine_adopts_proves_and_is_current(site: InnerSite, machine: Machine) -> None:
    (adopt,) = machine.check_in().directions
    assert isinstance(adopt, wire.Adopt)
    password = open_sealed(machine.identity, ACCOUNT, 1, adopt.sealed).reveal()
    path = wire.share_path(agents.ACCESS_POINT, wire.SITE_FILE)
    answer = machine.send("GET", path, authorization=basic(password))
    assert (answer.status_code, answer.headers[wire.ANSWER_HEADER]) == (200, "accepted")
    assert machine.check_in(KtClient=1).directions == (wire.Use(ACCOUNT, 1),)


def test_what_somebody_else_has_changed_is_not_used_by_anybody(site: InnerSite, machine: Machine) -> None:
    """In a contact or for a program, and before anybody was refused."""
    proven(machine)
    assert machine.assure(KtClient=1).directions == (wire.Use(ACCOUNT, 1),)
    found = site.realm().find("KtClient")
    assert found
    site.realm().set_password(found, Secret("Somebody-else-9"))
    wait = wire.Wait(ACCOUNT, 60, "somebody else has changed its password in the realm")
    assert machine.assure(KtClient=1).directions == machine.check_in(KtClient=1).directions == (wait,)


def test_who_asks_for_a_program_is_told_nothing_of_what_it_does_not_hold(machine: Machine) -> None:
    assert machine.assure().directions == ()
    assert machine.assure(Nobody=1).directions == ()


@pytest.mark.parametrize("held", [1, 2])
def test_who_asks_for_a_program_is_handed_nothing(site: InnerSite, machine: Machine, held: int) -> None:
    """What it holds may be used without a proof of its own: the look says more."""
    [word] = machine.assure(KtClient=held).directions
    assert isinstance(word, wire.Use if held == 1 else wire.Wait)
    assert site.store.offers(NAME)[0].proven is None


def proven(machine: Machine) -> None:
    machine.check_in()
    proof = wire.write(wire.Proof(1, Answer.ACCEPTED))
    assert machine.send("PUT", wire.proof_path(NAME, ACCOUNT), proof).status_code == 200


def test_a_request_counts_once(site: InnerSite, machine: Machine, http: TestClient) -> None:
    body = wire.write(wire.CheckIn((), "test"))
    headers = machine.signed("POST", wire.CHECK_IN, body)
    assert http.post(wire.CHECK_IN, content=body, headers=headers).status_code == 200
    replayed = http.post(wire.CHECK_IN, content=body, headers=headers)
    assert replayed.status_code == 401
    assert replayed.json() == {"error": "the request was not accepted"}


def test_a_later_request_overtaken_by_an_earlier_one_is_refused(machine: Machine, http: TestClient) -> None:
    body = wire.write(wire.CheckIn((), "test"))
    earlier, later = machine.signed("POST", wire.CHECK_IN, body), machine.signed("POST", wire.CHECK_IN, body)
    assert http.post(wire.CHECK_IN, content=body, headers=later).status_code == 200
    assert http.post(wire.CHECK_IN, content=body, headers=earlier).status_code == 401


@pytest.mark.parametrize("change", ["body", "old", "host", "stranger", "unsigned", "path"])
def test_what_is_not_exactly_what_the_machine_sent_just_now_is_refused(
    machine: Machine, http: TestClient, change: str
) -> None:
    body = wire.write(wire.CheckIn((), "test"))
    headers = machine.signed("POST", wire.CHECK_IN, body, age=400 if change == "old" else 0)
    match change:
        case "body":
            body = wire.write(wire.CheckIn((), "tesd"))
        case "host":
            headers["host"] = "other.example:8443"
        case "stranger":
            headers = machine.signed("POST", wire.CHECK_IN, body, name="PC-0002")
        case "unsigned":
            headers = {}
        case "path":
            headers = machine.signed("POST", "/agent/v1/elsewhere", body)
    assert http.post(wire.CHECK_IN, content=body, headers=headers).status_code == 401


def test_a_proof_is_the_machines_own_and_of_what_it_was_given(machine: Machine) -> None:
    machine.check_in()
    proof = wire.write(wire.Proof(1, "accepted"))  # type: ignore[arg-type]
    assert machine.send("PUT", wire.proof_path("PC-0002", ACCOUNT), proof).status_code == 401
    never = wire.write(wire.Proof(7, "accepted"))  # type: ignore[arg-type]
    assert machine.send("PUT", wire.proof_path(NAME, ACCOUNT), never).status_code == 403
    assert machine.send("PUT", wire.proof_path(NAME, ACCOUNT), proof).status_code == 200


def test_an_enrolment_token_works_once_for_one_name(site: InnerSite, machine: Machine, http: TestClient) -> None:
    token = clients.invite(site.parts, "PC-0002", by="test")
    other = Machine(http, site.clock)
    key = other.key.public_key().public_bytes_raw()

    def enrol(name: str) -> int:
        body = wire.write(wire.Enrol(token, name, key, recipient_of(other.identity)))
        headers = other.signed("POST", wire.ENROL, body, name=name)
        return http.post(wire.ENROL, content=body, headers=headers).status_code

    assert enrol("PC-0003") == 403
    assert enrol("PC-0002") == 200
    assert enrol("PC-0002") == 403


def test_a_wrong_password_at_the_access_point_is_a_real_bad_attempt(site: InnerSite, machine: Machine) -> None:
    path = wire.share_path(agents.ACCESS_POINT, wire.SITE_FILE)
    answer = machine.send("GET", path, authorization=basic("Not-this-one-1"))
    assert (answer.status_code, answer.headers[wire.ANSWER_HEADER]) == (401, "wrong-password")
    account = site.realm().find("KtClient")
    assert account
    assert site.realm().describe(account).pinned.bad_count == 1


def test_without_a_logon_nothing_is_counted_and_nothing_is_said(site: InnerSite, http: TestClient) -> None:
    path = wire.share_path(agents.ACCESS_POINT, wire.SITE_FILE)
    for authorization in ("", "Bearer x", "Basic !!!", "Basic " + "A" * 5000):
        answer = http.get(path, headers={"authorization": authorization} if authorization else {})
        assert answer.status_code == 401
        assert wire.ANSWER_HEADER not in answer.headers
    assert site.realm().failed_logons(0) == 0


def test_a_bad_signature_is_refused_before_the_password_is_looked_at(site: InnerSite, machine: Machine) -> None:
    path = wire.share_path(agents.ACCESS_POINT, wire.SITE_FILE)
    headers = {**machine.signed("GET", "/cap/clidata.box/other"), "authorization": basic("Not-this-one-1")}
    assert machine.http.get(path, headers=headers).status_code == 401
    assert site.realm().failed_logons(0) == 0


def test_nobody_reads_another_machines_accounts(machine: Machine) -> None:
    (adopt,) = machine.check_in().directions
    assert isinstance(adopt, wire.Adopt)
    password = open_sealed(machine.identity, ACCOUNT, 1, adopt.sealed).reveal()
    other = wire.share_path(agents.ACCESS_POINT, wire.accounts_file("PC-0002"))
    assert machine.send("GET", other, authorization=basic(password)).status_code == 404


def test_a_body_without_end_is_refused_unread(machine: Machine, http: TestClient) -> None:
    assert http.post(wire.CHECK_IN, content=b"x" * (wire.MAX_REQUEST + 1)).status_code == 400
