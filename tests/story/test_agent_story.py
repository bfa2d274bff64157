"""The seed's story of Client Connection accounts, told by agents against a site in memory."""

import shutil
from dataclasses import replace

import pytest

from keyturn.agent.enrolment import enrol
from keyturn.agent.records import Standing
from keyturn.agent.report import Spoiled
from keyturn.agent.turns import found_no_way_in
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.agent import CHECK_IN, Enrolled, Reply, write
from keyturn.wire.sealed import new_identity, recipient_of
from tests.story.agent_site import FIRST, SECOND, SERVER, Clock, Machine, MemorySite


@pytest.fixture
def site():
    site = MemorySite()
    site.realm.set_password(FIRST, "first password of the account")
    site.publish(FIRST, 1, "first password of the account")
    return site


@pytest.fixture
def machine(site, tmp_path):
    return Machine(site, tmp_path / "agent").enrol()


def fleet(site, tmp_path, count, *, gated):
    machines = [Machine(site, tmp_path / f"{n}", f"PC-{n:04d}", gated=gated).enrol() for n in range(1, count + 1)]
    for machine in machines:
        machine.contact()
    return machines


def copied(machine, folder):
    shutil.copytree(machine.folder, folder)
    return Machine(machine.site, folder)


def naive_change(site):
    """The password is changed in the realm, and the access point is up to date at once."""
    site.realm.set_password(FIRST, "second password of the account")
    site.publish(FIRST, 2, "second password of the account")


def second_account(site):
    site.realm.set_password(SECOND, "password of the second account")
    site.publish(SECOND, 1, "password of the second account")


def test_a_new_client_adopts_logs_on_and_proves(site, machine):
    report, status = machine.contact()
    assert report.accepted
    assert site.proofs == [("PC-0001", FIRST, 1, Answer.ACCEPTED)]
    assert (status.account, status.generation, status.answer) == (FIRST, 1, Answer.ACCEPTED)
    assert [(k.account, k.generation, k.proven) for k in status.credentials] == [(FIRST, 1, True)]


def test_a_client_with_nothing_new_logs_on_once_and_proves_nothing_again(site, machine):
    machine.contact()
    site.realm.logons.clear()
    machine.contact()
    assert site.realm.logons == [("PC-0001", FIRST, Answer.ACCEPTED)]
    assert len(site.proofs) == 1


def test_ungated_clients_lock_the_account_after_a_naive_change_and_are_orphaned(site, tmp_path):
    machines = fleet(site, tmp_path, 6, gated=False)
    naive_change(site)
    answers = [machine.contact()[1].answer for machine in machines]
    assert answers == [Answer.WRONG_PASSWORD] * 5 + [Answer.LOCKED]
    assert site.realm.locked(FIRST)
    assert all(machine.contact()[1].orphaned for machine in machines)


def test_an_ungated_orphan_goes_on_presenting_its_old_password(site, tmp_path):
    (machine,) = fleet(site, tmp_path, 1, gated=False)
    naive_change(site)
    for _ in range(3):
        machine.contact()
    assert site.realm.wrong(FIRST) == 3


def test_an_ungated_client_asks_nobody_once_it_is_installed(site, tmp_path):
    (machine,) = fleet(site, tmp_path, 1, gated=False)
    site.check_ins.clear()
    naive_change(site)
    machine.contact()
    assert site.check_ins == []


def test_an_ungated_client_learns_a_second_account_through_the_access_point(site, tmp_path):
    (machine,) = fleet(site, tmp_path, 1, gated=False)
    second_account(site)
    _, status = machine.contact()
    assert [(k.account, k.proven) for k in status.credentials] == [(FIRST, True), (SECOND, True)]
    assert ("PC-0001", SECOND, 1, Answer.ACCEPTED) in site.proofs


def test_an_ungated_client_stops_at_the_first_account_that_lets_it_in(site, tmp_path):
    (machine,) = fleet(site, tmp_path, 1, gated=False)
    second_account(site)
    machine.contact()
    site.realm.logons.clear()
    report, _ = machine.contact()
    assert [event.account for event in report.events] == [FIRST]
    assert {account for _, account, _ in site.realm.logons} == {FIRST}


def test_an_ungated_client_forgets_an_account_that_the_access_point_says_is_withdrawn(site, tmp_path):
    (machine,) = fleet(site, tmp_path, 1, gated=False)
    second_account(site)
    machine.contact()
    site.withdraw(FIRST)
    assert [known.account for known in machine.contact()[1].credentials] == [SECOND]


