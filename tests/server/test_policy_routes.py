"""The management point's routes, and the same policy at the access point."""

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.applications import Starlette
from starlette.testclient import TestClient

from keyturn.adapters.store.store import SqlStore
from keyturn.distribution.reports import AdvertisementReport, AdvertisementState
from keyturn.model.accounts import Credential
from keyturn.model.errors import KeyturnError
from keyturn.model.estate import AccountLife
from keyturn.model.software import Policy
from keyturn.operations import clients
from keyturn.operations.inbox_reading import read_inboxes
from keyturn.operations.software_policy import Policies
from keyturn.server import access_point, agents, policy
from keyturn.server.serving import _refused
from keyturn.site.client_files import DiscoveryRecord, write_letter
from keyturn.wire import agent as agent_wire
from keyturn.wire import policy as wire
from keyturn.wire.sealed import recipient_of
from tests.estates import DEFAULT, account
from tests.inner_site import InnerSite, site_in
from tests.offers import OFFER, PACKAGE, PROGRAM, consent, offer
from tests.server.machine import HOST, Machine

ESTATE = (
    DEFAULT + account("KtReach", "network-access") + '\n[[client]]\nname = "LT-1"\nsite = "PHX"\nkind = "advanced"\n'
)
DAY_S = 24 * 3600.0
LONG_S = 10.0
"""More than a change may go unnoticed."""


class Site:
    """With a clock for the server's own waiting beside that of the site."""

    def __init__(self, inner: InnerSite) -> None:
        self.inner = inner
        self.elapsed = 0.0
        parts, names, clock = inner.parts, frozenset({HOST}), lambda: self.elapsed
        routes = [
            *agents.routes(parts, b"", names),
            *policy.routes(parts, names, clock),
            *access_point.routes(parts, names, clock),
        ]
        self.app = Starlette(routes=routes, exception_handlers={KeyturnError: _refused})

    def later(self, seconds: float = LONG_S) -> None:
        self.elapsed += seconds
        self.inner.clock.turn(seconds)

    def machine(self, name: str) -> Machine:
        machine = Machine(TestClient(self.app, base_url=f"https://{HOST}"), self.inner.clock, name)
        token = clients.invite(self.inner.parts, name, by="test")
        key = machine.key.public_key().public_bytes_raw()
        body = agent_wire.write(agent_wire.Enrol(token, name, key, recipient_of(machine.identity)))
        assert machine.send("POST", agent_wire.ENROL, body).status_code == 200
        return machine


@pytest.fixture
def inner(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ESTATE)
    for name in ("SMSClient_PHX", "KtReach"):
        site.create(name)
    yield site
    site.close()


@pytest.fixture
def site(inner: InnerSite) -> Site:
    return Site(inner)


def opened(machine: Machine, content: bytes) -> Policy:
    """Checked as an agent does it."""
    key = msgspec.json.decode(machine.http.get(wire.POLICY_KEY).content, type=wire.PolicyKey)
    signed = msgspec.json.decode(content, type=wire.SignedPolicy)
    Ed25519PublicKey.from_public_bytes(key.verify_key).verify(signed.signature, wire.PURPOSE + signed.body)
    return wire.from_body(signed.body)


def asked(machine: Machine) -> Policy:
    answer = machine.send("GET", wire.POLICY)
    assert answer.status_code == 200, answer.text
    return opened(machine, answer.content)


def test_a_client_gets_what_is_offered_to_it_signed_by_its_site(site: Site) -> None:
    offer(site.inner, "LT-1")
    machine = site.machine("LT-1")
    found = asked(machine)
    assert [(o.advertisement.advertisement_id, o.program) for o in found.offers] == [(OFFER, PROGRAM)]
    assert (found.client, found.site, found.realm, found.kind) == ("LT-1", "PHX", "CORP", "advanced")
    assert found.accounts.network_access == ("CORP\\KtReach",)
    assert found.expires_at - found.issued_at == site.inner.parts.settings.policy_s


def test_what_was_changed_on_the_way_does_not_open(site: Site) -> None:
    offer(site.inner, "LT-1")
    machine = site.machine("LT-1")
    signed = msgspec.json.decode(machine.send("GET", wire.POLICY).content, type=wire.SignedPolicy)
    forged = msgspec.structs.replace(signed, body=signed.body.replace(b"./install", b"./insta11"))
    with pytest.raises(InvalidSignature):
        opened(machine, msgspec.json.encode(forged))


