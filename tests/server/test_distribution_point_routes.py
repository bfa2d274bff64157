"""The site's own server as a distribution point: who gets what, and which part of it."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from keyturn.distribution.signed_content import read_signed
from keyturn.model.accounts import AccountToBe, RealmName
from keyturn.model.secret import Secret
from keyturn.operations import clients, software_packages
from keyturn.operations.content import read_source
from keyturn.operations.signing import verify_key
from keyturn.operations.software_packages import NewPackage
from keyturn.server.serving import Listening, site_app
from keyturn.wire.agent import ANSWER_HEADER
from tests.inner_site import RECIPIENT, InnerSite
from tests.server.machine import HOST, Machine
from tests.software import PACKAGE, software_site, source_of

CONTENT = bytes(range(100))
FILE = "/dp/v1/PHX00001.1/files/data/hundred.bin"
MANIFEST = "/dp/v1/PHX00001.1/manifest.json"
SECRET = Secret("Turn-the-key-0001")


class NoEngine:
    def start(self, parts: object) -> None: ...

    def stop(self) -> None: ...


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = software_site(tmp_path, two_person_approval=False)
    source = Path(source_of(site, "editor"))
    (source / "data").mkdir()
    (source / "data" / "hundred.bin").write_bytes(CONTENT)
    (source / "empty").write_bytes(b"")
    (source / "with space ü").write_bytes(b"odd")
    software_packages.add(site.parts, NewPackage("Editor", str(source)), by="olga")
    read_source(site.parts, PACKAGE, by="olga")
    yield site
    site.close()


@pytest.fixture
def http(site: InnerSite) -> TestClient:
    return serving(site)


def serving(site: InnerSite) -> TestClient:
    listening = Listening(HOST, 0, site.folder, site.folder, b"", frozenset({HOST}))
    app = site_app(site.parts, listening, NoEngine())
    return TestClient(app, base_url=f"https://{HOST}", raise_server_exceptions=False)


@pytest.fixture
def machine(site: InnerSite, http: TestClient) -> Machine:
    machine = Machine(http, site.clock)
    token = clients.invite(site.parts, machine.name, by="test")
    clients.enrol(site.parts, token, machine.name, machine.key.public_key().public_bytes_raw(), RECIPIENT)
    return machine


WHOLE = (200, CONTENT, None)
RANGES = [
    ("bytes=0-9", (206, CONTENT[:10], "bytes 0-9/100")),
    ("bytes=90-", (206, CONTENT[90:], "bytes 90-99/100")),
    ("bytes=90-99999", (206, CONTENT[90:], "bytes 90-99/100")),
    ("bytes=99-99", (206, CONTENT[99:], "bytes 99-99/100")),
    ("bytes=-10", (206, CONTENT[-10:], "bytes 90-99/100")),
    ("bytes=-1000", (206, CONTENT, "bytes 0-99/100")),
    ("bytes=100-", (416, None, "bytes */100")),
    ("bytes=100-200", (416, None, "bytes */100")),
    ("bytes=-0", (416, None, "bytes */100")),
    # RFC 9110, 14.2: what is invalid, in another unit, or more than is answered, may be ignored.
    ("bytes=9-0", WHOLE),
    ("bytes=a-b", WHOLE),
    ("bytes=", WHOLE),
    ("bytes=-", WHOLE),
    ("bytes", WHOLE),
    ("lines=0-9", WHOLE),
    ("bytes=0-9,20-29", WHOLE),
    ("bytes=0-9,1000-", WHOLE),
    ("bytes=0-" + "9" * 40, WHOLE),
]


@pytest.mark.parametrize(("asked", "answered"), RANGES)
def test_a_range_is_answered_as_the_standard_has_it(
    machine: Machine, asked: str, answered: tuple[int, bytes | None, str | None]
) -> None:
    reply = machine.send("GET", FILE, range=asked)
    status, content, content_range = answered
    assert reply.status_code == status
    assert content is None or reply.content == content
    assert reply.headers.get("content-range") == content_range


def test_the_whole_file_says_what_it_is(machine: Machine) -> None:
    reply = machine.send("GET", FILE)
    assert (reply.status_code, reply.content) == (200, CONTENT)
    assert reply.headers["etag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["content-length"] == "100"
    assert reply.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("validator", "status"),
    [
        (f'"{hashlib.sha256(CONTENT).hexdigest()}"', 206),
        ('"another"', 200),
        (f'W/"{hashlib.sha256(CONTENT).hexdigest()}"', 200),
        ("Sat, 01 Jan 2000 00:00:00 GMT", 200),
    ],
)
def test_a_range_of_another_content_is_the_whole(machine: Machine, validator: str, status: int) -> None:
    reply = machine.send("GET", FILE, range="bytes=50-", **{"if-range": validator})
    assert reply.status_code == status
    assert reply.content == (CONTENT[50:] if status == 206 else CONTENT)


def test_head_has_no_ranges_and_no_body(machine: Machine) -> None:
    reply = machine.send("HEAD", FILE, range="bytes=0-9")
    assert (reply.status_code, reply.content, reply.headers["content-length"]) == (200, b"", "100")


def test_an_empty_file_is_one(machine: Machine) -> None:
    reply = machine.send("GET", "/dp/v1/PHX00001.1/files/empty")
    assert (reply.status_code, reply.content) == (200, b"")


def test_a_name_is_found_in_its_percent_encoding(machine: Machine) -> None:
    assert machine.send("GET", "/dp/v1/PHX00001.1/files/with%20space%20%C3%BC").content == b"odd"


def test_the_manifest_is_signed_by_the_site(site: InnerSite, machine: Machine) -> None:
    reply = machine.send("GET", MANIFEST)
    manifest = read_signed(reply.content, verify_key(site.parts))
    assert manifest == site.store.manifest(PACKAGE, 1)
    assert reply.headers["etag"] == f'"{manifest.digest}"'


@pytest.mark.parametrize(
    "path",
    [
        "/dp/v1/PHX00001.2/manifest.json",
        "/dp/v1/PHX00009.1/manifest.json",
        "/dp/v1/PHX00001/manifest.json",
        "/dp/v1/PHX00001.1/files/data",
        "/dp/v1/PHX00001.1/files/nothing",
        "/dp/v1/PHX00001.1/files/data/../data/hundred.bin",
        "/dp/v1/PHX00001.1/files/data/%2e%2e/data/hundred.bin",
        "/dp/v1/PHX00001.1/files//etc/passwd",
        "/dp/v1/PHX00001.1/files/..%2f..%2fstore.db",
        "/dp/v1/PHX00001.1/files/",
        "/dp/v1/../store.db/manifest.json",
        "/dp/v1/%2e%2e/manifest.json",
    ],
)
def test_what_is_in_no_manifest_is_not_there(site: InnerSite, machine: Machine, path: str) -> None:
    headers = machine.signed("GET", path)
    reply = machine.http.request("GET", path, headers=headers)
    assert reply.status_code in (401, 404)  # 401: the client of the test has tidied up the path that was signed


@pytest.mark.parametrize("path", [FILE, MANIFEST])
def test_a_stranger_gets_nothing(http: TestClient, path: str) -> None:
    reply = http.get(path)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith("Basic")
    assert CONTENT[:20] not in reply.content


def test_a_signed_request_counts_once(machine: Machine) -> None:
    headers = machine.signed("GET", FILE)
    assert machine.http.get(FILE, headers=headers).status_code == 200
    assert machine.http.get(FILE, headers=headers).status_code == 401


def test_a_signature_for_one_file_is_worth_nothing_for_another(machine: Machine) -> None:
    headers = machine.signed("GET", MANIFEST)
    assert machine.http.get(FILE, headers=headers).status_code == 401


def test_an_account_of_the_realm_is_let_in(site: InnerSite, http: TestClient) -> None:
    site.realm().create(AccountToBe(RealmName("CORP"), "NetAccess"), SECRET)
    reply = http.get(FILE, auth=(r"CORP\NetAccess", SECRET.reveal()))
    assert (reply.status_code, reply.content, reply.headers[ANSWER_HEADER]) == (200, CONTENT, "accepted")


def test_a_wrong_password_is_a_real_bad_attempt_and_its_answer_is_told(site: InnerSite, http: TestClient) -> None:
    account = site.realm().create(AccountToBe(RealmName("CORP"), "NetAccess"), SECRET)
    reply = http.get(FILE, auth=(r"CORP\NetAccess", "Never-was-a-key-0"))
    assert (reply.status_code, reply.headers[ANSWER_HEADER]) == (401, "wrong-password")
    assert site.realm().describe(account).pinned.bad_count == 1


def test_a_package_may_be_kept_for_some_accounts_without_being_distributed_anew(
    site: InnerSite, http: TestClient, machine: Machine
) -> None:
    for name in ("NetAccess", "Other"):
        site.realm().create(AccountToBe(RealmName("CORP"), name), SECRET)
    software_packages.give_access(site.parts, PACKAGE, [r"CORP\NetAccess"], [], by="olga")
    assert http.get(FILE, auth=(r"corp\netaccess", SECRET.reveal())).status_code == 200
    refused = http.get(FILE, auth=(r"CORP\Other", SECRET.reveal()))
    assert (refused.status_code, refused.headers[ANSWER_HEADER]) == (403, "no-file-access")
    assert machine.send("GET", FILE).status_code == 200


def test_an_nginx_in_front_is_told_which_file_it_is(site: InnerSite, machine: Machine) -> None:
    assert site.parts.content is not None
    site.parts = replace(site.parts, content=replace(site.parts.content, nginx_prefix="/keyturn-content/"))
    machine.http = serving(site)
    reply = machine.send("GET", FILE)
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert reply.headers["x-accel-redirect"] == f"/keyturn-content/sha256/{digest[:2]}/{digest}"
    assert reply.headers["etag"] == f'"{digest}"'
    assert reply.content == b""
    assert "x-accel-redirect" not in machine.http.get(FILE).headers


def test_a_file_that_the_store_has_lost_is_not_there(site: InnerSite, machine: Machine) -> None:
    assert site.parts.content is not None
    Path(site.parts.content.blobs.place(hashlib.sha256(CONTENT).hexdigest())).unlink()
    assert machine.send("GET", FILE).status_code == 404
