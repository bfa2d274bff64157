"""Programs on this very machine, under every identity: what every runner promises, and what Linux adds to it."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyturn.adapters.runners.posix import kernel
from keyturn.adapters.runners.posix.accounts import stand_in_name
from keyturn.adapters.runners.posix.runner import PosixRunner
from keyturn.agent.software.ports import Ended, HowEnded, Runner
from keyturn.contracts.runner import INSTALLER, Commands, RunnerContract, run
from keyturn.distribution.run_context import LocalSystem, LoggedOnUser, RaisedAccount, TokenAccount
from keyturn.model.software import Overrun
from tests.posix_runs import (
    COMMANDS,
    STAND_IN,
    TOKEN,
    USER,
    agent_that_stops_at,
    left_of,
    machine,
    wait_until,
)

STEPS = ("known", "recorded", "staged", "built", "mounted", "started", "exited")
"""Of a run, as the runner reaches them."""


@pytest.fixture(scope="module", autouse=True)
def here() -> Iterator[None]:
    with machine():
        yield


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def runner(runs: Path, left: Callable[[], list[str]]) -> Iterator[PosixRunner]:
    runner = PosixRunner(runs, grace_s=0.3)
    yield runner
    wait_until(lambda: not (runner.put_right() or list(runs.glob("*"))), "a run stays")
    assert left() == []


@pytest.fixture
def left(runs: Path) -> Callable[[], list[str]]:
    return lambda: left_of(runs)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    content = tmp_path / "content"
    content.mkdir(mode=0o755)
    return content


class TestContract(RunnerContract):
    @pytest.fixture
    def runner(self, runner: PosixRunner) -> Runner:
        return runner

    @pytest.fixture
    def left(self, left: Callable[[], list[str]]) -> Callable[[], list[str]]:
        return left

    @pytest.fixture
    def commands(self) -> Commands:
        return COMMANDS

    @pytest.fixture
    def user(self) -> str:
        return USER


def test_the_login_uid_of_a_raised_program_is_that_of_its_account(runner: PosixRunner, folder: Path) -> None:
    ended = run(runner, 'sh -c "id -u; cat /proc/self/loginuid"', folder, TokenAccount())
    assert (ended.executed_as, ended.login, ended.home) == ("root", TOKEN, f"/home/{TOKEN}")
    assert ended.output.split() == [b"0", str(uid_of(TOKEN)).encode()]


def test_an_account_that_no_realm_answers_for_has_a_stand_in_without_a_password(
    runner: PosixRunner, folder: Path
) -> None:
    ended = run(runner, "true", folder, RaisedAccount(INSTALLER))
    assert (ended.executed_as, ended.login) == ("root", STAND_IN)
    shadow = Path("/etc/shadow").read_text()
    assert f"\n{STAND_IN}:!:" in shadow


def test_a_program_may_write_rules_of_sudo_and_they_stay(runner: PosixRunner, folder: Path) -> None:
    """The run's own rule is out of its way."""
    ended = run(runner, "sh -c \"echo '# by a package' >> /etc/sudoers\"", folder, TokenAccount())
    assert ended.exit_code == 0
    rules = Path("/etc/sudoers").read_text()
    assert rules.endswith("# by a package\n")
    assert "NOPASSWD: /run/keyturn" not in rules


def test_a_raised_program_cannot_hand_its_rights_to_the_account_for_later(runner: PosixRunner, folder: Path) -> None:
    ended = run(runner, f"setpriv --reuid {TOKEN} --clear-groups sudo -n /run/keyturn/start", folder, TokenAccount())
    assert ended.exit_code == 1
    assert b"password is required" in ended.output


def test_a_name_that_somebody_else_bears_is_refused_and_named(runner: PosixRunner, folder: Path) -> None:
    account = "NEMO\\taken"
    subprocess.run(["useradd", stand_in_name(account)], check=True)
    ended = run(runner, "true", folder, RaisedAccount(account))
    assert ended.how is HowEnded.NOT_STARTED
    assert f"{stand_in_name(account)} exists on this machine" in ended.reason


