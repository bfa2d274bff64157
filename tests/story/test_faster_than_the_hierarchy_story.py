"""The realm has a new password before the clients' site knows of it (seed, Managing the Client Connection Account):
what that does to clients that ask nobody, as forecast, and the three ways past it."""

from pathlib import Path

import pytest

from keyturn.agent.enrolment import enrol
from keyturn.agent.logon_install import Found, Outcome
from keyturn.lockout.changes import Contact, Forecast, PasswordSet, Published, Retired
from keyturn.lockout.forecast import predict
from keyturn.model.estate import Habit
from keyturn.model.logon import Answer, LogonProtocol
from tests.story.agent_site import FIRST, SECOND, SERVER, Machine, MemorySite
from tests.story.test_logon_install_story import CA, at_logon

MACHINES, INTERVAL_S = 6, 10.0
TRAVELS_S = 45.0
"""What the realm knows at once reaches the clients' access point so much later."""
HORIZON_S = 120.0
OLD, NEW, SPARE = "the old password", "the new password", "the spare's password"


@pytest.fixture
def site() -> MemorySite:
    site = MemorySite(contact_s=INTERVAL_S)
    site.realm.set_password(FIRST, OLD)
    site.publish(FIRST, 1, OLD)
    return site


def fleet(site: MemorySite, folder: Path, *, gated: bool) -> list[Machine]:
    """Installed while all was well; they come one second after the other."""
    machines = [
        Machine(site, folder / f"pc-{number}", name=f"PC-{number:04d}", gated=gated)
        for number in range(1, MACHINES + 1)
    ]
    for machine in machines:
        token = site.invite(machine.name)
        enrol(machine.home, machine.parts, server=SERVER, name=machine.name, token=token, ca=CA)
        machine.contact()
    return machines


def play(site: MemorySite, machines: list[Machine], happenings: dict[int, object]) -> float | None:
    """Second by second from now to the horizon: first what happens, then whoever comes. When FIRST was first locked."""
    locked_at, start = None, site.clock.now
    for second in range(int(HORIZON_S) + 1):
        site.clock.now = start + second
        if second in happenings:
            happenings[second]()  # type: ignore[operator]
        turn = second % int(INTERVAL_S)
        if 1 <= turn <= len(machines):
            machines[turn - 1].contact()
        if locked_at is None and site.realm.locked(FIRST):
            locked_at = float(second)
    return locked_at


def foreseen(site: MemorySite, *changes: object) -> Forecast:
    contacts = [
        Contact(f"PC-{number:04d}", Habit(INTERVAL_S, phase_s=float(number)), LogonProtocol.NTLM, gated=False)
        for number in range(1, MACHINES + 1)
    ]
    return predict(contacts, changes, site.realm.policy, horizon_s=HORIZON_S)  # type: ignore[arg-type]


def orphans(machines: list[Machine]) -> list[str]:
    found = []
    for machine in machines:
        client = machine.client()
        client.credentials.refresh()
        if client.credentials.orphaned:
            found.append(machine.name)
    return found


def changed_in_the_realm(site: MemorySite) -> None:
    site.realm.set_password(FIRST, NEW)


def test_a_plain_change_locks_clients_out_as_forecast_before_their_site_has_heard_of_it(
    site: MemorySite, tmp_path: Path
) -> None:
    machines = fleet(site, tmp_path, gated=False)
    forecast = foreseen(site, PasswordSet(0), Published(TRAVELS_S))
    locked_at = play(
        site,
        machines,
        {0: lambda: changed_in_the_realm(site), int(TRAVELS_S): lambda: site.publish(FIRST, 2, NEW)},
    )
    assert locked_at is not None
    assert locked_at < TRAVELS_S
    assert locked_at == forecast.first_lockout_s
    assert tuple(orphans(machines)) == forecast.orphaned == tuple(machine.name for machine in machines)


def test_a_logon_script_is_the_way_back_once_the_news_has_come(site: MemorySite, tmp_path: Path) -> None:
    machines = fleet(site, tmp_path, gated=False)
    play(site, machines, {0: lambda: changed_in_the_realm(site)})
    site.publish(FIRST, 2, NEW)
    site.clock.now += site.realm.policy.lockout_duration_s
    for machine in machines:
        outcome = at_logon(machine, name=machine.name)
        assert outcome == Outcome(Found.NO_WAY_IN, "credentials fetched anew")
    assert orphans(machines) == []
    assert [answer for _, _, answer in site.realm.logons[-MACHINES:]] == [Answer.ACCEPTED] * MACHINES


def test_a_second_account_that_is_published_before_the_first_is_changed_avoids_it(
    site: MemorySite, tmp_path: Path
) -> None:
    """Keyturn's order: publish, wait until everybody has logged on with it, then touch the first."""
    machines = fleet(site, tmp_path, gated=False)
    site.realm.set_password(SECOND, SPARE)
    forecast = foreseen(site, Published(0, second_account=True), Retired(2 * INTERVAL_S))

    def published() -> None:
        site.publish(SECOND, 1, SPARE, succeeds=(FIRST,))
        site.withdraw(FIRST)

    locked_at = play(site, machines, {0: published, int(2 * INTERVAL_S): lambda: changed_in_the_realm(site)})
    assert (locked_at, orphans(machines), site.realm.wrong(FIRST)) == (None, [], 0)
    assert (forecast.first_lockout_s, forecast.orphaned) == (None, ())


def test_clients_that_ask_before_they_present_a_password_spend_nothing_while_the_news_travels(
    site: MemorySite, tmp_path: Path
) -> None:
    machines = fleet(site, tmp_path, gated=True)

    def told_to_wait() -> None:
        changed_in_the_realm(site)
        site.waits[FIRST] = INTERVAL_S

    def heard() -> None:
        del site.waits[FIRST]
        site.publish(FIRST, 2, NEW)

    assert play(site, machines, {0: told_to_wait, int(TRAVELS_S): heard}) is None
    assert (orphans(machines), site.realm.wrong(FIRST)) == ([], 0)
