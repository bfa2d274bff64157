"""The seed's site reset, played on the real store and the built-in realm with 20 legacy clients."""

from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.model.accounts import AccountToBe, RealmName
from keyturn.model.errors import Refused
from keyturn.model.estate import AccountLife
from keyturn.model.secret import Secret
from keyturn.model.setup import SetupAccount, SetupAccounts
from keyturn.operations import clients, plans, site_reset
from keyturn.operations.ports import PlanState
from keyturn.operations.site_reset import Asked
from keyturn.site.components import ComponentName, Standing, State, Wanted
from tests.estates import account
from tests.inner_site import InnerSite
from tests.resets import (
    CLIENTS,
    CONNECTION,
    DEFAULT,
    EVERYBODY,
    EXTRA,
    POINT,
    REMOTE,
    SERVICE,
    WITH_SECOND,
    WITHOUT_SECOND,
    begun,
    furnished,
    identity,
    no_logons,
    password,
    reset,
    sets,
)


def test_a_reset_regenerates_what_the_site_made_and_locks_or_orphans_nobody(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    identities = {name: identity(site, name).sid for name in (DEFAULT, CONNECTION, REMOTE, EXTRA, SERVICE)}
    record = reset(site)
    assert record.state is PlanState.DONE
    assert site.realm().failed_logons(0) == 0
    assert sets(site) == {DEFAULT: 2, CONNECTION: 2, REMOTE: 2, EXTRA: 1, SERVICE: 1}
    assert identities == {name: identity(site, name).sid for name in identities}
    assert [site.held[name] for name in CLIENTS] == [{f"CORP\\{EXTRA}": 1, f"CORP\\{DEFAULT}": 2}] * 20
    assert site.held[POINT] == {f"CORP\\{CONNECTION}": 2, f"CORP\\{REMOTE}": 2}
    report = site_reset.report(site.parts, record.plan_id)
    assert report.regenerated == tuple(f"CORP\\{name}" for name in (CONNECTION, REMOTE, DEFAULT))
    assert report.kept == (f"CORP\\{SERVICE}", f"CORP\\{EXTRA}")
    assert (report.remade, report.made, report.left_out) == ((), (), ())


def test_without_a_second_account_and_without_logon_installation_a_reset_is_refused(tmp_path: Path) -> None:
    site = furnished(tmp_path, no_logons(WITHOUT_SECOND))
    before = sets(site)
    with pytest.raises(Refused, match=r"would orphan 20 clients, PC-0001 among them"):
        begun(site)
    assert sets(site) == before
    assert site.store.plans(only_open=True) == ()


def test_a_second_account_alone_is_enough(tmp_path: Path) -> None:
    site = furnished(tmp_path, no_logons(WITH_SECOND))
    assert reset(site).state is PlanState.DONE
    assert site.realm().failed_logons(0) == 0


def test_with_logon_installation_alone_the_reset_makes_a_second_account_first(tmp_path: Path) -> None:
    site = furnished(tmp_path, WITHOUT_SECOND)
    record = reset(site)
    assert record.state is PlanState.DONE
    assert site.realm().failed_logons(0) == 0
    assert site_reset.report(site.parts, record.plan_id).made == (f"CORP\\{DEFAULT}_2",)
    assert all(f"CORP\\{DEFAULT}_2" in site.held[name] for name in CLIENTS)


def test_nothing_is_stopped_or_set_while_a_client_has_not_proven_the_second_account(tmp_path: Path) -> None:
    site = furnished(tmp_path, WITHOUT_SECOND)
    before = sets(site)
    record = site.run(begun(site).plan_id, machines=[n for n in EVERYBODY if n != CLIENTS[-1]], rounds=60)
    assert record.state is PlanState.WAITING
    assert record.missing == (CLIENTS[-1],)
    assert sets(site) == {**before, f"{DEFAULT}_2": 1}
    assert site.store.orders() == {}


def test_a_service_password_that_the_realm_does_not_take_stops_the_reset_before_anything(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    realm = site.realm()
    realm.set_password(identity(site, SERVICE), Secret("Chosen-by-somebody-1"))
    before = sets(site)
    record = site.run(begun(site).plan_id, machines=EVERYBODY, rounds=10)
    assert record.state is PlanState.STOPPED
    assert "nothing was touched" in record.note
    assert (sets(site), site.store.orders()) == (before, {})
    assert realm.describe(identity(site, SERVICE)).pinned.bad_count == 1


def test_a_wrong_service_password_costs_one_attempt_and_makes_no_plan(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    with pytest.raises(Refused, match="wrong-password"):
        begun(site, service_password=Secret("Surely-not-this-1"))
    assert site.realm().describe(identity(site, SERVICE)).pinned.bad_count == 1
    assert site.store.plans(only_open=True) == ()


def test_a_service_password_that_somebody_changed_is_taken_in_when_it_is_given(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    chosen = Secret("Chosen-by-somebody-1")
    site.realm().set_password(identity(site, SERVICE), chosen)
    assert reset(site, service_password=chosen).state is PlanState.DONE
    assert password(site, SERVICE) == chosen


def test_a_deleted_service_account_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    site.realm().delete(identity(site, SERVICE))
    with pytest.raises(Refused, match="is not in its realm, and a reset makes none"):
        begun(site)
    assert site.realm().find(SERVICE) is None


def test_a_deleted_server_connection_account_is_made_anew_and_the_report_says_what_is_lost(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    former = identity(site, CONNECTION)
    site.realm().delete(former)
    record = begun(site)
    assert any("repair-acl" in note for note in record.plan.notes)
    assert site.run(record.plan_id, machines=EVERYBODY).state is PlanState.DONE
    now = identity(site, CONNECTION)
    assert now.sid != former.sid
    [remade] = site_reset.report(site.parts, record.plan_id).remade
    assert (remade.account, remade.was, remade.now) == (f"CORP\\{CONNECTION}", former.sid, now.sid)
    assert site.held[POINT][f"CORP\\{CONNECTION}"] == 2
    assert site.store.named(f"CORP\\{CONNECTION}").life is AccountLife.ACTIVE


def test_recreate_accounts_does_what_the_seed_says_and_nobody_is_locked_out(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    before = {name: identity(site, name).sid for name in (DEFAULT, CONNECTION, REMOTE, EXTRA, SERVICE)}
    record = reset(site, recreate=True)
    assert record.state is PlanState.DONE
    after = {name: identity(site, name).sid for name in before}
    assert {name for name in before if before[name] != after[name]} == {DEFAULT, CONNECTION, REMOTE}
    assert len(site_reset.report(site.parts, record.plan_id).remade) == 3
    assert site.realm().failed_logons(0) == 0
    assert site.held[CLIENTS[0]] == {f"CORP\\{EXTRA}": 1, f"CORP\\{DEFAULT}": 2}


def test_another_account_under_the_name_of_a_deleted_one_is_left_to_people(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    site.realm().delete(identity(site, CONNECTION))
    site.realm().create(AccountToBe(RealmName("CORP"), CONNECTION), Secret("Made-by-somebody-1"))
    with pytest.raises(Refused, match="another account bears its name now"):
        begun(site)


WITH_FILE = WITH_SECOND.replace(
    'server = "SRV-PHX"', f'server = "SRV-PHX"\nsetup_file = true\nsetup_accounts = ["{CONNECTION}"]'
)


def test_with_its_setup_file_the_named_account_is_used_and_not_regenerated(tmp_path: Path) -> None:
    site = furnished(tmp_path, WITH_FILE)
    theirs = SetupAccounts(server=SetupAccount(CONNECTION, password(site, CONNECTION)))
    record = reset(site, setup=theirs)
    assert record.state is PlanState.DONE
    assert sets(site) == {DEFAULT: 2, CONNECTION: 1, REMOTE: 2, EXTRA: 1, SERVICE: 1}
    assert f"CORP\\{CONNECTION}" in site_reset.report(site.parts, record.plan_id).kept


def test_a_new_password_in_the_setup_file_is_proven_and_taken_in(tmp_path: Path) -> None:
    site = furnished(tmp_path, WITH_FILE)
    chosen = Secret("Chosen-by-admin-1")
    site.realm().set_password(identity(site, CONNECTION), chosen)
    record = reset(site, setup=SetupAccounts(server=SetupAccount(CONNECTION, chosen)))
    assert record.state is PlanState.DONE
    assert password(site, CONNECTION) == chosen


def test_without_the_setup_file_of_its_setup_a_reset_is_refused(tmp_path: Path) -> None:
    site = furnished(tmp_path, WITH_FILE)
    with pytest.raises(Refused, match="was set up with a setup file"):
        begun(site)


def test_a_file_that_setup_was_not_given_is_refused_before_any_logon(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    with pytest.raises(Refused, match="is not the setup file of site PHX"):
        begun(site, setup=SetupAccounts(server=SetupAccount(CONNECTION, Secret("Surely-not-this-1"))))
    assert site.realm().describe(identity(site, CONNECTION)).pinned.bad_count == 0


def test_an_account_of_the_setup_file_must_exist(tmp_path: Path) -> None:
    site = furnished(tmp_path, WITH_FILE)
    theirs = SetupAccounts(server=SetupAccount(CONNECTION, password(site, CONNECTION)))
    site.realm().delete(identity(site, CONNECTION))
    with pytest.raises(Refused, match="stands in the setup file and not in its realm"):
        begun(site, setup=theirs)


def test_while_a_reset_is_open_no_account_of_the_site_is_rotated_and_no_second_reset_begins(tmp_path: Path) -> None:
    site = furnished(tmp_path, WITH_SECOND + account("KtInstall", "software-installation"))
    begun(site)
    for name in (EXTRA, SERVICE, DEFAULT, "KtInstall"):
        with pytest.raises(Refused, match="has an open plan"):
            plans.propose_rotation(site.parts, name, by="olga")
    with pytest.raises(Refused, match="a reset of site PHX is open"):
        begun(site)


def test_a_reset_waits_for_no_rotation_it_would_disturb(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    site.rotate(EXTRA)
    with pytest.raises(Refused, match="has an open plan"):
        begun(site)


def test_a_plan_that_would_be_another_now_is_not_approved(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    record = site_reset.propose_reset(site.parts, Asked("PHX"), by="olga")
    site.realm().delete(identity(site, CONNECTION))
    with pytest.raises(Refused, match="it would be another plan now"):
        plans.approve(site.parts, record.plan_id, by="paul")


def test_a_preview_keeps_nothing_and_logs_nobody_on(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    before = site.realm().logons(0)
    record = site_reset.preview(site.parts, Asked("PHX", service_password=Secret("Surely-not-this-1")), by="olga")
    assert record.forecast.safe
    assert any("20 legacy clients" in note for note in record.plan.notes)
    assert site.store.plans(only_open=True) == ()
    assert site.realm().logons(0) == before


def test_another_site_is_reset_where_it_runs(tmp_path: Path) -> None:
    elsewhere = WITH_SECOND + '\n[[site]]\ncode = "DEN"\nrealm = "CORP"\nserver = "SRV-DEN"\nparent = "PHX"\n'
    site = furnished(tmp_path, elsewhere)
    with pytest.raises(Refused, match="is reset where it runs") as refusal:
        site_reset.propose_reset(site.parts, Asked("DEN"), by="olga")
    assert "--over-ssh" in refusal.value.hint


def test_an_account_shared_by_two_sites_is_left_as_it_is_and_named(tmp_path: Path) -> None:
    shared = WITH_SECOND.replace(
        account(REMOTE, "remote-service"), account(REMOTE, "remote-service").replace('["PHX"]', '["PHX", "DEN"]')
    )
    shared += '\n[[site]]\ncode = "DEN"\nrealm = "CORP"\nserver = "SRV-DEN"\n'
    site = furnished(tmp_path, shared)
    record = reset(site)
    assert record.state is PlanState.DONE
    assert sets(site)[REMOTE] == 1
    assert any("is shared by sites PHX, DEN" in note for note in record.plan.notes)


class Points:
    """What becomes of access points in a test: those in `away` are not reached."""

    def __init__(self) -> None:
        self.away = {POINT}
        self.written: list[str] = []

    def recreate(self, system: str) -> str | None:
        if system in self.away:
            return "the machine does not answer"
        self.written.append(system)
        return None


def with_points(folder: Path, points: Points) -> InnerSite:
    shared = WITH_SECOND.replace(
        'roles = ["client-access-point"]', 'roles = ["client-access-point"]\nshare = "\\\\\\\\CAP1\\\\CAP_PHX"'
    )
    return furnished(folder, shared, wrap=lambda parts: replace(parts, recreate_access_point=points.recreate))


def test_an_access_point_that_is_not_reached_is_asked_about_and_tried_again_on_somebodys_word(tmp_path: Path) -> None:
    points = Points()
    site = with_points(tmp_path, points)
    record = reset(site)
    assert record.state is PlanState.STOPPED
    assert record.note == f"access point {POINT} is not reached: the machine does not answer"
    assert {order.wanted for order in site.store.orders().values()} <= {Wanted.RUN}
    points.away.clear()
    plans.resume(site.parts, record.plan_id, by="paul")
    assert site.run(record.plan_id, machines=EVERYBODY).state is PlanState.DONE
    assert points.written == [POINT]
    assert site.store.left_out() == ()


def test_a_released_access_point_is_left_out_until_it_is_assigned_again(tmp_path: Path) -> None:
    points = Points()
    site = with_points(tmp_path, points)
    assert clients.access_share(site.parts, CLIENTS[0]) == r"\\CAP1\CAP_PHX"
    record = reset(site)
    plans.release(site.parts, record.plan_id, [POINT], by="paul")
    plans.resume(site.parts, record.plan_id, by="paul")
    assert site.run(record.plan_id, machines=CLIENTS).state is PlanState.DONE
    assert [(each.system, each.plan_id) for each in site.store.left_out()] == [(POINT, record.plan_id)]
    assert site_reset.report(site.parts, record.plan_id).left_out == (POINT,)
    assert clients.access_share(site.parts, CLIENTS[0]) is None
    with pytest.raises(Refused, match="is not reached"):
        site_reset.assign(site.parts, POINT, by="paul")
    points.away.clear()
    site_reset.assign(site.parts, POINT.lower(), by="paul")
    assert site.store.left_out() == ()
    assert clients.access_share(site.parts, CLIENTS[0]) == r"\\CAP1\CAP_PHX"


def test_components_are_stopped_before_a_password_is_set_and_run_again_afterwards(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    running = (ComponentName.INBOX_MANAGER, ComponentName.SITE_COMPONENT_MANAGER, ComponentName.ACCOUNT_MANAGER)
    site.store.stand("here", [stands(site.clock.now, name) for name in running], forget_before=0)
    before = sets(site)
    record = site.run(begun(site).plan_id, machines=EVERYBODY, rounds=40, step_s=1)
    assert record.state is PlanState.WAITING
    assert record.note == f"still running: {ComponentName.INBOX_MANAGER}"
    assert sets(site) == before
    assert {name: order.wanted for name, order in site.store.orders().items()} == {running[0]: Wanted.STOP}
    stopped = [stands(site.clock.now, running[0], State.STOPPED), *(stands(site.clock.now, n) for n in running[1:])]
    site.store.stand("here", stopped, forget_before=0)
    assert site.run(record.plan_id, machines=EVERYBODY).state is PlanState.DONE
    assert site.store.orders()[running[0]].wanted is Wanted.RUN
    assert site.store.orders()[running[0]].restarts == 1


def test_an_abandoned_reset_leaves_no_component_stopped(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    site.store.stand("here", [stands(site.clock.now, ComponentName.INBOX_MANAGER)], forget_before=0)
    record = site.run(begun(site).plan_id, machines=EVERYBODY, rounds=40, step_s=1)
    assert site.store.orders()[ComponentName.INBOX_MANAGER].wanted is Wanted.STOP
    plans.abandon(site.parts, record.plan_id, by="paul")
    assert site.store.orders()[ComponentName.INBOX_MANAGER].wanted is Wanted.RUN


def test_the_master_control_file_is_written_under_a_serial_of_its_own(tmp_path: Path) -> None:
    site = furnished(tmp_path)
    assert reset(site).state is PlanState.DONE
    written = [record for record in site.store.control_history() if record.delta.author == "site reset"]
    assert len(written) == 1


def stands(now: float, name: ComponentName, state: State = State.RUNNING) -> Standing:
    return Standing(name, state, now, process="here", heard_at=now)
