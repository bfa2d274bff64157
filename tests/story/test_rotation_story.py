"""The seed's story of the Client Connection account, played on the real store and the built-in realm."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keyturn.model.accounts import Credential
from keyturn.model.errors import Refused
from keyturn.model.estate import AccountLife, Proof
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import accounts, clients, plans
from keyturn.operations.doubts import look_into_doubts
from keyturn.operations.gate import Use, Wait
from keyturn.operations.ports import PlanState
from tests.estates import ADDITIONAL, DEFAULT, HEAD, INSTALLATION, MACHINES, account
from tests.inner_site import InnerSite, check_in, site_in


def furnished(folder: Path, estate: str = ADDITIONAL, **options: object) -> InnerSite:
    """Every account made, every machine enrolled and current."""
    site = site_in(folder, estate, **options)  # type: ignore[arg-type]
    site.enrol(*MACHINES)
    for managed in site.store.estate().accounts:
        site.create(str(managed.account))
    for _ in range(4):
        site.contact(*MACHINES)
    assert all(site.held[name] for name in MACHINES)
    return site


def test_everybody_moves_to_the_second_account_and_nobody_fails(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    record = site.run(site.rotate("KtClient").plan_id, machines=MACHINES)
    assert record.state is PlanState.DONE
    assert [site.held[name] for name in MACHINES] == [{"CORP\\KtClient_2": 1}] * 3
    assert site.realm().failed_logons(0) == 0
    lives = {str(m.account): m.life for m in site.store.estate().accounts}
    assert lives == {"CORP\\KtClient": AccountLife.DISABLED, "CORP\\KtClient_2": AccountLife.ACTIVE}


def test_the_offline_machine_is_named_and_the_old_account_lives_until_it_has_proven_the_new_one(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    record = site.run(site.rotate("KtClient").plan_id, machines=MACHINES[:2], rounds=40)
    assert record.state is PlanState.WAITING
    assert record.missing == (MACHINES[2],)
    old = site.realm().find("KtClient")
    assert old
    assert site.realm().describe(old).enabled
    assert site.run(record.plan_id, machines=MACHINES).state is PlanState.DONE
    assert not site.realm().describe(old).enabled
    assert site.realm().failed_logons(0) == 0


def test_patience_ends_in_a_question_and_never_in_a_retirement(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    record = site.run(site.rotate("KtClient").plan_id, machines=MACHINES[:2], rounds=200, step_s=60)
    assert record.state is PlanState.STOPPED
    assert MACHINES[2] in record.note
    assert "release" in record.hint
    old = site.realm().find("KtClient")
    assert old
    assert site.realm().describe(old).enabled
    plans.resume(site.parts, record.plan_id, by="paul")
    assert site.run(record.plan_id, machines=MACHINES).state is PlanState.DONE


def test_a_released_holder_is_waited_for_no_longer_and_the_consequence_is_told_before(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    record = site.run(site.rotate("KtClient").plan_id, machines=MACHINES[:2], rounds=40)
    with pytest.raises(Refused, match="does not wait for PC-9999"):
        plans.release(site.parts, record.plan_id, ["PC-9999"], by="paul")
    foreseen = plans.foresee_giving_up(site.parts, record.plan_id, [MACHINES[2]])
    assert foreseen.first_lockout_s is None
    plans.release(site.parts, record.plan_id, [MACHINES[2]], by="paul")
    assert site.run(record.plan_id, machines=MACHINES[:2]).state is PlanState.DONE


def test_while_a_replica_is_cut_off_nothing_is_published(tmp_path: Path) -> None:
    site = furnished(tmp_path, INSTALLATION)
    site.realm().administration.cut("dc2")
    record = site.run(site.rotate("KtInstall").plan_id, machines=MACHINES, rounds=10)
    assert record.state is PlanState.WAITING
    assert record.missing == ("dc2",)
    directions = check_in(site.parts, MACHINES[0], dict(site.held[MACHINES[0]]))
    assert all(isinstance(direction, Wait) for direction in directions)
    site.realm().administration.heal("dc2")
    assert site.run(record.plan_id, machines=MACHINES).state is PlanState.DONE
    assert site.realm().failed_logons(0) == 0


def test_somebody_elses_change_stops_the_plan_and_keeps_every_generation(tmp_path: Path) -> None:
    site = furnished(tmp_path, INSTALLATION)
    realm = site.realm()
    found = realm.find("KtInstall")
    assert found
    record = site.rotate("KtInstall")
    theirs = Secret("Their-own-choice-7")
    original = realm.set_password

    def both(account: object, secret: Secret, **_: object) -> None:
        original(found, secret)
        original(found, theirs)

    realm.set_password = both  # type: ignore[method-assign,assignment]
    record = site.run(record.plan_id, machines=MACHINES, rounds=10)
    realm.set_password = original  # type: ignore[method-assign]
    assert record.state is PlanState.STOPPED
    assert "somebody else has changed" in record.note
    assert realm.describe(found).pinned.bad_count == 1
    with pytest.raises(Refused):
        plans.propose_rotation(site.parts, "KtInstall", by="olga")
    plans.abandon(site.parts, record.plan_id, by="paul")
    site.clock.turn(3600)
    assert accounts.adopt(site.parts, "KtInstall", theirs, by="olga").generation == 3
    site.contact(*MACHINES)
    site.contact(*MACHINES)
    assert site.held[MACHINES[0]] == {"CORP\\KtInstall": 3}


def test_a_change_behind_our_back_is_seen_although_the_grace_hides_it_from_holders(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    record = site.rotate("KtClient")
    plans.advance_plan(site.parts, record.plan_id, "worker")
    new = site.realm().find("KtClient_2")
    assert new
    site.realm().set_password(new, Secret("Somebody-else-9"))
    site.contact(*MACHINES)
    assert site.realm().failed_logons(0) == 0, "the previous password still logs on"
    record = site.run(record.plan_id, machines=MACHINES, rounds=5)
    assert record.state is PlanState.STOPPED
    assert "somebody else has changed" in record.note


def test_one_refusal_closes_the_gate_for_the_fleet_until_it_is_looked_into(tmp_path: Path) -> None:
    site = furnished(tmp_path, INSTALLATION.replace("lockout_threshold = 5", "lockout_threshold = 2\nhistory = 0"))
    found = site.realm().find("KtInstall")
    assert found
    original = site.store.secret(Credential(found, 1))
    site.realm().set_password(found, Secret("Somebody-else-9"))
    for name in MACHINES:
        site.use(name)
    assert site.realm().failed_logons(0) == 1
    assert not site.realm().describe(found).locked
    look_into_doubts(site.parts)
    look_into_doubts(site.parts)
    told = [e for e in site.store.since() if e.kind == "changed-behind-our-back"]
    assert len(told) == 1
    assert isinstance(check_in(site.parts, MACHINES[1], dict(site.held[MACHINES[1]]))[0], Wait)
    assert original != Secret("Somebody-else-9")


def test_a_refusal_of_one_machine_alone_does_not_keep_the_others_out(tmp_path: Path) -> None:
    site = furnished(tmp_path, INSTALLATION)
    found = site.realm().find("KtInstall")
    assert found
    clients.report(site.parts, MACHINES[0], "CORP\\KtInstall", 1, Answer.WRONG_PASSWORD)
    held = {"CORP\\KtInstall": 1}
    assert isinstance(check_in(site.parts, MACHINES[1], held)[0], Wait)
    look_into_doubts(site.parts)
    assert check_in(site.parts, MACHINES[1], held) == [Use(Credential(found, 1))]
    assert isinstance(check_in(site.parts, MACHINES[0], held)[0], Wait)
    clients.readmit(site.parts, MACHINES[0], by="olga")
    handed = check_in(site.parts, MACHINES[0], held)[0]
    assert isinstance(handed, clients.Handed)
    assert handed.anew


def test_a_refused_machine_that_was_reinstalled_may_try_again(tmp_path: Path) -> None:
    site = furnished(tmp_path, INSTALLATION)
    clients.report(site.parts, MACHINES[0], "CORP\\KtInstall", 1, Answer.WRONG_PASSWORD)
    look_into_doubts(site.parts)
    site.held[MACHINES[0]] = {}
    site.contact(MACHINES[0])
    assert site.held[MACHINES[0]] == {"CORP\\KtInstall": 1}


def test_a_refused_canary_stops_everybody_else(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    record = site.rotate("KtClient")
    plans.advance_plan(site.parts, record.plan_id, "worker")
    handed = [d for d in check_in(site.parts, "PC-0001", {}) if isinstance(d, clients.Handed)]
    assert [str(d.credential.account) for d in handed] == ["CORP\\KtClient", "CORP\\KtClient_2"]
    clients.report(site.parts, "PC-0001", "CORP\\KtClient_2", 1, Answer.WRONG_PASSWORD)
    record = site.run(record.plan_id, machines=MACHINES[1:], rounds=5)
    assert record.state is PlanState.STOPPED
    assert "PC-0001" in record.note
    look_into_doubts(site.parts)
    site.contact(*MACHINES[1:])
    assert all(site.held[name] == {"CORP\\KtClient": 1} for name in MACHINES[1:])
    plans.resume(site.parts, record.plan_id, by="paul")
    assert site.run(record.plan_id, machines=MACHINES).state is PlanState.DONE


def test_the_default_account_is_regenerated_while_every_client_holds_another(tmp_path: Path) -> None:
    site = furnished(tmp_path, DEFAULT)
    record = site.run(site.rotate("SMSClient_PHX").plan_id, machines=MACHINES)
    assert record.state is PlanState.DONE
    assert [site.held[name] for name in MACHINES] == [{"CORP\\SMSClient_PHX": 2, "CORP\\SMSClient_PHX_2": 1}] * 3
    assert site.realm().failed_logons(0) == 0


def test_a_client_enrolled_while_the_plan_runs_is_not_left_behind(tmp_path: Path) -> None:
    site = site_in(tmp_path, ADDITIONAL)
    site.enrol(*MACHINES[:2])
    site.create("KtClient")
    for _ in range(3):
        site.contact(*MACHINES[:2])
    record = site.rotate("KtClient")
    site.run(record.plan_id, machines=MACHINES[:2], rounds=20)
    site.enrol(MACHINES[2])
    record = site.run(record.plan_id, machines=MACHINES)
    assert record.state is PlanState.DONE
    assert site.held[MACHINES[2]] == {"CORP\\KtClient_2": 1}


def test_proofs_seen_by_the_realm_are_told_apart_from_reports(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    assert {h.proof for h in site.store.estate().holdings} == {Proof.OBSERVED}


def test_with_two_person_approval_nobody_approves_their_own_plan(tmp_path: Path) -> None:
    site = site_in(tmp_path, ADDITIONAL, two_person_approval=True)
    record = plans.propose_creation(site.parts, "KtClient", by="olga")
    with pytest.raises(Refused, match="another person"):
        plans.approve(site.parts, record.plan_id, by="olga")
    assert plans.approve(site.parts, record.plan_id, by="paul").state is PlanState.RUNNING


def test_a_plan_is_not_approved_for_an_estate_that_has_changed(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    record = plans.propose_rotation(site.parts, "KtClient", by="olga")
    from keyturn.lifecycle.catalogue.products import role_names
    from keyturn.operations.estates import import_estate
    from keyturn.wire.estate_file.reading import read_estate

    bigger = ADDITIONAL.replace("count = 3", "count = 4")
    import_estate(site.parts, bigger, read_estate(bigger, roles=role_names()), by="olga")
    with pytest.raises(Refused, match="estate has changed"):
        plans.approve(site.parts, record.plan_id, by="paul")


def test_an_account_that_exists_is_taken_in_by_one_logon(tmp_path: Path) -> None:
    site = site_in(tmp_path, INSTALLATION)
    from keyturn.model.accounts import AccountToBe, RealmName

    made = site.realm().create(AccountToBe(RealmName("CORP"), "KtInstall"), Secret("Known-to-Olga-1"))
    with pytest.raises(Refused, match="wrong-password") as wrong:
        accounts.adopt(site.parts, "KtInstall", Secret("Not-this-one-1"), by="olga")
    until = datetime.fromtimestamp(site.clock.now + 1800, UTC).strftime("from %Y-%m-%d %H:%M:%SZ on")
    assert f"{until} (in 30 min)" in wrong.value.hint
    site.clock.turn(600)
    with pytest.raises(Refused, match="one bad attempt of ours") as kept_back:
        accounts.adopt(site.parts, "KtInstall", Secret("Known-to-Olga-1"), by="olga")
    assert f"{until} (in 20 min)" in kept_back.value.hint
    assert site.realm().failed_logons(0, made) == 1
    site.clock.turn(1200)
    assert accounts.adopt(site.parts, "KtInstall", Secret("Known-to-Olga-1"), by="olga").generation == 1
    generation, envelope = site.store.envelope(made)
    assert (generation, envelope[:16]) == (1, b"Keyturn envelope")


def test_an_account_whose_password_nobody_knows_is_cycled(tmp_path: Path) -> None:
    site = site_in(tmp_path, INSTALLATION)
    from keyturn.model.accounts import AccountToBe, RealmName

    site.realm().create(AccountToBe(RealmName("CORP"), "KtInstall"), Secret("Known-to-nobody-1"))
    from keyturn.lifecycle.catalogue.products import role_names
    from keyturn.operations.estates import import_estate
    from keyturn.wire.estate_file.reading import read_estate

    import_estate(site.parts, INSTALLATION, read_estate(INSTALLATION, roles=role_names()), by="olga")
    site.enrol(*MACHINES)
    record = site.run(site.rotate("KtInstall").plan_id, machines=MACHINES)
    assert record.state is PlanState.DONE
    assert [site.held[name] for name in MACHINES] == [{"CORP\\KtInstall_2": 1}] * 3


def test_a_given_password_is_the_one_that_is_set(tmp_path: Path) -> None:
    site = furnished(tmp_path, INSTALLATION)
    given = Secret("Olga-chose-7x")
    assert site.run(site.rotate("KtInstall", given=given).plan_id, machines=MACHINES).state is PlanState.DONE
    found = site.realm().find("KtInstall")
    assert found
    assert site.realm().try_logon(found, given, protocol=LogonProtocol.NTLM) is Answer.ACCEPTED
    with pytest.raises(Refused, match="shorter than"):
        plans.propose_rotation(site.parts, "KtInstall", by="olga", given=Secret("Aa1-"))


def test_two_workers_never_act_on_one_plan(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    record = site.rotate("KtClient")
    assert site.store.lease(record.plan_id, "one", 60) is not None
    assert plans.advance_plan(site.parts, record.plan_id, "two") is None
    site.clock.turn(61)
    assert plans.advance_plan(site.parts, record.plan_id, "two") is not None


def test_a_ring_of_three_keeps_two_untouched(tmp_path: Path) -> None:
    ring = HEAD + "".join(account(f"KtClient_{n}", "client-connection-additional") for n in (1, 2, 3))
    site = furnished(tmp_path, ring)
    before = {a.name: site.realm().describe(a).pinned.version for a in site.realm().administration.accounts()}
    assert site.run(site.rotate("KtClient_2").plan_id, machines=MACHINES).state is PlanState.DONE
    after = {a.name: site.realm().describe(a).pinned.version for a in site.realm().administration.accounts()}
    assert all(after[name] == before[name] for name in before)
    assert all(
        sorted(site.held[name]) == ["CORP\\KtClient_2", "CORP\\KtClient_3", "CORP\\KtClient_4"] for name in MACHINES
    )
