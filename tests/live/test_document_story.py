"""The story of the seed's document, on a real domain, a real share and real agents: what a plain change does to a
fleet, what Keyturn's cycle does, and what becomes of clients that were away."""

import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.lockout.changes import Contact, Forecast, PasswordSet, Published
from keyturn.lockout.forecast import predict
from keyturn.model.accounts import Account
from keyturn.model.estate import Habit
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.operations import plans
from keyturn.operations.ports import PlanState
from keyturn.server.access_point import access_files
from keyturn.wire.agent import FOLDER
from keyturn.wire.evidence.reading import read_evidence
from tests.builtin import Clock, password
from tests.inner_site import site_in
from tests.samba import OURS, READERS, REALM, Samba, running
from tests.share_fleet import Machine, fleet_of
from tests.story.real_realm import made

INTERVAL_S = 2.0
COUNT = 10
NAMES = [f"PC-{number:04d}" for number in range(1, COUNT + 1)]
REFUSALS = {Answer.WRONG_PASSWORD, Answer.LOCKED, Answer.REVOKED}
ESTATE = """
product = "sms2003"

[[realm]]
name = "CORP"
kind = "active-directory"
replicas = ["dc1", "dc2"]

[[site]]
code = "PHX"
realm = "CORP"
server = "SRV-PHX"

[[site_system]]
name = "FS1"
site = "PHX"
roles = ["client-access-point"]
share = '{share}'

[[client_group]]
name = "PC"
site = "PHX"
kind = "legacy"
count = {count}
interval = "2 s"
protocol = "{protocol}"

[[account]]
name = "{account}"
realm = "CORP"
role = "client-connection-additional"
sites = ["PHX"]
"""


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running(file_server=True, grace_min=0, tell_logons=True) as samba:
        yield samba


@pytest.fixture
def authority(samba: Samba) -> Authority:
    return open_authority(samba.realm(), lambda: OURS)


class Scene:
    """A site, its account in the domain, and its access point on the share."""

    def __init__(
        self,
        samba: Samba,
        authority: Authority,
        folder: Path,
        name: str,
        protocol: LogonProtocol = LogonProtocol.NTLM,
        count: int = COUNT,
    ) -> None:
        estate = ESTATE.format(share=samba.share, count=count, protocol=protocol, account=name)
        self.samba, self.authority, self.folder = samba, authority, folder
        self.names = NAMES[:count]
        # The clock is the controllers': what they say of logons is compared with the site's.
        self.site = site_in(folder, estate, clock=Clock(time.time()), real={REALM: authority})
        made(self.site, name)
        self.account = self.found(name)
        authority.grant(self.account, Rights(groups=frozenset({READERS})))
        samba.converge()

    def found(self, name: str) -> Account:
        found = self.authority.find(name)
        assert found
        return found

    def fleet(self, *, gated: bool) -> list[Machine]:
        self.publish()
        return fleet_of(self.site, self.folder / "machines", self.names, gated=gated)

    def publish(self) -> None:
        for file in access_files(self.site.parts):
            if file.box == FOLDER:
                self.samba.put_on_share(file.path, file.content().decode())

    def set_plainly(self, times: int = 1) -> None:
        """As an administrator does, and without anybody being told. Every controller shows it on return."""
        for number in range(times):
            self.samba.set_password(self.samba.dn(self.account.name), password(number))
        self.samba.converge()

    def quiet(self, *names: str) -> None:
        """No controller has counted or locked anything."""
        assert [(self.samba.bad_counts(name), self.samba.locked_at(name)) for name in names] == [(0, 0)] * len(names)

    def rotate(self, machines: list[Machine], *, giving_up: list[Machine] | None = None) -> None:
        """The plan and the machines take turns."""
        in_use = [m for m in self.site.store.estate().accounts if m.usable and m.successor is None]
        record = self.site.rotate(in_use[0].account.name)
        if giving_up:
            plans.release(self.site.parts, record.plan_id, [machine.name for machine in giving_up], by="paul")
        turns = 0
        while turns < 60:
            plans.advance_plan(self.site.parts, record.plan_id, "worker")
            record = self.site.store.plan(record.plan_id)
            if record.state not in (PlanState.RUNNING, PlanState.WAITING):
                break
            if "has not replicated" in record.note:
                time.sleep(0.15)  # a controller tells nobody when it has heard
                continue
            for machine in machines:
                machine.contact()
            self.site.clock.turn(30)
            turns += 1
        assert record.state is PlanState.DONE, record.note


def policy_of(samba: Samba, history: int) -> RealmPolicy:
    policy = RealmPolicy(lockout_threshold=5, history=history, grace_s=0)
    samba.set_policy(policy)
    samba.converge()
    return policy


def foreseen(protocol: LogonProtocol, policy: RealmPolicy) -> Forecast:
    step_s = INTERVAL_S / COUNT
    contacts = [
        Contact(name, Habit(INTERVAL_S, phase_s=number * step_s), protocol, gated=False)
        for number, name in enumerate(NAMES)
    ]
    return predict(contacts, [PasswordSet(0), Published(600)], policy, horizon_s=60)