def test_a_user_has_the_groups_of_that_user_and_nothing_of_roots(runner: PosixRunner, folder: Path) -> None:
    subprocess.run(["usermod", "--append", "--groups", "users", USER], check=True)
    ended = run(runner, 'sh -c "id -Gn; pwd; echo $HOME; umask; ulimit -c"', folder, LoggedOnUser(USER))
    assert ended.output.decode().split("\n")[:5] == [
        f"{USER} users",
        "/run/keyturn/content",
        f"/home/{USER}",
        "0022",
        "0",
    ]


def test_a_program_has_no_open_file_but_its_own_three(runner: PosixRunner, folder: Path) -> None:
    for who in (LocalSystem(), TokenAccount(), LoggedOnUser(USER)):
        with socket.socket() as other:
            other.set_inheritable(True)
            ended = run(runner, 'sh -c "ls /proc/$$/fd"', folder, who)
        assert set(ended.output.split()) <= {b"0", b"1", b"2", b"10"}  # a shell keeps itself one


def test_a_program_sees_no_process_but_its_own(runner: PosixRunner, folder: Path) -> None:
    ended = run(runner, 'sh -c "umount /proc; ls -d /proc/[0-9]*; true"', folder)
    assert str(os.getpid()).encode() not in ended.output
    ended = run(runner, 'sh -c "ls -d /proc/[0-9]* | wc -l"', folder)
    assert int(ended.output) < 6


def test_content_cannot_be_changed_by_what_runs_in_it(runner: PosixRunner, folder: Path) -> None:
    ended = run(runner, "touch here", folder)
    assert ended.exit_code == 1
    assert b"Read-only file system" in ended.output


def test_content_that_its_identity_may_not_read_is_named_as_the_reason(runner: PosixRunner, folder: Path) -> None:
    folder.chmod(0o700)
    ended = run(runner, "true", folder, LoggedOnUser(USER))
    assert (ended.how, ended.reason) == (HowEnded.NOT_STARTED, "/run/keyturn/content: Permission denied")


def test_a_script_without_the_mark_of_a_program_runs_by_its_first_line(runner: PosixRunner, folder: Path) -> None:
    (folder / "setup.sh").write_text("#!/bin/sh -e\necho by $0 with $1\n")
    ended = run(runner, "setup.sh '/quiet =1'", folder, TokenAccount())
    assert ended.output == b"by /run/keyturn/content/setup.sh with /quiet =1\n"


def test_a_debian_package_is_installed_as_its_command_line_says(runner: PosixRunner, folder: Path) -> None:
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: keyturn-runs\nVersion: 1\nArchitecture: all\nMaintainer: Test <t@example.org>\nDescription: a test\n"
    )
    (tree / "DEBIAN" / "postinst").write_text("#!/bin/sh\necho set up as $(id -un)\n")
    (tree / "DEBIAN" / "postinst").chmod(0o755)
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", tree, folder / "p.deb"], check=True, capture_output=True
    )
    subprocess.run(["cp", "-a", "/var/lib/dpkg", folder / "dpkg"], check=True)
    subprocess.run(["mount", "--bind", folder / "dpkg", "/var/lib/dpkg"], check=True)
    try:
        ended = run(runner, "dpkg -i p.deb", folder, TokenAccount())
        status = subprocess.run(["dpkg", "-s", "keyturn-runs"], capture_output=True, text=True).stdout
    finally:
        subprocess.run(["umount", "--lazy", "/var/lib/dpkg"], check=True)
    assert ended.exit_code == 0, ended.output
    assert b"set up as root" in ended.output
    assert "install ok installed" in status


