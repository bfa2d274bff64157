"""A machine that has run programs for years: what it keeps of them stays within bounds, and nothing runs again."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.agent.software.history import MAX_GONE, MAX_WITHDRAWN
from keyturn.agent.software.records import Remembered, Run
from keyturn.distribution.reports import AdvertisementState
from keyturn.model.software import LogSettings
from tests.policies import NOW, offer, policy
from tests.story.software_site import SoftwareMachine, SoftwareSite

YEARS_S = 10 * 365 * 24 * 3600.0


@pytest.fixture
def site() -> SoftwareSite:
    site = SoftwareSite()
    site.clock.now = NOW + YEARS_S
    return site


@pytest.fixture
def machine(site: SoftwareSite, tmp_path: Path) -> SoftwareMachine:
    return SoftwareMachine(site, tmp_path / "agent").enrol()  # type: ignore[return-value]


def remembered(machine: SoftwareMachine) -> Remembered:
    kept = machine.place.remembered()
    assert kept is not None
    return kept


def live(machine: SoftwareMachine, runs: int) -> None:
    """So many programs have run, one after the other, that are not offered any more; the first of them the longest
    ago."""
    machine.once()
    old = tuple(
        Run(f"{n:08x}", f"OLD{n:05}", "PHX00009", "Install", NOW + n, AdvertisementState.SUCCEEDED) for n in range(runs)
    )
    kept = remembered(machine)
    machine.place.remember(Remembered(kept.number, kept.site, (*old, *kept.runs), said=kept.said))


def test_of_what_is_offered_no_more_the_newest_runs_are_remembered(site, machine):
    site.offer(policy(offer(), expires_at=NOW + 2 * YEARS_S))
    live(machine, MAX_WITHDRAWN + 500)
    machine.once()
    old = [run.advertisement for run in remembered(machine).runs if run.advertisement.startswith("OLD")]
    assert old == [f"OLD{n:05}" for n in range(500, MAX_WITHDRAWN + 500)]


def test_what_is_offered_is_remembered_however_long_ago_it_ran(site, machine):
    old = offer(package="PHX00009", name="Install")
    old = replace(old, advertisement=replace(old.advertisement, advertisement_id="OLD00000"))
    site.offer(policy(offer(), old, expires_at=NOW + 2 * YEARS_S))
    live(machine, MAX_WITHDRAWN + 500)
    ran = len(machine.runner.orders)
    machine.once()
    assert any(run.advertisement == "OLD00000" for run in remembered(machine).runs)
    assert len(machine.runner.orders) == ran


def test_what_comes_back_after_it_was_withdrawn_does_not_run_again(site, machine):
    site.offer(policy(offer(1), offer(2), expires_at=NOW + 2 * YEARS_S))
    machine.once()
    for counter, offers in enumerate(([offer(2)], [offer(1), offer(2)]), 2):
        site.offer(policy(*offers, counter=counter, expires_at=NOW + 2 * YEARS_S))
        site.clock.now += 3600
        machine.once()
    assert len(machine.runner.orders) == 2


def test_users_who_have_long_gone_are_forgotten(site, machine):
    software = machine.started()
    for number in range(MAX_GONE + 5):
        software.history.users([f"user{number}"])
    gone = [user for user, _ in remembered(machine).gone]
    assert gone == [f"user{number}" for number in range(4, MAX_GONE + 4)]


def test_logs_are_put_aside_and_do_not_grow_beyond_their_settings(site, machine):
    logs = LogSettings(level=0, max_bytes=10_000, history=1)
    site.offer(policy(*map(offer, range(1, 41)), logs=logs, expires_at=NOW + 2 * YEARS_S))
    software = machine.once()
    for _ in range(20):
        software.run_out(threading.Event())
    files = list(machine.place.logs.iterdir())
    assert {file.name for file in files if file.name.startswith("execmgr")} == {"execmgr.log", "execmgr.lo_"}
    assert max(file.stat().st_size for file in files) <= 10_000