def poll(machines: list[Machine], rounds: int) -> Iterator[tuple[float, Answer | None]]:
    """Each in its turn of every interval, with the seconds since the start."""
    began = time.monotonic()
    for number in range(rounds * len(machines)):
        due = number * INTERVAL_S / len(machines)
        time.sleep(max(0.0, began + due - time.monotonic()))  # the lock is to come at a moment of the real clock
        answer = machines[number % len(machines)].contact().answer
        yield time.monotonic() - began, answer


@pytest.mark.parametrize(
    ("protocol", "history"), [(LogonProtocol.NTLM, 0), (LogonProtocol.KERBEROS, 24)], ids=["ntlm", "kerberos"]
)
def test_a_plain_change_locks_the_account_when_the_forecast_says(
    samba: Samba,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    protocol: LogonProtocol,
    history: int,
) -> None:
    if protocol is LogonProtocol.KERBEROS:
        if not (find_spec("krb5") and find_spec("gssapi")):
            pytest.skip("the extra `kerberos` is not installed")
        monkeypatch.setenv("KRB5_CONFIG", str(samba.kerberos_configuration()))
    policy = policy_of(samba, history)
    scene = Scene(samba, authority, tmp_path, f"kt-plain-{protocol}", protocol)
    machines = scene.fleet(gated=False)
    forecast = foreseen(protocol, policy)
    assert forecast.first_lockout_s is not None
    scene.set_plainly()
    wrong, locked_s = [], 0.0
    for at_s, answer in poll(machines, rounds=4):
        wrong.append(answer)
        if samba.locked_at(scene.account.name):
            locked_s = at_s
            break
    assert wrong == [Answer.WRONG_PASSWORD] * policy.lockout_threshold
    assert abs(locked_s - forecast.first_lockout_s) <= INTERVAL_S
    assert all(machine.contact().answer in REFUSALS for machine in machines)
    assert set(forecast.orphaned) == {machine.name for machine in machines if machine.client.credentials.orphaned}


def test_a_plain_change_under_a_history_orphans_everybody_without_a_lockout(
    samba: Samba, authority: Authority, tmp_path: Path
) -> None:
    policy = policy_of(samba, history=24)
    scene = Scene(samba, authority, tmp_path, "kt-orphans")
    machines = scene.fleet(gated=False)
    forecast = foreseen(LogonProtocol.NTLM, policy)
    scene.set_plainly()
    answers = [machine.contact().answer for _ in range(2) for machine in machines]
    assert answers == [Answer.WRONG_PASSWORD] * 2 * COUNT
    scene.quiet(scene.account.name)
    assert forecast.first_lockout_s is None
    assert set(forecast.orphaned) == {machine.name for machine in machines if machine.client.credentials.orphaned}


def test_the_cycle_of_keyturn_fails_no_logon_and_locks_nothing(
    samba: Samba, authority: Authority, tmp_path: Path
) -> None:
    policy_of(samba, history=0)
    scene = Scene(samba, authority, tmp_path, "kt-cycle")
    machines = scene.fleet(gated=True)
    scene.rotate(machines)
    last = [machine.contact() for machine in machines]
    assert {(status.account, status.answer) for status in last} == {("CORP\\kt-cycle_2", Answer.ACCEPTED)}
    assert sum(status.failed_logons for status in last) == 0
    assert not authority.describe(scene.account).enabled
    assert authority.describe(scene.found("kt-cycle_2")).enabled
    scene.quiet("kt-cycle", "kt-cycle_2")
    log = read_evidence(samba.said_of_logons().encode(), "samba.log")
    seen = [sighting for sighting in log.sightings if sighting.name.startswith("kt-cycle")]
    assert len(seen) >= 2 * COUNT
    assert {one.answer for one in seen} == {Answer.ACCEPTED}


def test_clients_that_missed_1_2_3_and_5_rotations_come_back_by_themselves(
    samba: Samba, authority: Authority, tmp_path: Path
) -> None:
    policy_of(samba, history=0)
    scene = Scene(samba, authority, tmp_path, "kt-away", count=6)
    machines = scene.fleet(gated=True)
    leaves_before = {1: machines[0], 3: machines[1], 4: machines[2], 5: machines[3]}
    away: list[Machine] = []
    for rotation in range(1, 6):
        away += [leaves_before[rotation]] if rotation in leaves_before else []
        scene.rotate([machine for machine in machines if machine not in away], giving_up=away)
    back = [machine.contact() for machine in away]
    assert [status.answer for status in back] == [Answer.ACCEPTED] * 4
    assert {status.account for status in back} == {machines[4].contact().account} != {"CORP\\kt-away"}
    assert [status.failed_logons for status in back] == [0] * 4
    scene.quiet(*{managed.account.name for managed in scene.site.store.estate().accounts})


@pytest.mark.parametrize("rotations", [1, 2, 3, 5])
def test_ungated_clients_that_missed_as_many_changes_lock_the_account(
    samba: Samba, authority: Authority, tmp_path: Path, rotations: int
) -> None:
    policy_of(samba, history=0)
    scene = Scene(samba, authority, tmp_path, f"kt-control-{rotations}", count=6)
    machines = scene.fleet(gated=False)
    scene.set_plainly(rotations)
    answers = [machine.contact().answer for machine in machines]
    assert answers == [Answer.WRONG_PASSWORD] * 5 + [Answer.LOCKED]
    assert samba.locked_at(scene.account.name)