def test_a_policy_that_says_the_same_is_not_sent_again(site: Site) -> None:
    machine = site.machine("LT-1")
    first = machine.send("GET", wire.POLICY)
    again = machine.send("GET", wire.POLICY, **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_a_change_reaches_a_client_within_seconds_and_its_counter_rises(site: Site) -> None:
    machine = site.machine("LT-1")
    before = machine.send("GET", wire.POLICY)
    offer(site.inner, "LT-1")
    site.later()
    after = machine.send("GET", wire.POLICY, **{"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    old, new = opened(machine, before.content), opened(machine, after.content)
    assert (len(old.offers), len(new.offers)) == (0, 1)
    assert new.counter > old.counter


def test_a_change_that_is_not_the_clients_own_changes_nothing_for_it(site: Site) -> None:
    machine = site.machine("LT-1")
    before = machine.send("GET", wire.POLICY).headers["etag"]
    offer(site.inner, "PC-0001")
    site.later()
    assert machine.send("GET", wire.POLICY, **{"if-none-match": before}).status_code == 304


def test_a_policy_is_issued_anew_at_half_its_time_and_no_sooner(site: Site) -> None:
    machine = site.machine("LT-1")
    first = asked(machine)
    half_s = site.inner.parts.settings.policy_s / 2
    site.later(half_s - 100)
    assert asked(machine) == first
    site.later(100)
    renewed = asked(machine)
    assert replace(renewed, counter=first.counter, issued_at=first.issued_at, expires_at=first.expires_at) == first
    assert (renewed.expires_at - first.expires_at, renewed.counter > first.counter) == (half_s, True)


def test_after_a_restart_and_in_another_process_a_policy_is_the_same(site: Site) -> None:
    machine = site.machine("LT-1")
    first = asked(machine)
    site.later(DAY_S)
    other = Policies(site.inner.parts, lambda: 0.0)
    assert other.of(["LT-1"])["LT-1"].policy == first


def test_two_processes_that_issue_at_once_issue_the_same(site: Site) -> None:
    offer(site.inner, "LT-1")
    one, other = (Policies(site.inner.parts, lambda: site.elapsed) for _ in range(2))
    one.of(["LT-1"])
    other.of(["LT-1"])
    site.inner.store.mark(site.inner.store.named("CORP\\KtReach").account, AccountLife.WITHDRAWN)
    site.later()
    assert other.of(["LT-1"])["LT-1"].policy == one.of(["LT-1"])["LT-1"].policy
    assert one.at_hand("LT-1") == other.at_hand("LT-1") is not None


class Overtaken:
    """The store of a process that another one overtakes just before it writes."""

    def __init__(self, store: SqlStore, other: Callable[[], object]) -> None:
        self._store = store
        self._other = other

    def whole(self) -> AbstractContextManager[None]:
        self._other()
        return self._store.whole()

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def test_a_process_that_is_overtaken_while_it_issues_takes_what_the_other_issued(site: Site) -> None:
    other = Policies(site.inner.parts, lambda: site.elapsed)

    def overtake() -> None:
        other.of(["LT-1"])
        site.later()

    overtaken = replace(site.inner.parts, store=Overtaken(site.inner.store, overtake))  # type: ignore[arg-type]
    told = Policies(overtaken, lambda: site.elapsed).of(["LT-1"])["LT-1"]
    assert told.issue == other.of(["LT-1"])["LT-1"].issue


def test_a_withdrawn_account_is_in_no_policy(site: Site) -> None:
    machine = site.machine("LT-1")
    assert asked(machine).accounts.network_access
    site.inner.store.mark(site.inner.store.named("CORP\\KtReach").account, AccountLife.WITHDRAWN)
    site.later()
    assert not asked(machine).accounts.network_access


def test_nothing_administrative_is_offered_before_two_persons_have_agreed_to_exactly_that(tmp_path: Path) -> None:
    inner = site_in(tmp_path, ESTATE, two_person_approval=True)
    site = Site(inner)
    machine = site.machine("LT-1")
    offer(inner, "LT-1")
    assert asked(machine).offers == ()
    consent(inner, "paul", approves=True)
    site.later()
    assert len(asked(machine).offers) == 1
    inner.store.keep_program(replace(PROGRAM, command_line="./something-else"))
    site.later()
    assert asked(machine).offers == ()
    inner.close()


def test_a_stranger_is_refused_and_a_machine_that_is_no_client_has_no_policy(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    machine = site.machine("LT-1")
    assert Machine(machine.http, site.inner.clock, "LT-9").send("GET", wire.POLICY).status_code == 401
    assert machine.http.get(wire.POLICY).status_code == 401
    server = site.machine("SRV-PHX")
    caplog.clear()
    answer = server.send("GET", wire.POLICY)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not caplog.records


# The access point.


def password(site: Site) -> str:
    managed = site.inner.store.named("CORP\\SMSClient_PHX")
    assert managed.generation
    return site.inner.store.secret(Credential(managed.account, managed.generation)).reveal()


def at_access_point(site: Site, machine: Machine, name: str):  # type: ignore[no-untyped-def]
    basic = base64.b64encode(f"CORP\\SMSClient_PHX:{password(site)}".encode()).decode()
    path = f"/cap/{wire.OFFER_BOX}/{name}"
    return machine.send("GET", path, authorization=f"Basic {basic}")


def test_a_legacy_client_reads_its_own_policy_at_the_access_point_and_no_other(site: Site) -> None:
    offer(site.inner, "PC-0001")
    machine, other, advanced = (site.machine(name) for name in ("PC-0001", "PC-0002", "LT-1"))
    own = at_access_point(site, machine, "PC-0001.pol")
    assert own.status_code == 200
    found = opened(machine, own.content)
    assert (found.client, found.kind, len(found.offers)) == ("PC-0001", "legacy", 1)
    assert found.accounts.client_connection == ("CORP\\SMSClient_PHX",)
    assert at_access_point(site, other, "PC-0001.pol").status_code == 404
    assert at_access_point(site, advanced, "LT-1.pol").status_code == 404
    assert machine.send("GET", f"/cap/{wire.OFFER_BOX}/PC-0001.pol").status_code == 401


def test_the_files_of_an_access_point_have_each_legacy_clients_policy_under_a_mark_that_follows_it(site: Site) -> None:
    site.machine("PC-0001")
    site.machine("LT-1")

    def marks() -> dict[str, str]:
        files = access_point.access_files(site.inner.parts)
        return {file.path: file.mark for file in files if file.box == wire.OFFER_BOX}

    before = marks()
    assert list(before) == ["offerinf.box/PC-0001.pol"]
    assert marks() == before
    offer(site.inner, "PC-0001")
    assert marks() != before


# Reports.


def report(machine: Machine, number: int, state: AdvertisementState, message_id: int, **more: str) -> int:
    told = AdvertisementReport(
        machine.name,
        5.0,
        number,
        OFFER,
        PACKAGE.package_id,
        PROGRAM.name,
        state,
        message_id,
        **more,  # type: ignore[arg-type]
    )
    return int(machine.send("POST", wire.REPORT, msgspec.json.encode(told)).status_code)


def test_a_report_is_taken_once_and_read(site: Site) -> None:
    offer(site.inner, "LT-1")
    machine = site.machine("LT-1")
    statuses = [report(machine, 1, AdvertisementState.RECEIVED, 10002) for _ in range(2)]
    read_inboxes(site.inner.parts)
    (kept,) = site.inner.store.standing_reports(OFFER)
    assert (statuses, kept.report.state) == ([201, 200], "received")


def test_a_report_of_a_stranger_or_that_is_too_long_is_not_taken(site: Site) -> None:
    machine = site.machine("LT-1")
    stranger = Machine(machine.http, site.inner.clock, "LT-9")
    assert report(stranger, 1, AdvertisementState.RECEIVED, 10002) == 401
    assert machine.send("POST", wire.REPORT, b" " * 70_000).status_code == 400


def test_a_discovery_record_comes_the_same_way(site: Site) -> None:
    machine = site.machine("LT-1")
    record = DiscoveryRecord(machine.name, 5.0, "keyturn-agent", facts={"os": ("debian",)})
    assert machine.send("POST", wire.REPORT, write_letter(record)).status_code == 201
    others = DiscoveryRecord("PC-0001", 5.0, "keyturn-agent", facts={"os": ("none",)})
    assert machine.send("POST", wire.REPORT, write_letter(others)).status_code == 201
    read_inboxes(site.inner.parts)
    (told,) = site.inner.store.facts()
    assert (told.client, told.facts, told.signed) == ("LT-1", {"os": ("debian",)}, True)
