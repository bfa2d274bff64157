"""Packages that are at no distribution point: where policies send clients, and the manifests at the access point."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from keyturn.distribution.content import manifest_of
from keyturn.distribution.signed_content import read_signed
from keyturn.model.accounts import Credential
from keyturn.model.errors import KeyturnError
from keyturn.model.software import File, Offer
from keyturn.operations import clients
from keyturn.operations.signing import verify_key
from keyturn.server import access_point, agents, policy
from keyturn.server.access_point import access_files
from keyturn.server.serving import _refused
from keyturn.wire import agent as agent_wire
from keyturn.wire import policy as wire
from keyturn.wire.sealed import recipient_of
from tests.estates import DEFAULT
from tests.inner_site import InnerSite, site_in
from tests.offers import PACKAGE, consent, offer
from tests.server.machine import HOST, Machine

SHARE, FOLDER = r"\\fs1.corp.example\apps\editor", "/srv/editor"
MANIFEST = manifest_of(PACKAGE.package_id, 3, [File("install", 4, hashlib.sha256(b"1234").hexdigest())])
POINT = '\n[[site_system]]\nname = "DP1"\nsite = "PHX"\nroles = ["distribution-point"]\nshare = \'\\\\dp1\\packages\'\n'


@pytest.fixture
def inner(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, DEFAULT + POINT)
    site.create("SMSClient_PHX")
    yield site
    site.close()


@pytest.fixture
def machine(inner: InnerSite) -> Machine:
    names = frozenset({HOST})
    routes = [
        *agents.routes(inner.parts, b"", names),
        *policy.routes(inner.parts, names),
        *access_point.routes(inner.parts, names),
    ]
    app = Starlette(routes=routes, exception_handlers={KeyturnError: _refused})
    machine = Machine(TestClient(app, base_url=f"https://{HOST}"), inner.clock, "PC-0001")
    token = clients.invite(inner.parts, machine.name, by="test")
    key = machine.key.public_key().public_bytes_raw()
    body = agent_wire.write(agent_wire.Enrol(token, machine.name, key, recipient_of(machine.identity)))
    assert machine.send("POST", agent_wire.ENROL, body).status_code == 200
    return machine


def offered(site: InnerSite, source: str) -> None:
    """The editor, whose source is there, to PC-0001."""
    offer(site, "PC-0001")
    site.store.keep_package(replace(PACKAGE, source=source, source_version=MANIFEST.version))
    site.store.keep_manifest(MANIFEST)
    consent(site, "olga", approves=False)


def told(machine: Machine) -> Offer:
    reply = machine.send("GET", wire.POLICY)
    assert reply.status_code == 200, reply.text
    signed = msgspec.json.decode(reply.content, type=wire.SignedPolicy)
    (one,) = wire.from_body(signed.body).offers
    return one


def at_access_point(site: InnerSite, machine: Machine, name: str, *, right: bool = True) -> "tuple[int, bytes]":
    managed = site.store.named(r"CORP\SMSClient_PHX")
    assert managed.generation
    password = site.store.secret(Credential(managed.account, managed.generation)).reveal() if right else "wrong"
    basic = base64.b64encode(rf"CORP\SMSClient_PHX:{password}".encode()).decode()
    reply = machine.send("GET", f"/cap/{wire.PACKAGE_BOX}/{name}", authorization=f"Basic {basic}")
    return reply.status_code, reply.content


def test_a_package_on_a_share_that_goes_to_no_point_is_read_there(inner: InnerSite, machine: Machine) -> None:
    offered(inner, SHARE)
    assert (told(machine).source, told(machine).points, told(machine).digest) == (SHARE, (), MANIFEST.digest)


def test_one_that_is_only_on_its_way_to_a_point_waits_for_that(inner: InnerSite, machine: Machine) -> None:
    offered(inner, SHARE)
    inner.store.assign_points(PACKAGE.package_id, ("DP1",))
    assert (told(machine).source, told(machine).points) == ("", ())


def test_a_folder_of_the_site_server_is_no_place_for_clients(inner: InnerSite, machine: Machine) -> None:
    offered(inner, FOLDER)
    assert told(machine).source == ""


def test_the_access_point_has_the_signed_manifests_of_what_legacy_clients_read_at_its_source(
    inner: InnerSite, machine: Machine
) -> None:
    offered(inner, SHARE)
    (file,) = [file for file in access_files(inner.parts) if file.box == wire.PACKAGE_BOX]
    assert (file.name, file.mark) == ("PHX00001.3.pkg", MANIFEST.digest)
    assert read_signed(file.content(), verify_key(inner.parts)) == MANIFEST
    status, content = at_access_point(inner, machine, file.name)
    assert (status, read_signed(content, verify_key(inner.parts))) == (200, MANIFEST)


def test_what_lies_at_a_point_has_its_manifest_there_alone(inner: InnerSite, machine: Machine) -> None:
    offered(inner, SHARE)
    inner.store.assign_points(PACKAGE.package_id, ("DP1",))
    assert not [file for file in access_files(inner.parts) if file.box == wire.PACKAGE_BOX]


@pytest.mark.parametrize("name", ["PHX00001.4.pkg", "PHX00001.pkg", "PHX00009.3.pkg", "PHX00001.3", "x"])
def test_what_is_no_version_of_a_package_is_not_there(inner: InnerSite, machine: Machine, name: str) -> None:
    offered(inner, SHARE)
    assert at_access_point(inner, machine, name)[0] == 404


def test_a_wrong_password_gets_no_manifest(inner: InnerSite, machine: Machine) -> None:
    offered(inner, SHARE)
    assert at_access_point(inner, machine, "PHX00001.3.pkg", right=False)[0] == 401
