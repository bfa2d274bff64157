"""A machine of a test's own to run programs on, and a look at what runs have left there."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyturn.adapters.runners.posix.accounts import TOKEN_NAME, legal_name, stand_in_name
from keyturn.contracts.runner import INSTALLER, Commands
from tests.private_etc import private_etc

USER = "kt-alice"
TOKEN, STAND_IN = legal_name(TOKEN_NAME), stand_in_name(INSTALLER)
_PATIENCE_S = 60.0

COMMANDS = Commands(
    says=lambda text: f"echo {text}",
    ends_with=lambda code: f'sh -c "exit {code}"',
    long="sleep 6000",
    deaf="sh -c \"trap '' TERM HUP INT; while :; do sleep 6000; done\"",
    leaves_long_behind='sh -c "setsid sleep 6000 & echo begun; exit 3"',
    leaves_short_behind="sh -c \"setsid sh -c 'sleep 0.5; echo late' & exit 3\"",
    shows_environment="env",
    reads=lambda name: f"cat {name}",
    writes_temporary="mktemp",
    writes_status_file=lambda text: f"sh -c \"echo '{text}' > $TMPDIR/status.MIF\"",
    is_administrator='sh -c "test $(id -u) = 0"',
)


@contextmanager
def machine() -> Iterator[None]:
    """Accounts, homes and sudo's rules of its own, for this thread and what it starts. Somebody of the name USER."""
    for program in ("sudo", "useradd", "nsenter"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            pytest.skip(f"{program} is not installed")
    with private_etc():
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "homes", "/home"], check=True)
        try:
            for name in (TOKEN, STAND_IN):  # other tests may have had them made on the machine itself
                subprocess.run(["userdel", "--force", "--", name], check=False, capture_output=True)
            subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", USER], check=True, capture_output=True)
            yield
        finally:
            subprocess.run(["umount", "--lazy", "/home"], check=False)


def left_of(runs: Path) -> list[str]:
    """What is still privileged, running, mounted or on disk, in words. Processes that are ending have a moment."""
    until = time.monotonic() + _PATIENCE_S
    while (found := _processes(runs)) and time.monotonic() < until:
        time.sleep(0.05)
    mounts = Path("/proc/self/mountinfo").read_text()
    found += [line for line in mounts.splitlines() if "/run/keyturn/" in line or " /etc/sudoers" in line]
    found += [f"{path} is on disk" for path in (runs.iterdir() if runs.is_dir() else ())]
    found += [f"{rule} is a rule of sudo" for rule in Path("/etc/sudoers.d").glob("*keyturn*")]
    return found + [f"{name} may use sudo" for name in (TOKEN, STAND_IN) if _may_use_sudo(name)]


def _processes(runs: Path) -> list[str]:
    """Those that see a run's own view of the machine, in which its temporary folder is mounted."""
    mark = f"{runs}/".encode()
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and mark in (process / "mountinfo").read_bytes():
                found.append(f"process {process.name}: {(process / 'cmdline').read_bytes()!r}")
        except OSError:
            continue  # it has ended
    return found


def _may_use_sudo(name: str) -> bool:
    listed = subprocess.run(["sudo", "-n", "-l", "-U", name], capture_output=True, text=True)
    return "may run the following" in listed.stdout


def wait_until(there: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not there():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def agent_that_stops_at(step: str, runs: Path, folder: Path, command_line: str) -> "subprocess.Popen[str]":
    """A process that runs a program as the token account and waits for ever once it is at that step, having said so."""
    return subprocess.Popen(
        [sys.executable, __file__, step, str(runs), str(folder), command_line],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )


def _be_the_agent(step: str, runs: str, folder: str, command_line: str) -> None:
    from keyturn.adapters.runners.posix.runner import PosixRunner
    from keyturn.contracts.runner import run
    from keyturn.distribution.run_context import TokenAccount

    def pause(reached: str) -> None:
        if reached == step:
            print(reached, flush=True)
            time.sleep(10_000)

    run(PosixRunner(Path(runs), pause=pause), command_line, Path(folder), TokenAccount())
    print("ended", flush=True)


if __name__ == "__main__":
    _be_the_agent(*sys.argv[1:])
