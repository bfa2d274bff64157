"""A client takes the policies of its own site alone, newer ones only, and keeps what it has."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyturn.agent.records import Damaged
from keyturn.model.software import ClientKind, Policy
from keyturn.wire.policy import PURPOSE, SignedPolicy, to_body
from tests.policies import NOW, offer, policy
from tests.story.agent_site import FIRST
from tests.story.software_site import SoftwareMachine, SoftwareSite


@pytest.fixture
def site() -> SoftwareSite:
    site = SoftwareSite()
    site.clock.now = NOW
    return site


@pytest.fixture
def machine(site: SoftwareSite, tmp_path: Path) -> SoftwareMachine:
    return SoftwareMachine(site, tmp_path / "agent").enrol()  # type: ignore[return-value]


def kept(machine: SoftwareMachine) -> Policy | None:
    return machine.opened().policies.current()


def forged(site: SoftwareSite) -> bytes:
    site.key = Ed25519PrivateKey.generate()
    signed = site.signed(policy(offer(), counter=9))
    site.key = Ed25519PrivateKey.generate()
    return signed


def changed(site: SoftwareSite) -> bytes:
    signed = msgspec.json.decode(site.signed(policy(counter=9)), type=SignedPolicy)
    body = signed.body.replace(b'"counter":9', b'"counter":8')
    return msgspec.json.encode(SignedPolicy(body, signed.signature))


def over_something_else(site: SoftwareSite) -> bytes:
    body = to_body(policy(counter=9))
    return msgspec.json.encode(SignedPolicy(body, site.key.sign(b"keyturn manifest 1\n" + body)))


def no_policy(site: SoftwareSite) -> bytes:
    return msgspec.json.encode(SignedPolicy(b'{"a":1}', site.key.sign(PURPOSE + b'{"a":1}')))


REFUSED = {
    "forged": (forged, "did not sign"),
    "changed on its way": (changed, "did not sign"),
    "signed for something else": (over_something_else, "did not sign"),
    "another client's": (lambda site: site.signed(policy(counter=9, client="PC-0002")), "not for this client"),
    "another site's": (lambda site: site.signed(policy(counter=9, site="LON")), "not for this client"),
    "older": (lambda site: site.signed(policy(counter=2)), "an older policy"),
    "issued earlier": (lambda site: site.signed(policy(counter=3, issued_at=-1)), "an older policy"),
    "damaged": (lambda site: site.signed(policy(counter=9))[:-9], "not a valid"),
    "no policy": (no_policy, "no policy"),
    "empty": (lambda site: b" ", "not a valid"),
}


@pytest.mark.parametrize("way", REFUSED)
def test_what_is_refused_leaves_a_line_and_the_policy_that_is_kept(site, machine, way):
    mine = policy(offer(), counter=3)
    site.offer(mine)
    machine.contact_with(machine.opened())
    assert kept(machine) == mine
    make, why = REFUSED[way]
    site.offered, site.serves = None, make(site)
    machine.contact_with(machine.opened())
    assert kept(machine) == mine
    assert why in machine.log("PolicyAgent")
    assert 'type="2"' in machine.log("PolicyAgent")


def test_a_newer_policy_is_taken_and_the_same_one_is_not_sent_again(site, machine):
    site.offer(policy(counter=1))
    machine.contact_with(machine.opened())
    site.offer(policy(offer(), counter=2))
    software = machine.opened()
    machine.contact_with(software)
    machine.contact_with(software)
    assert kept(machine) == site.offered
    assert machine.log("PolicyAgent").count("there is a new policy") == 2


def test_a_site_that_signs_with_a_new_key_is_asked_for_it(site, machine):
    site.offer(policy(counter=1))
    machine.contact_with(machine.opened())
    site.key = Ed25519PrivateKey.generate()
    site.offer(policy(counter=2))
    machine.contact_with(machine.opened())
    assert kept(machine) == site.offered


def test_the_key_is_asked_for_once(site, machine):
    site.offer(policy(counter=1))
    machine.contact_with(machine.opened())
    site.offer(policy(counter=2))
    machine.contact_with(machine.opened())
    assert site.paths.count("/agent/v1/policy-key") == 1


def test_a_client_that_is_enrolled_anew_begins_anew(site, machine):
    site.offer(policy(counter=7))
    machine.contact_with(machine.opened())
    machine.enrol()
    assert kept(machine) is None
    site.offer(policy(counter=1))
    machine.contact_with(machine.opened())
    assert kept(machine) == site.offered


def test_a_kept_policy_that_is_damaged_is_said_to_be(machine, site):
    site.offer(policy())
    machine.contact_with(machine.opened())
    file = machine.place.path / "policy.json"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(Damaged, match="policy"):
        machine.opened()


def test_a_kept_policy_that_was_changed_is_said_to_be(machine, site):
    site.offer(policy(counter=3))
    machine.contact_with(machine.opened())
    file = machine.place.path / "policy.json"
    content = json.loads(file.read_bytes())
    other = json.loads(site.signed(policy(counter=1)))
    content["policy"]["signature"] = other["signature"]
    file.write_text(json.dumps(content))
    with pytest.raises(Damaged, match="policy"):
        machine.opened()


def test_a_machine_that_only_holds_accounts_has_no_policy_and_does_not_complain(site, machine):
    machine.contact_with(machine.opened())
    assert kept(machine) is None
    assert machine.log("PolicyAgent") == ""


def test_a_client_that_its_site_no_longer_knows_keeps_its_policy_and_says_so(site, machine):
    site.offer(policy(offer()))
    machine.contact_with(machine.opened())
    site.offered = None
    machine.contact_with(machine.opened())
    assert kept(machine) == policy(offer())
    assert "the site gives no policy (status 204)" in machine.log("PolicyAgent")


@pytest.fixture
def legacy(site: SoftwareSite, machine: SoftwareMachine) -> SoftwareMachine:
    installation = machine.home.installation()
    machine.home.keep_installation(msgspec.structs.replace(installation, kind=ClientKind.LEGACY))
    site.realm.set_password(FIRST, "the password")
    site.publish(FIRST, 1, "the password")
    site.offer(policy(offer(), kind=ClientKind.LEGACY))
    return machine


def test_a_legacy_client_picks_its_policy_up_at_the_access_point(site, legacy):
    software = legacy.started()
    legacy.contact_with(software)
    assert software.policies.current() == site.offered
    assert "/cap/offerinf.box/PC-0001.pol" in site.paths
    assert "/agent/v1/policy" not in site.paths
    assert site.realm.wrong(FIRST) == 0


def test_its_reports_go_the_same_way_signed(site, legacy):
    from keyturn.distribution.reports import what_is_signed

    legacy.once()
    legacy.once()
    assert [report.state.value for report in site.left] == ["received", "running", "succeeded"]
    key = legacy.home.keys().signing.public_key()
    for report in site.left:
        key.verify(report.signature, what_is_signed(report))
    assert site.reports == []
    assert legacy.opened().history.outbox() == ()
    assert "as the token account" in legacy.log("SMSAPM32")
    assert legacy.log("execmgr") == ""


def test_a_legacy_client_that_no_account_lets_in_asks_for_nothing(site, legacy):
    site.realm.set_password(FIRST, "another one")
    site.published.clear()
    legacy.contact_with(legacy.started())
    assert kept(legacy) is None
    assert not [path for path in site.paths if "offerinf" in path]


def test_a_policy_that_says_of_what_kind_the_client_is_is_followed(site, machine):
    site.offer(replace(policy(offer()), kind=ClientKind.LEGACY))
    machine.once()
    assert str(machine.runner.orders[0].execute_as) == "the token account"


def test_its_reports_of_a_run_leave_at_the_end_of_the_run_with_one_more_contact(site, legacy):
    legacy.once()
    assert [report.state.value for report in site.left] == ["received", "running", "succeeded"]
    assert site.realm.wrong(FIRST) == 0
    assert len(site.check_ins) == 2


def test_what_only_waits_costs_no_logon(site, legacy):
    site.offer(policy(offer(assignments=()), kind=ClientKind.LEGACY))
    legacy.once()
    assert len(site.check_ins) == 1
    legacy.once()
    assert [report.state.value for report in site.left] == ["received", "waiting"]


def test_the_site_is_asked_before_the_password_is_shown_once_more(site, legacy):
    software = legacy.started()
    legacy.contact_with(software)
    site.waits[FIRST] = 60
    before = len(site.realm.logons)
    software.run_out(threading.Event())
    assert len(site.realm.logons) == before
    assert site.left == []
    site.waits.clear()
    legacy.contact_with(software)
    assert [report.state.value for report in site.left] == ["received", "running", "succeeded"]


# A client that holds no account.


def test_an_advanced_client_without_any_account_is_no_orphan_and_is_discovered_at_the_management_point(site, machine):
    from keyturn.agent.contact import contact
    from keyturn.agent.turns import take_turn

    report, status = take_turn(machine.home, machine.client(), contact, machine.parts)
    assert (report.failed, status.orphaned, status.failures) == (False, False, 0)
    [record] = site.discovered
    assert (record.machine, record.accounts) == ("PC-0001", ())
    assert record.facts["client-version"]
    take_turn(machine.home, machine.client(), contact, machine.parts)
    assert len(site.discovered) == 1


def test_an_advanced_client_whose_last_account_was_withdrawn_is_no_orphan_either(site, machine):
    site.realm.set_password(FIRST, "the password")
    site.publish(FIRST, 1, "the password")
    machine.contact()
    site.withdraw(FIRST)
    report, status = machine.contact()
    assert (report.failed, status.orphaned, status.credentials) == (False, False, ())


def test_an_advanced_client_whose_account_is_refused_has_failed(site, machine):
    site.realm.set_password(FIRST, "another one")
    site.publish(FIRST, 1, "the password")
    report, status = machine.contact()
    assert (report.failed, status.orphaned) == (True, True)
    assert machine.contact()[0].failed
    assert site.discovered, "its letters have another way"


def test_a_legacy_client_without_any_account_is_lost(site, legacy):
    site.published.clear()
    report, status = legacy.contact()
    assert (report.failed, status.orphaned) == (True, True)
    assert site.discovered == []