def test_a_program_that_is_left_to_itself_ends_in_its_own_time(
    runner: PosixRunner, folder: Path, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    ended = run(
        runner,
        f'sh -c "sleep 0.5; yes | head -c 1000000; echo x > {done}"',
        folder,
        max_run_s=0,
        overrun=Overrun.STOP_WATCHING,
    )
    assert ended.how is HowEnded.STILL_RUNS
    assert runner.put_right() == ()
    wait_until(done.exists, "the program was ended with its watch")


def test_an_agent_that_is_not_root_runs_nothing(folder: Path, runs: Path) -> None:
    os.seteuid(uid_of(USER))
    try:
        ended = run(PosixRunner(runs), "true", folder)
    finally:
        os.seteuid(0)
    assert ended.how is HowEnded.NOT_STARTED
    assert "root" in ended.reason


@pytest.mark.parametrize("step", STEPS)
def test_an_agent_killed_at_any_step_leaves_nothing_privileged(
    step: str, runs: Path, folder: Path, left: Callable[[], list[str]]
) -> None:
    agent = at_step(step, runs, folder)
    agent.kill()
    finish(agent)
    assert lowered(left()) == []
    PosixRunner(runs).put_right()
    assert left() == []
    assert PosixRunner(runs).put_right() == ()


@pytest.mark.parametrize("step", STEPS[2:])
def test_an_agent_and_its_stage_killed_at_any_step_leave_nothing_privileged(
    step: str, runs: Path, folder: Path, left: Callable[[], list[str]]
) -> None:
    agent = at_step(step, runs, folder)
    (stage,) = children_of(agent.pid)
    agent.kill()
    os.kill(stage, signal.SIGKILL)
    finish(agent)
    assert lowered(left()) == []
    assert [line for line in PosixRunner(runs).put_right() if "was cut off" in line]
    assert left() == []


@pytest.mark.parametrize("step", STEPS[2:6])
def test_a_stage_killed_from_outside_ends_the_run_and_says_so(
    step: str, runs: Path, folder: Path, left: Callable[[], list[str]]
) -> None:
    def pause(reached: str) -> None:
        if reached == step:
            wait_until(lambda: stages_of(os.getpid()) != [], "the kernel shows no words of it")
            (stage,) = stages_of(os.getpid())
            os.kill(stage, signal.SIGKILL)

    ended = run(PosixRunner(runs, pause=pause), COMMANDS.leaves_long_behind, folder, TokenAccount())
    assert ended.how is (HowEnded.STOPPED if step == "started" else HowEnded.NOT_STARTED)
    assert ended.reason == "the process that holds the run was ended from outside" or step == "staged"
    assert left() == []


def test_what_a_restart_of_the_machine_cut_off_is_put_right(runs: Path) -> None:
    temp = runs / "run-before" / "tmp"
    temp.mkdir(parents=True)
    (runs / "run-before" / "record.json").write_text(
        f'{{"boot": "another", "stage": {os.getpid()}, "started_at": {kernel.started_at(os.getpid())}}}'
    )
    assert PosixRunner(runs).put_right() == ("run run-before was cut off: its temporary folder is removed",)
    assert left_of(runs) == []


def test_programs_of_several_identities_run_at_once(runner: PosixRunner, folder: Path) -> None:
    ended: dict[str, Ended] = {}
    whos = {
        "system": LocalSystem(),
        "token": TokenAccount(),
        "installer": RaisedAccount(INSTALLER),
        USER: LoggedOnUser(USER),
    }

    def one(name: str) -> None:
        ended[name] = run(runner, 'sh -c "sleep 0.2; echo $HOME"', folder, whos[name])

    threads = [threading.Thread(target=one, args=(name,)) for name in whos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    homes = {name: result.output.decode().strip() for name, result in ended.items()}
    assert homes == {
        "system": "/root",
        "token": f"/home/{TOKEN}",
        "installer": f"/home/{STAND_IN}",
        USER: f"/home/{USER}",
    }


def at_step(step: str, runs: Path, folder: Path) -> "subprocess.Popen[str]":
    agent = agent_that_stops_at(step, runs, folder, COMMANDS.leaves_long_behind)
    assert agent.stdout is not None
    assert agent.stdout.readline().strip() == step
    return agent


def finish(agent: "subprocess.Popen[str]") -> None:
    agent.wait()
    assert agent.stdout is not None
    agent.stdout.close()


def lowered(left: list[str]) -> list[str]:
    """Without what only lies on the disk, in a folder that is root's."""
    return [line for line in left if not line.endswith("is on disk")]


def children_of(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def stages_of(pid: int) -> list[int]:
    return [child for child in children_of(pid) if b"posix.stage" in command_of(child)]


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def uid_of(name: str) -> int:
    return int(subprocess.run(["id", "-u", name], capture_output=True, check=True).stdout)
