"""The agent as something that runs: a process of its own, or a unit of systemd (of which only what is asked of it is
seen here)."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from keyturn.agent import service as module
from keyturn.agent.home import Home
from keyturn.agent.keys import new_keys
from keyturn.agent.records import Installation
from keyturn.agent.service import PID, UNIT, NotStarted, Service
from keyturn.agent.uninstall import uninstall
from keyturn.model.errors import Refused
from tests.posix_runs import wait_until


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Enrolled at a site that does not answer."""
    home = Home(tmp_path / "agent")
    home.make()
    home.keep_installation(Installation("https://127.0.0.1:9", "PHX", "PC-0001", "/cap", "", 3600))
    home.keep_keys(new_keys())
    return home


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
def test_an_agent_that_was_started_runs_until_it_is_stopped(home: Home) -> None:
    service = Service(home.path, systemd=False)
    assert (service.known, service.running) == (False, False)
    assert "no systemd" in service.start()
    pid = int((home.path / PID).read_text().split()[0])
    assert (service.known, service.running, runs(pid)) == (True, True, True)
    service.start()
    assert not runs(pid), "there is one agent, and it is the new one"
    service.stop()
    assert (service.known, service.running) == (False, False)
    service.stop()


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
def test_two_people_who_log_on_at_once_start_one_agent(home: Home) -> None:
    service = Service(home.path, systemd=False)
    with ThreadPoolExecutor(4) as logons:
        list(logons.map(lambda _: service.start(), range(4)))
    last = int((home.path / PID).read_text().split()[0])
    try:
        wait_until(lambda: last in agents_in(home.path), "its words are not shown")
        assert agents_in(home.path) == [last]
    finally:
        service.stop()
        for pid in agents_in(home.path):
            os.kill(pid, signal.SIGKILL)


def agents_in(folder: Path) -> list[int]:
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and os.fsencode(folder) in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def test_an_agent_that_does_not_end_is_ended_and_gone(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOPPED_WITHIN_S", 2.0)
    with subprocess.Popen(["sh", "-c", "trap '' TERM; echo; sleep 600"], stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        began = Path(f"/proc/{deaf.pid}/stat").read_text().rpartition(")")[2].split()[19]
        (home.path / PID).write_text(f"{deaf.pid} {began}")
        try:
            Service(home.path, systemd=False).stop()
            assert not runs(deaf.pid)
        finally:
            deaf.kill()


def test_a_process_that_has_the_number_of_an_agent_by_chance_is_left_alone(home: Home) -> None:
    (home.path / PID).write_text(f"{os.getpid()} 1")
    service = Service(home.path, systemd=False)
    assert not service.running
    service.stop()


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
def test_an_uninstalled_agent_is_gone_with_its_keys(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(home.path, systemd=False)
    monkeypatch.setattr("keyturn.agent.uninstall.service", lambda _: service)
    service.start()
    pid = int((home.path / PID).read_text().split()[0])
    assert uninstall(home) == [home.path]
    assert (runs(pid), home.path.exists()) == (False, False)
    assert uninstall(home) == []


def test_a_folder_that_is_a_mount_of_its_own_stays_and_is_empty(home: Home) -> None:
    if subprocess.run(["mount", "--bind", home.path, home.path], capture_output=True).returncode:
        pytest.skip("no right to mount (root with CAP_SYS_ADMIN)")
    try:
        for _ in range(2):
            uninstall(home)
            assert list(home.path.iterdir()) == []
    finally:
        subprocess.run(["umount", home.path], check=True)


def test_a_folder_that_is_no_agents_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "letters").touch()
    with pytest.raises(Refused, match="no agent's folder"):
        uninstall(Home(tmp_path))
    assert (tmp_path / "letters").exists()


# systemd


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `systemctl` was told, line by line."""
    asked, programs, units = tmp_path / "asked", tmp_path / "programs", tmp_path / "units"
    programs.mkdir()
    units.mkdir()
    (programs / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {asked}\nexit "$(cat {tmp_path}/status)"\n')
    (programs / "systemctl").chmod(0o755)
    (tmp_path / "status").write_text("0")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(module, "_UNITS", units)
    return asked


def test_a_unit_is_written_and_started_and_taken_away_again(home: Home, asked: Path, tmp_path: Path) -> None:
    service, unit = Service(home.path, systemd=True), tmp_path / "units" / UNIT
    service.start()
    assert f"agent run --dir {home.path}\n" in unit.read_text()
    assert asked.read_text().splitlines() == ["daemon-reload", f"enable --now {UNIT}"]
    assert (service.known, service.running) == (True, True)
    service.forget()
    assert asked.read_text().splitlines()[3:] == [f"disable --now {UNIT}", "daemon-reload"]
    assert not unit.exists()


def test_the_unit_of_an_agent_in_another_folder_is_left_alone(home: Home, asked: Path, tmp_path: Path) -> None:
    (unit := tmp_path / "units" / UNIT).write_text("ExecStart=python -m keyturn agent run --dir /var/lib/another\n")
    before, service = unit.read_text(), Service(home.path, systemd=True)
    assert (service.known, service.running) == (False, False)
    with pytest.raises(NotStarted, match="is the agent in /var/lib/another"):
        service.start()
    service.forget()
    assert unit.read_text() == before
    assert not asked.exists(), "systemd was asked for something"


def test_a_folder_is_found_from_wherever_the_agent_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert module.service(Path("agent")).home == tmp_path / "agent"


def test_a_unit_that_does_not_start_is_told(home: Home, asked: Path, tmp_path: Path) -> None:
    (tmp_path / "status").write_text("1")
    with pytest.raises(NotStarted, match="systemctl daemon-reload"):
        Service(home.path, systemd=True).start()
