"""A client gets its policy, runs what it says under the right identity, and tells what became of it."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.agent.records import Standing
from keyturn.agent.software.ports import ContentFailed, Ended, HowEnded
from keyturn.distribution.accesses import Access
from keyturn.distribution.reports import AdvertisementState
from keyturn.distribution.run_context import (
    LocalSystem,
    LoggedOnUser,
    Machine,
    RaisedAccount,
    RealmAccount,
    TokenAccount,
)
from keyturn.model.logon import Answer
from keyturn.model.software import (
    At,
    ClientAccounts,
    ClientKind,
    Detection,
    DetectionKind,
    LoggedOn,
    Rerun,
    Rights,
)
from tests.memory_runner import exits
from tests.policies import INSTALLER, NETWORK, NOW, POINT, offer, policy
from tests.story.software_site import SoftwareMachine, SoftwareSite

SHARE = r"\\fs1.corp.example\apps"


@pytest.fixture
def site() -> SoftwareSite:
    site = SoftwareSite()
    site.clock.now = NOW
    for account in (NETWORK, INSTALLER):
        site.realm.set_password(account, f"the password of {account}")
        site.publish(account, 1, f"the password of {account}")
    return site


@pytest.fixture
def machine(site: SoftwareSite, tmp_path: Path) -> SoftwareMachine:
    return SoftwareMachine(site, tmp_path / "agent").enrol()  # type: ignore[return-value]


def states(site: SoftwareSite) -> list[str]:
    return [report.state.value for report in site.reports]


def last(site: SoftwareSite):
    return site.reports[-1]


def test_an_offer_is_received_run_as_local_system_and_told(site, machine):
    site.offer(policy(offer()))
    machine.once()
    [order] = machine.runner.orders
    assert order.execute_as == LocalSystem()
    assert order.command_line == "./install.sh"
    assert states(site) == ["received", "running", "succeeded"]
    assert [report.message_id for report in site.reports] == [10002, 10005, 10008]
    assert (last(site).exit_code, last(site).executed_as, last(site).machine) == (0, "root", "PC-0001")
    assert [report.number for report in site.reports] == sorted({report.number for report in site.reports})


def test_it_runs_once_however_often_the_agent_is_started(site, machine):
    site.offer(policy(offer()))
    for _ in range(3):
        machine.once()
        site.clock.now += 3600
    assert len(machine.runner.orders) == 1


def test_it_works_offline_from_what_it_has_until_the_policy_expires(site, machine):
    daily = offer(assignments=(At(NOW, 86400),), rerun=Rerun.ALWAYS)
    site.offer(policy(daily, expires_at=NOW + 2 * 86400))
    machine.once()
    site.down = True
    site.clock.now = NOW + 86400 + 5
    machine.once()
    assert len(machine.runner.orders) == 2
    site.clock.now = NOW + 2 * 86400 + 5
    machine.once()
    assert len(machine.runner.orders) == 2
    site.down = False
    site.clock.now += 5
    site.offer(policy(daily, counter=2))
    machine.once()
    assert len(machine.runner.orders) == 3
    assert states(site).count("succeeded") == 3, "the report of the run without a server came later"


def test_reports_wait_for_a_site_that_does_not_answer_and_come_once(site, machine):
    site.offer(policy(offer()))
    site.deaf_to_reports = True
    machine.once()
    assert site.reports == []
    site.deaf_to_reports = False
    machine.once()
    machine.once()
    assert states(site) == ["received", "running", "succeeded"]


def test_what_ran_when_the_machine_died_is_interrupted_and_not_repeated(site, machine):
    class Died(BaseException):
        pass

    def dies(_):
        raise Died

    site.offer(policy(offer(rerun=Rerun.IF_FAILED)))
    software = machine.started()
    machine.contact_with(software)
    machine.runner.comes_to = dies
    one = next(iter(software.policies.current().offers))
    from keyturn.agent.software.running import run_one
    from keyturn.distribution.due import Due, Known, due
    from keyturn.distribution.run_context import ClientState

    [found] = due(software.policies.current(), Known(), ClientState(ClientKind.ADVANCED), NOW)
    assert isinstance(found, Due)
    assert found.offer == one
    with pytest.raises(Died):
        run_one(found, found.standing.context, software.policies.current(), software.shop, lambda: False)
    machine.runner.comes_to = exits()
    machine.once()
    assert len(machine.runner.orders) == 1
    assert states(site)[-1] == "interrupted"
    assert "was interrupted; it is not repeated by itself" in machine.log()
    machine.opened().requests.put("PHX20001", site.clock.now + 1)
    site.clock.now += 2
    machine.once()
    assert len(machine.runner.orders) == 2


def test_what_cut_off_runs_left_raised_is_put_right_at_the_start(site, machine):
    machine.runner.left = ("sudo rule of run 1f2e taken away",)
    machine.once()
    assert "put right: sudo rule of run 1f2e taken away" in machine.log()


def test_a_share_that_is_no_distribution_point_is_reached_with_the_network_access_account_alone(site, machine):
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\data.cab")))
    machine.once()
    [order] = machine.runner.orders
    [share] = order.shares
    assert share.share == SHARE
    assert [identity.identity for identity in share.identities] == [RealmAccount(NETWORK)]
    assert share.identities[0].secret is not None
    assert share.identities[0].secret.reveal() == f"the password of {NETWORK}"
    assert order.execute_as == LocalSystem()
    assert "the password of" not in machine.log()


def test_without_a_network_access_account_it_fails_before_it_starts_and_says_why(site, machine):
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\data.cab"), accounts=ClientAccounts()))
    machine.once()
    assert machine.runner.orders == []
    assert (last(site).state, last(site).message_id, last(site).cause) == ("failed", 10003, "no-network-account")
    assert "access denied" in machine.log()
    assert SHARE in machine.log()


def test_an_account_whose_password_is_not_proven_is_not_lent(site, machine):
    site.realm.set_password(NETWORK, "another one")
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\x")))
    machine.once()
    assert machine.runner.orders == []
    assert last(site).cause == "no-proven-password"
    assert NETWORK in machine.log()
    before = site.realm.wrong(NETWORK)
    for _ in range(5):
        site.clock.now += 5 * 3600
        machine.once()
    assert site.realm.wrong(NETWORK) == before, "it is presented no more"


def test_a_password_that_was_found_wrong_since_it_was_lent_is_not_presented_any_more(site, machine):
    said = []

    def presents_it_twice(order):
        [lent] = order.shares[0].identities
        for _ in range(2):
            with lent.turn() as good:
                said.append(good)
                lent.spoiled()
        return Ended(HowEnded.EXITED, 0)

    machine.runner.comes_to = presents_it_twice
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\x")))
    machine.once()
    assert said == [True, False]


def test_a_long_run_asks_again_before_it_presents_anew(site, machine):
    """A file server that comes back after hours is reached by all runs at one moment."""
    said = []

    def reaches_it_again_and_again(order):
        [lent] = order.shares[0].identities
        for becomes in ("as it was", "out of reach", "another one"):
            site.down = becomes == "out of reach"
            if becomes == "another one":
                site.realm.set_password(NETWORK, becomes)
            site.clock.now += 3600
            with lent.turn() as good:
                said.append(good)
        return Ended(HowEnded.EXITED, 0)

    machine.runner.comes_to = reaches_it_again_and_again
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\x")))
    machine.once()
    assert said == [True, True, False]
    assert site.realm.wrong(NETWORK) == 0


def test_an_account_that_the_site_holds_back_is_presented_nowhere(site, machine):
    """It was called wrong at another client, say."""
    machine.once()
    site.waits[NETWORK] = 5.0
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\x")))
    machine.once()
    assert machine.runner.orders == []
    assert (last(site).state, last(site).cause) == ("failed", "no-proven-password")
    assert "all places are taken" in last(site).reason, "in the site's own words"
    assert f"{NETWORK} is held back: all places are taken" in machine.log()
    del site.waits[NETWORK]
    site.clock.now += 3600
    machine.once()
    assert len(machine.runner.orders) == 1


def test_no_account_is_presented_while_the_site_cannot_be_asked(site, machine):
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\x", assignments=(At(site.clock.now + 60),))))
    machine.once()
    site.down = True
    site.clock.now += 120
    machine.once()
    assert machine.runner.orders == []
    assert f"{NETWORK} is held back: the site was not asked: the site did not answer" in machine.log()


def test_no_account_is_presented_that_somebody_else_has_changed(site, machine):
    """The site has seen it in the realm, before anybody was refused."""
    machine.once()
    site.realm.set_password(NETWORK, "another one")
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\x")))
    machine.once()
    assert machine.runner.orders == []
    assert "somebody else has changed its password in the realm" in last(site).reason
    assert site.realm.wrong(NETWORK) <= 1, "the contact's own logon"


def test_a_password_that_a_share_called_wrong_is_refused_here_and_told(site, machine):
    def finds_it_wrong(order):
        order.shares[0].identities[0].spoiled()
        assert ("PC-0001", NETWORK, 1, Answer.WRONG_PASSWORD) in site.proofs, "the site hears of it at once"
        refused = Access(SHARE, NETWORK, 1, Answer.WRONG_PASSWORD, 0xC000006D, 0.1)
        return Ended(HowEnded.NOT_STARTED, accesses=(refused,), reason="the share let nobody in")

    machine.runner.comes_to = finds_it_wrong
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\x")))
    machine.once()
    assert last(site).cause == "wrong-password"
    assert last(site).accesses[0].identity == NETWORK
    client = machine.client()
    client.credentials.refresh()
    assert client.credentials.copy(NETWORK).standing is Standing.REFUSED
    site.clock.now += 3600
    machine.once()
    assert len(machine.runner.orders) == 1
    assert site.proofs.count(("PC-0001", NETWORK, 1, Answer.WRONG_PASSWORD)) == 1


@pytest.mark.parametrize(
    ("accounts", "asks", "executes", "state", "message"),
    [
        (ClientAccounts(software_installation=(INSTALLER,)), True, RaisedAccount(INSTALLER), "succeeded", 10008),
        (ClientAccounts(), True, None, "failed", 10003),
        (ClientAccounts(network_access=(NETWORK,)), False, None, "failed", 10003),
    ],
)
def test_the_legacy_client_reaches_another_share_by_the_software_installation_account_alone(
    site, machine, accounts, asks, executes, state, message
):
    one = offer(command_line=rf"./install.sh {SHARE}\data.cab", software_installation_account=asks)
    site.offer(policy(one, accounts=accounts, kind=ClientKind.LEGACY))
    machine.once()
    assert [order.execute_as for order in machine.runner.orders] == ([executes] if executes else [])
    assert (last(site).state, last(site).message_id) == (state, message)


def test_a_legacy_client_runs_administrative_programs_as_its_token_account(site, machine):
    site.offer(policy(offer(), kind=ClientKind.LEGACY))
    machine.once()
    assert machine.runner.orders[0].execute_as == TokenAccount()


def test_a_legacy_client_on_a_domain_controller_waits_for_the_domains_token_account(site, machine):
    site.offer(policy(offer(), kind=ClientKind.LEGACY))
    software = machine.started()
    software.domain_controller, software.token_missing = True, lambda: "it has not come"
    machine.contact_with(software)
    software.run_out(threading.Event())
    assert (last(site).state, last(site).reason) == (
        AdvertisementState.WAITING,
        "it waits for the domain's token account: it has not come",
    )
    software.token_missing = lambda: ""
    software.run_out(threading.Event())
    assert machine.runner.orders[0].execute_as == TokenAccount(domain=True)
    assert last(site).state is AdvertisementState.SUCCEEDED


def test_content_is_fetched_by_the_computer_account_and_then_the_network_access_account(site, machine):
    site.offer(policy(offer(digest="ab" * 32, points=(POINT,))))
    machine.folder_of_content = machine.folder / "cached"
    machine.once()
    [(_, identities)] = machine.fetched
    assert [identity.identity for identity in identities] == [Machine(), RealmAccount(NETWORK)]
    assert machine.runner.orders[0].folder == str(machine.folder_of_content)


def test_content_that_is_not_to_be_had_is_asked_for_again_later_and_ever_more_seldom(site, machine):
    site.offer(policy(offer(digest="ab" * 32, points=(POINT,))))
    denied = Access(POINT.place, NETWORK, 2, Answer.NO_SHARE_ACCESS, 0xC0000022, 0.1)
    machine.content_fails = ContentFailed("no-content-at-any-point", "DP1 let nobody in", (denied,))
    for seconds in (0, 590, 20, 1190, 20):
        site.clock.now += seconds
        machine.once()
    assert len(machine.fetched) == 3
    assert last(site).cause == "no-share-access"
    assert last(site).message_id == 10003
    assert POINT.place in machine.log()
    machine.content_fails = None
    site.clock.now += 3600
    machine.once()
    assert last(site).state == "succeeded"


@pytest.mark.parametrize(
    ("kind", "comes_to", "state", "cause", "message"),
    [
        (ClientKind.ADVANCED, exits(3010), "succeeded", "", 10008),
        (ClientKind.ADVANCED, exits(2), "failed", "exit-code", 10006),
        (ClientKind.LEGACY, exits(3010), "failed", "exit-code", 10006),
        (ClientKind.ADVANCED, exits(1909), "failed", "credentials-refused", 10006),
        (ClientKind.ADVANCED, lambda _: Ended(HowEnded.ENDED), "failed", "over-time", 10006),
        (ClientKind.ADVANCED, lambda _: Ended(HowEnded.STILL_RUNS), "failed", "over-time", 10006),
        (ClientKind.ADVANCED, lambda _: Ended(HowEnded.NOT_STARTED, reason="no sudo"), "failed", "not-started", 10003),
        (ClientKind.ADVANCED, lambda _: Ended(HowEnded.STOPPED), "interrupted", "interrupted", 0),
    ],
)
def test_how_a_run_that_ended_is_told(site, machine, kind, comes_to, state, cause, message):
    machine.runner.comes_to = comes_to
    site.offer(policy(offer(), kind=kind))
    machine.once()
    assert (last(site).state, last(site).cause, last(site).message_id) == (state, cause, message)


def test_an_exit_code_that_asks_for_it_is_tried_again_ten_times_and_no_more(site, machine):
    machine.runner.comes_to = exits(1618)
    site.offer(policy(offer()))
    for _ in range(30):
        machine.once()
        site.clock.now += 5 * 3600
    assert len(machine.runner.orders) == 11
    assert last(site).cause == "retries-used-up"


def test_each_access_stands_once_in_the_log_before_the_end_of_the_run(site, machine):
    refused = Access(SHARE, NETWORK, 1, Answer.NO_SHARE_ACCESS, 0xC0000022, 0.1)
    accesses = (refused, replace(refused, identity=INSTALLER, order=2))
    machine.runner.comes_to = exits(5, accesses=accesses)
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\x")))
    machine.once()
    log = machine.log()
    lines = [f"<![LOG[{access}]LOG]!>" for access in accesses]
    assert [log.count(line) for line in lines] == [1, 1]
    assert log.index(lines[1]) < log.index("exited with exit code 5")
    assert [access.identity for access in last(site).accesses] == [NETWORK, INSTALLER]


def test_a_program_that_was_refused_a_share_is_not_tried_again_into_a_lockout(site, machine):
    refused = Access(SHARE, NETWORK, 1, Answer.LOCKED, 0xC0000234, 0.1)
    machine.runner.comes_to = exits(5, accesses=(refused,))
    site.offer(policy(offer(command_line=rf"./install.sh {SHARE}\x")))
    for _ in range(3):
        machine.once()
        site.clock.now += 5 * 3600
    assert len(machine.runner.orders) == 1
    assert last(site).cause == "account-locked"


MIF = b'Start Group\nClass = "MICROSOFT|JOBSTATUS|1.0"\nStart Attribute\nName = "Status"\nValue = "%s"\nEnd Attribute\n'


@pytest.mark.parametrize(
    ("code", "said", "state", "message"),
    [(1, b"Success", "succeeded", 10009), (0, b"Failed", "failed", 10007)],
)
def test_a_status_mif_outweighs_the_exit_code(site, machine, code, said, state, message):
    machine.runner.comes_to = exits(code, mifs=(MIF % said,))
    site.offer(policy(offer(), kind=ClientKind.LEGACY))
    machine.once()
    assert (last(site).state, last(site).message_id) == (state, message)


def test_what_says_that_it_succeeded_and_is_not_there_has_failed(site, machine, tmp_path):
    there = tmp_path / "there"
    one = offer(detection=(Detection(DetectionKind.FILE, str(there)),))
    site.offer(policy(one))
    machine.once()
    assert (last(site).state, last(site).cause, last(site).exit_code) == ("failed", "not-detected", 0)
    there.touch()
    machine.opened().requests.put("PHX20001", site.clock.now + 1)
    site.clock.now += 2
    machine.once()
    assert last(site).state == "succeeded"


@pytest.mark.parametrize(("logged_on", "meant"), [(("mary",), "home/mary"), ((), "of a user")])
def test_what_landed_in_the_home_of_root_succeeded_for_the_wrong_identity(site, machine, tmp_path, logged_on, meant):
    root, mary = tmp_path / "root", tmp_path / "home" / "mary"
    (root / ".local").mkdir(parents=True)
    (root / ".local" / "app").touch()
    machine.runner.homes = {"root": root, "mary": mary}
    machine.runner.logged_on = logged_on
    machine.runner.comes_to = exits(0, home=str(root))
    site.offer(policy(offer(detection=(Detection(DetectionKind.FILE, "~/.local/app"),))))
    machine.once()
    assert (last(site).state, last(site).cause) == ("failed", "wrong-identity")
    assert meant in last(site).reason


def test_a_detection_by_command_runs_under_the_run_s_own_identity(site, machine):
    machine.runner.comes_to = lambda order: exits(0 if order.command_line == "./install.sh" else 1)(order)
    site.offer(policy(offer(detection=(Detection(DetectionKind.COMMAND, "test -x /usr/bin/app"),))))
    machine.once()
    assert [order.command_line for order in machine.runner.orders] == ["./install.sh", "test -x /usr/bin/app"]
    assert machine.runner.orders[1].execute_as == LocalSystem()
    assert last(site).cause == "not-detected"


def test_a_user_s_program_waits_for_the_logon_and_runs_as_that_user(site, machine):
    site.offer(policy(offer(rights=Rights.USER, logged_on=LoggedOn.USER_LOGGED_ON)))
    machine.once()
    assert (last(site).state, last(site).reason) == ("waiting", "it waits for a user to log on")
    machine.runner.logged_on = ("mary",)
    site.clock.now += 5
    machine.once()
    assert machine.runner.orders[0].execute_as == LoggedOnUser("mary")
    assert states(site) == ["received", "waiting", "running", "succeeded"]


def test_waiting_is_told_once(site, machine):
    site.offer(policy(offer(assignments=())))
    for _ in range(3):
        machine.once()
    assert states(site) == ["received", "waiting"]


def test_what_is_not_offered_any_more_is_cancelled_unless_it_ran(site, machine):
    site.offer(policy(offer(1, assignments=()), offer(2)))
    machine.once()
    site.offer(policy(counter=2))
    machine.once()
    assert [(r.advertisement, r.state.value) for r in site.reports][-1] == ("PHX20001", "cancelled")
    assert states(site).count("cancelled") == 1


def test_a_program_that_is_to_run_before_runs_before(site, machine):
    first = offer(1, name="runtime", package="PHX00009", command_line="./first")
    site.offer(policy(offer(1, first=(first,), command_line="./second")))
    machine.once()
    assert [order.command_line for order in machine.runner.orders] == ["./first", "./second"]


def test_when_the_first_one_fails_the_second_does_not_run_and_the_site_hears_why(site, machine):
    machine.runner.comes_to = exits(2)
    first = offer(1, name="runtime", package="PHX00009", command_line="./first")
    site.offer(policy(offer(1, first=(first,), command_line="./second")))
    machine.once()
    assert [order.command_line for order in machine.runner.orders] == ["./first"]
    assert last(site).cause == "run-first-failed"


def test_one_that_hangs_holds_up_nobody(site, machine):
    hung = threading.Event()

    def hangs(order):
        if order.command_line == "./hangs":
            hung.wait(60)
        return exits()(order)

    machine.runner.comes_to = hangs
    site.offer(policy(*(offer(n, command_line="./hangs") for n in (1, 2)), *(offer(n) for n in range(3, 9))))
    software, stop = machine.started(), threading.Event()
    machine.contact_with(software)
    software.turn(stop)
    site.clock.now += 601
    deadline = time.monotonic() + 60
    done = 0
    while done < 6 and time.monotonic() < deadline:
        software.turn(stop)
        done = sum(run.state is AdvertisementState.SUCCEEDED for run in software.history.kept.runs)
        time.sleep(0.01)
    hung.set()
    software.finish()
    assert len(machine.runner.orders) == 8
    assert done == 6


def test_programs_of_one_package_never_run_at_once(site, machine):
    at_once, most, lock = 0, 0, threading.Lock()

    def counts(order):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        with lock:
            at_once -= 1
        return exits()(order)

    machine.runner.comes_to = counts
    site.offer(policy(*(offer(n, package="PHX00001") for n in range(1, 5))))
    machine.once()
    assert len(machine.runner.orders) == 4
    assert most == 1


def test_the_agent_beside_its_contacts_ends_when_it_is_told_to(site, machine):
    software, stop = machine.started(), threading.Event()
    site.offer(policy(offer()))
    machine.contact_with(software)
    with software.beside(stop, lambda event, seconds: event.wait(0.01)):
        deadline = time.monotonic() + 60
        while states(site)[-1:] != ["succeeded"] and time.monotonic() < deadline:
            time.sleep(0.01)
    assert states(site) == ["received", "running", "succeeded"]


def test_a_damaged_history_lets_nothing_run(site, machine):
    from keyturn.agent.records import Damaged

    site.offer(policy(offer()))
    machine.once()
    (machine.place.path / "history.json").write_bytes(b"{")
    with pytest.raises(Damaged, match="history"):
        machine.started()
    assert len(machine.runner.orders) == 1


def test_the_offer_that_was_replaced_keeps_its_history(site, machine):
    one = offer()
    site.offer(policy(one))
    machine.once()
    site.offer(policy(replace(one, digest="cd" * 32, points=(POINT,)), counter=2))
    machine.once()
    assert len(machine.runner.orders) == 1


def test_what_ran_for_another_site_is_forgotten_and_what_ran_for_this_one_is_not(site, machine, tmp_path):
    import msgspec

    site.offer(policy(offer()))
    machine.once()
    machine.enrol()
    machine.once()
    assert len(machine.runner.orders) == 1, "enrolled anew at the same site"
    founded_anew = msgspec.structs.replace(machine.home.installation(), ca="another authority")
    machine.home.keep_installation(founded_anew)
    machine.once()
    assert len(machine.runner.orders) == 2


def test_a_run_that_breaks_in_the_agent_is_interrupted_and_the_others_go_on(site, machine):
    def breaks(order):
        if order.command_line == "./breaks":
            raise ZeroDivisionError
        return exits()(order)

    machine.runner.comes_to = breaks
    site.offer(policy(offer(1, command_line="./breaks"), offer(2)))
    machine.once()
    assert {report.advertisement: report.state.value for report in site.reports} == {
        "PHX20001": "interrupted",
        "PHX20002": "succeeded",
    }
    assert "met what nobody foresaw: ZeroDivisionError" in machine.log()
