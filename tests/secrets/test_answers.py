"""The API in one process with the test: every route in every wrong way, and with the site broken behind it."""

import base64
import json
import logging
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from keyturn.adapters.engine.embedded import EmbeddedEngine
from keyturn.model.secret import Secret
from keyturn.operations import clients, people, plans
from keyturn.operations.parts import Parts
from keyturn.operations.ports import Person, PersonRole
from keyturn.server.rest.app import authorisation, people_app
from keyturn.server.serving import Listening, site_app
from keyturn.wire.agent import CHECK_IN, SITE_FILE, CheckIn, accounts_file, share_path, write
from keyturn.wire.signing import Request, sign
from tests.estates import INSTALLATION
from tests.inner_site import RECIPIENT, InnerSite, site_in
from tests.secrets.breaking import Fault, breaking, with_locals
from tests.secrets.canary import Canaries
from tests.secrets.mistakes import Mistake, mistakes_with, of_people, routes, secret_routes

HOST, MACHINE = "site.example:8443", "PC-0001"
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

JSON = {"content-type": "application/json"}


@pytest.fixture
def password(canaries: Canaries) -> str:
    return canaries.plant("the password", 14)


@pytest.fixture
def site(tmp_path: Path, password: str) -> Iterator[InnerSite]:
    """Its account has the canary for a password, and its one machine is enrolled."""
    site = site_in(tmp_path, INSTALLATION)
    record = plans.propose_creation(site.parts, "KtInstall", by="olga", given=Secret(password))
    plans.approve(site.parts, record.plan_id, by="paul")
    assert site.run(record.plan_id).state == "done"
    token = clients.invite(site.parts, MACHINE, by="olga")
    clients.enrol(site.parts, token, MACHINE, SIGNING_KEY.public_key().public_bytes_raw(), RECIPIENT)
    site.store.people.add(Person("root", frozenset(PersonRole)), "")
    yield site
    site.close()


def whole(parts: Parts) -> TestClient:
    listening = Listening("", 0, Path(), Path(), b"", frozenset({HOST}))
    app = site_app(parts, listening, EmbeddedEngine())
    return TestClient(app, base_url=f"https://{HOST}", raise_server_exceptions=False)


def token_of(site: InnerSite) -> str:
    return people.issue(site.parts, "root", 3600).reveal()


def told(api: TestClient, mistake: Mistake) -> str:
    answer = api.request(mistake.method, mistake.path, content=mistake.body, headers=dict(mistake.headers))
    return f"{answer.status_code} {answer.headers!r} {answer.text}"


def test_the_walk_covers_every_route(password: str) -> None:
    assert {(method, f"/api/v1{path}") for method, path, _ in routes()} == set(authorisation())
    assert len(secret_routes()) >= 5


def test_no_answer_and_no_log_repeats_a_password_however_wrongly_it_was_sent(
    site: InnerSite, password: str, canaries: Canaries, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="httpx2")  # the test's own client, which logs its requests
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="sqlalchemy")
    api = whole(site.parts)
    answers = {mistake.name: told(api, mistake) for mistake in mistakes_with(password, token_of(site), routes())}
    assert {answer[:3] for answer in answers.values()} >= {"200", "400", "401", "404", "405", "409", "422"}
    assert "SELECT" in caplog.text
    canaries.nothing_leaked([], {**answers, "the log": caplog.text})


@pytest.mark.parametrize("route", secret_routes(), ids=lambda route: f"{route[0]} {route[1]}")
def test_a_server_that_fails_anywhere_tells_nothing(
    site: InnerSite, password: str, canaries: Canaries, route: tuple[str, str, type | None]
) -> None:
    meant = next(of_people(password, token_of(site), [route]))
    found: dict[str, str] = {}
    for number in count(1):
        fault = Fault(number)
        broken = TestClient(people_app(breaking(site, fault)))
        try:
            told(broken, meant)
        except Exception as error:
            found[f"traceback {number}"] = with_locals(error)
        fault.calls = 0
        found[f"answer {number}"] = told(whole(breaking(site, fault)), meant)
        if not fault.struck:
            break
    assert sum(answer.startswith("500") for answer in found.values()) > 1
    canaries.nothing_leaked([], found)


def signed(method: str, path: str, body: bytes, number: int, now: float) -> dict[str, str]:
    return sign(Request(method, HOST, path, None, body), SIGNING_KEY, MACHINE, number, int(now))


def logon(password: str) -> dict[str, str]:
    encoded = base64.b64encode(f"CORP\\KtInstall:{password}".encode()).decode()
    return {"authorization": f"Basic {encoded}"}


REQUESTS = {
    "check-in": ("POST", CHECK_IN, write(CheckIn((), "keyturn/0"))),
    "reading its accounts": ("GET", share_path("/cap", accounts_file(MACHINE)), b""),
    "logging on": ("GET", share_path("/cap", SITE_FILE), b""),
}


def broken_everywhere(site: InnerSite, password: str, what: str) -> tuple[dict[str, str], dict[str, str]]:
    """Answers and tracebacks of a signed request with a logon, one for each call that breaks."""
    method, path, body = REQUESTS[what]
    answers: dict[str, str] = {}
    tracebacks: dict[str, str] = {}
    for number in count(1):
        fault = Fault(number)
        api = whole(breaking(site, fault))
        headers = {**logon(password), **signed(method, path, body, number, site.clock.now)}
        answers[f"answer {number}"] = told(api, Mistake(what, method, path, body, headers))
        if not fault.struck:
            return answers, tracebacks
        fault.calls = 0
        api = TestClient(api.app, base_url=f"https://{HOST}")
        headers |= signed(method, path, body, 1000 + number, site.clock.now)
        try:
            told(api, Mistake(what, method, path, body, headers))
        except Exception as error:
            tracebacks[f"traceback {number}"] = with_locals(error)
    raise AssertionError("a fault beyond the last call strikes nothing")


@pytest.mark.parametrize("what", REQUESTS)
def test_a_failing_site_tells_an_agent_nothing(site: InnerSite, password: str, canaries: Canaries, what: str) -> None:
    answers, _ = broken_everywhere(site, password, what)
    assert sum(answer.startswith("500") for answer in answers.values()) > 1
    canaries.nothing_leaked([], answers)


@pytest.mark.parametrize("what", REQUESTS)
def test_no_traceback_of_an_agents_request_tells_its_logon(
    site: InnerSite, password: str, canaries: Canaries, what: str
) -> None:
    _, tracebacks = broken_everywhere(site, password, what)
    canaries.nothing_leaked([], tracebacks)


def test_a_password_typed_where_the_name_belongs_is_kept_nowhere(
    site: InnerSite, password: str, tmp_path: Path, canaries: Canaries, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mistaken = canaries.plant("a person's password")
    body = json.dumps({"name": mistaken, "password": "something else"}).encode()
    answer = told(whole(site.parts), Mistake("", "POST", "/api/v1/login", body, JSON))
    assert answer.startswith("401")
    canaries.nothing_leaked([tmp_path], {"the answer": answer, "the log": caplog.text})


@pytest.mark.parametrize("path", ["/api/v1/login", "/api/v1/people"])
def test_half_a_character_in_a_passphrase_is_no_failure_of_the_server(
    site: InnerSite, password: str, path: str
) -> None:
    body = json.dumps({"name": "eve", "roles": ["viewer"], "password": password + "\ud800"}).encode()
    bearer = {"authorization": f"Bearer {token_of(site)}"}
    assert told(whole(site.parts), Mistake("", "POST", path, body, JSON | bearer))[:3] != "500"
