"""Agents whose programs run on this very machine: as the token account, which has nothing left of its rights when its
agent is killed, and as users, who have to be logged on."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from keyturn.adapters.runners.posix.runner import PosixRunner
from keyturn.model.software import ClientKind, LoggedOn, Rights
from tests.logons import own_logons
from tests.policies import NOW, offer, policy
from tests.posix_runs import COMMANDS, USER, left_of, machine
from tests.story.agent_site import FIRST
from tests.story.software_site import SoftwareMachine, SoftwareSite

ROOT = Path(__file__).parents[2]
STEPS = ("known", "recorded", "staged", "built", "mounted", "started", "exited", "closed")
"""Of a run, as the runner reaches them."""
KINDS = (ClientKind.ADVANCED, ClientKind.LEGACY)


@pytest.fixture(scope="module", autouse=True)
def here() -> Iterator[None]:
    with machine():
        yield


@pytest.fixture
def site() -> SoftwareSite:
    site = SoftwareSite()
    site.clock.now = NOW
    return site


def enrolled(site: SoftwareSite, folder: Path, kind: ClientKind) -> SoftwareMachine:
    """A client of that kind, which the access point lets in."""
    runner = PosixRunner(folder / "software" / "runs", grace_s=0.3)
    machine = SoftwareMachine(site, folder, runner=runner)  # type: ignore[arg-type]
    machine.enrol()
    installation = machine.home.installation()
    machine.home.keep_installation(msgspec.structs.replace(installation, kind=kind))
    site.realm.set_password(FIRST, "the password")
    site.publish(FIRST, 1, "the password")
    return machine


def told(site: SoftwareSite) -> list[str]:
    return [report.state.value for report in (*site.reports, *site.left)]


@pytest.mark.parametrize("step", STEPS)
def test_an_agent_killed_at_a_step_of_the_token_accounts_run_leaves_nothing_privileged(
    site: SoftwareSite, tmp_path: Path, step: str
) -> None:
    agent = enrolled(site, tmp_path / "agent", ClientKind.LEGACY)
    runs = tmp_path / "agent" / "software" / "runs"
    command_line = COMMANDS.says("done") if step == "closed" else COMMANDS.leaves_long_behind
    site.offer(policy(offer(command_line=command_line), kind=ClientKind.LEGACY))
    agent.contact_with(agent.opened())

    killed = subprocess.run(
        [sys.executable, ROOT / "tests" / "agent_victim.py", agent.folder, runs, step],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [line for line in left_of(runs) if not line.endswith("is on disk")] == []

    started = agent.started()
    assert left_of(runs) == []
    started.run_out(threading.Event())
    agent.contact_with(started)
    assert told(site)[-1] == "interrupted"
    assert "running" in told(site)
    assert "was interrupted; it is not repeated by itself" in agent.log("SMSAPM32")
    assert agent.log("SMSAPM32").count("starts as the token account") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_with_a_users_rights_waits_for_the_logon_and_runs_as_that_user(
    site: SoftwareSite, tmp_path: Path, kind: ClientKind
) -> None:
    agent = enrolled(site, tmp_path / "agent", kind)
    by_user = offer(
        command_line='sh -c "id -un > $HOME/ran; cat /proc/self/loginuid >> $HOME/ran"',
        rights=Rights.USER,
        logged_on=LoggedOn.USER_LOGGED_ON,
    )
    site.offer(policy(by_user, kind=kind))
    ran = Path("/home") / USER / "ran"
    ran.unlink(missing_ok=True)
    with own_logons() as logged_on:
        agent.once()
        agent.once()
        assert told(site) == ["received", "waiting"]
        assert not ran.exists()
        logged_on(USER)
        agent.once()
        agent.once()
    assert told(site) == ["received", "waiting", "running", "succeeded"]
    last = (*site.reports, *site.left)[-1]
    assert (last.executed_as, last.login) == (USER, USER)
    assert ran.read_text() == f"{USER}\n{ran.stat().st_uid}"
    assert ran.stat().st_uid == (Path("/home") / USER).stat().st_uid