def test_an_ungated_client_falls_back_on_its_second_account(site, tmp_path):
    (machine,) = fleet(site, tmp_path, 1, gated=False)
    second_account(site)
    machine.contact()
    naive_change(site)
    _, status = machine.contact()
    assert (status.account, status.answer, status.orphaned) == (SECOND, Answer.ACCEPTED, False)
    assert site.realm.wrong(FIRST) == 1
    assert status.credentials[-1].generation == 2


def test_gated_clients_survive_the_naive_change_without_one_wrong_password(site, tmp_path):
    machines = fleet(site, tmp_path, 8, gated=True)
    naive_change(site)
    assert all(machine.contact()[0].accepted for machine in machines)
    assert site.realm.wrong(FIRST) == 0


def test_a_client_five_generations_behind_returns_without_one_wrong_password(site, machine):
    machine.contact()
    for generation in range(2, 7):
        site.realm.set_password(FIRST, f"password number {generation}")
        site.publish(FIRST, generation, f"password number {generation}")
    site.clock.now += 90 * 24 * 3600
    report, status = machine.contact()
    assert report.accepted
    assert status.credentials[0].generation == 6
    assert site.realm.wrong(FIRST) == 0


def test_no_password_is_presented_while_the_site_cannot_be_asked(site, machine):
    machine.contact()
    site.realm.logons.clear()
    site.down = True
    report, status = machine.contact()
    assert report.failed
    assert status.failures == 1
    assert not status.orphaned
    assert site.realm.logons == []


def test_no_password_is_presented_while_the_site_says_wait(site, machine):
    machine.contact()
    site.realm.logons.clear()
    site.waits[FIRST] = 7
    report, status = machine.contact()
    assert report.retry_s == 7
    assert (report.failed, status.orphaned) == (False, False)
    assert site.realm.logons == []


def test_a_refused_generation_is_never_presented_again(site, machine):
    site.publish(FIRST, 1, "not the password of the account")
    for _ in range(4):
        machine.contact()
    assert site.realm.wrong(FIRST) == 1
    assert site.proofs == [("PC-0001", FIRST, 1, Answer.WRONG_PASSWORD)]


def test_a_refused_client_takes_the_next_generation(site, machine):
    site.publish(FIRST, 1, "not the password of the account")
    machine.contact()
    site.publish(FIRST, 2, "first password of the account")
    report, status = machine.contact()
    assert report.accepted
    assert not status.orphaned


def test_a_locked_account_does_not_condemn_the_password(site, machine):
    for _ in range(5):
        site.realm.logon("somebody else", FIRST, "mistyped")
    machine.contact()
    site.clock.now += 1800
    report, _ = machine.contact()
    assert report.accepted
    assert [answer for *_, answer in site.proofs] == [Answer.ACCEPTED]


def test_while_two_accounts_are_cycled_the_old_one_falls_quiet_and_is_forgotten(site, machine):
    machine.contact()
    second_account(site)
    machine.contact()
    site.realm.logons.clear()
    machine.contact()
    assert site.realm.logons == [("PC-0001", SECOND, Answer.ACCEPTED)]
    site.withdraw(FIRST)
    _, status = machine.contact()
    assert [known.account for known in status.credentials] == [SECOND]


def test_one_account_fails_and_the_other_lets_the_client_in(site, machine):
    second_account(site)
    machine.contact()
    site.realm.set_password(SECOND, "changed behind our back")
    _, status = machine.contact()
    assert (status.account, status.answer) == (FIRST, Answer.ACCEPTED)
    assert not status.orphaned


def test_a_proof_that_did_not_arrive_is_told_at_the_next_contact(site, machine):
    site.deaf_to_proofs = True
    report, _ = machine.contact()
    assert report.failed
    assert site.proofs == []
    site.deaf_to_proofs, site.waits[FIRST] = False, 5
    site.paths.clear()
    machine.contact()
    assert site.proofs == [("PC-0001", FIRST, 1, Answer.ACCEPTED)]
    assert site.paths[-1] == CHECK_IN, "the site is told before it is asked"


def test_a_logon_script_reinstalls_an_orphan_and_only_an_orphan(site, tmp_path):
    (machine,) = fleet(site, tmp_path, 1, gated=False)
    assert not found_no_way_in(machine.home, machine.client())
    naive_change(site)
    machine.contact()
    assert found_no_way_in(machine.home, machine.client())
    report, status = machine.put_right()
    assert report.accepted
    assert (status.orphaned, status.gated) == (False, False)
    assert machine.contact()[1].generation == 2


def test_an_orphan_that_is_told_to_wait_is_still_an_orphan(site, machine):
    site.publish(FIRST, 1, "not the password of the account")
    machine.contact()
    site.waits[FIRST] = 60
    assert machine.contact()[1].orphaned
    site.waits.clear()
    site.publish(FIRST, 1, "first password of the account")
    assert not machine.put_right()[1].orphaned


def test_reinstalling_keeps_what_is_held_when_the_site_gives_nothing(site, machine):
    machine.contact()
    site.waits[FIRST] = 30
    _, status = machine.put_right()
    assert [(known.account, known.proven) for known in status.credentials] == [(FIRST, True)]


def test_a_contact_cut_short_does_not_make_an_orphan(site, machine):
    machine.contact()
    site.share_down = True
    report, status = machine.contact()
    assert report.failed
    assert not status.orphaned


def test_what_does_not_open_replaces_nothing_and_is_not_presented(site, machine):
    machine.contact()
    site.realm.logons.clear()
    site.recipients["PC-0001"] = recipient_of(new_identity())
    site.publish(FIRST, 2, "first password of the account")
    report, status = machine.contact()
    assert [event.account for event in report.of(Spoiled)] == [FIRST]
    assert [(known.account, known.generation) for known in status.credentials] == [(FIRST, 1)]
    assert site.realm.logons == []


def test_a_copy_spoiled_on_the_disk_is_let_go_and_fetched_again(site, machine):
    machine.contact()
    client = machine.client()
    client.credentials.refresh()
    client.credentials.adopt(FIRST, 1, b"spoiled")
    report, _ = machine.contact()
    assert (len(report.of(Spoiled)), report.accepted) == (1, False)
    assert machine.contact()[0].accepted


def test_reinstalling_mends_a_damaged_state_without_reusing_a_number(site, machine):
    machine.contact()
    (machine.folder / "state.json").write_bytes(b"{")
    site.clock.now += 1
    report, _ = machine.put_right()
    assert report.accepted
    assert site.refused == []


def test_a_new_token_replaces_stolen_keys(site, machine, tmp_path):
    machine.contact()
    thief = copied(machine, tmp_path / "stolen")
    machine.enrol()
    assert machine.contact()[0].accepted
    assert "does not accept" in thief.contact()[0].failure


def test_a_cloned_machine_is_refused_once_the_original_is_ahead(site, machine, tmp_path):
    machine.contact()
    clone = copied(machine, tmp_path / "clone")
    machine.contact()
    machine.contact()
    assert "does not accept" in clone.contact()[0].failure
    assert site.refused == ["replayed"]


def test_a_token_is_good_once(site, machine):
    token = site.invite("PC-0001")
    keys = (machine.folder / "keys").read_bytes()
    enrol(machine.home, machine.parts, server=SERVER, name="PC-0001", token=token, ca="")
    with pytest.raises(Refused, match="used"):
        enrol(machine.home, machine.parts, server=SERVER, name="PC-0001", token=token, ca="")
    assert (machine.folder / "keys").read_bytes() != keys
    assert machine.contact()[0].accepted


def test_a_new_token_mends_a_damaged_folder(site, machine):
    machine.contact()
    for name in ("state.json", "agent.json", "keys", "status.json"):
        (machine.folder / name).write_bytes(b"{")
    site.clock.now += 1
    assert machine.enrol().contact()[0].accepted


def test_an_agent_does_not_take_another_name_than_its_own(site, machine):
    answer = write(Enrolled("PHX", "PC-0002", "/cap", 60, site.clock.now))
    parts = replace(machine.parts, exchange=lambda server, ca: lambda request, headers: Reply(200, {}, answer))
    before = machine.home.keys().verify_key
    with pytest.raises(Refused, match="PC-0002 instead of PC-0001"):
        enrol(machine.home, parts, server=SERVER, name="PC-0001", token=Secret("t"), ca="")
    assert machine.home.keys().verify_key == before


def test_a_client_whose_clock_is_a_year_off_is_understood(site, tmp_path):
    machine = Machine(site, tmp_path / "agent", clock=Clock(site.clock.now - 365 * 24 * 3600)).enrol()
    report, _ = machine.contact()
    assert report.accepted
    assert site.realm.wrong(FIRST) == 0


def test_nothing_written_holds_a_password(site, machine):
    machine.contact()
    second_account(site)
    machine.contact()
    written = b"".join(path.read_bytes() for path in machine.folder.iterdir())
    assert b"password of" not in written


def test_standings_survive_a_restart(site, machine):
    machine.contact()
    client = machine.client()
    client.credentials.refresh()
    assert [copy.standing for copy in client.credentials.held()] == [Standing.PROVEN]
    assert isinstance(client.identity, Secret)
