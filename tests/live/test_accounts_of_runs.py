"""The accounts that Keyturn makes for runs, on a machine with several agents, any of which may be killed."""

import multiprocessing
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.adapters.runners.posix import accounts, domain_token
from keyturn.adapters.runners.posix.name_service import has_password_entry
from keyturn.adapters.runners.posix.runner import PosixRunner
from keyturn.agent.software.ports import HowEnded
from keyturn.contracts.runner import run
from keyturn.distribution.run_context import TokenAccount
from tests.posix_runs import TOKEN, machine, wait_until

OTHERS = multiprocessing.get_context("fork")
"""They see the machine as the thread does that starts them."""
KILLED = 77


@pytest.fixture(autouse=True)
def here() -> Iterator[None]:
    with machine():
        yield


def test_nobody_uses_an_account_while_another_agent_makes_it() -> None:
    with accounts.alone():
        other = OTHERS.Process(target=_needs_the_token)
        other.start()
        wait_until(lambda: _waits_for_a_lock(other.pid) or not other.is_alive(), "it neither waits nor ends")
        assert other.is_alive(), "it did not wait"
        _useradd()
    other.join()
    assert other.exitcode == 0


def test_several_agents_need_it_first() -> None:
    others = [OTHERS.Process(target=_needs_the_token) for _ in range(8)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0] * len(others)


def test_an_account_that_was_left_half_made_is_finished(tmp_path: Path) -> None:
    """useradd(8) was killed after /etc/passwd, before /etc/shadow and the home."""
    _useradd("--no-create-home")
    shadow = Path("/etc/shadow")
    lines = shadow.read_text().splitlines(keepends=True)
    shadow.write_text("".join(line for line in lines if not line.startswith(f"{TOKEN}:")))
    assert not has_password_entry(TOKEN)
    content = tmp_path / "content"
    content.mkdir(mode=0o755)
    ended = run(PosixRunner(tmp_path / "runs"), "id --user", content, TokenAccount())
    assert (ended.how, ended.exit_code, ended.output) == (HowEnded.EXITED, 0, b"0\n"), ended.reason
    home = Path(pwd.getpwnam(TOKEN).pw_dir)
    assert home.stat().st_uid == pwd.getpwnam(TOKEN).pw_uid
    locked = subprocess.run(["passwd", "--status", TOKEN], capture_output=True, text=True, check=True).stdout
    assert locked.split()[1] == "L", "somebody could log on with it"


def test_a_home_that_was_left_half_made_is_made(tmp_path: Path) -> None:
    """The agent was killed before it was the account's."""
    _useradd("--no-create-home")
    home = Path(pwd.getpwnam(TOKEN).pw_dir)
    home.with_name(f".{home.name}.keyturn").mkdir()
    content = tmp_path / "content"
    content.mkdir(mode=0o755)
    dying = OTHERS.Process(target=_gives_home_and_dies, args=(tmp_path / "runs", content))
    dying.start()
    dying.join()
    assert dying.exitcode == KILLED
    assert not home.exists(), "somebody else's home would be found there for ever"
    assert run(PosixRunner(tmp_path / "runs"), "true", content, TokenAccount()).exit_code == 0
    assert home.stat().st_uid == pwd.getpwnam(TOKEN).pw_uid
    assert list(home.parent.glob(".*")) == []


def test_the_token_account_of_a_domain_is_made_by_one_agent_at_a_time() -> None:
    """It looks first, and makes what it did not find."""
    Path("/etc/nsswitch.conf").write_text("passwd: files winbind\ngroup: files winbind\n")
    with accounts.alone():
        other = OTHERS.Process(target=domain_token.missing)
        other.start()
        wait_until(lambda: _waits_for_a_lock(other.pid) or not other.is_alive(), "it neither waits nor ends")
        assert other.is_alive(), "it did not wait"
        other.kill()
    other.join()


def _gives_home_and_dies(runs: Path, content: Path) -> None:
    def die(*_: object) -> None:
        os._exit(KILLED)

    os.chown = die
    run(PosixRunner(runs), "true", content, TokenAccount())


def _needs_the_token() -> None:
    accounts.ensure_token()
    os._exit(0 if has_password_entry(TOKEN) else 1)


def _useradd(*how: str) -> None:
    words = ["useradd", "--user-group", "--comment", "Keyturn, the token account", *how, "--", TOKEN]
    subprocess.run(words, check=True, capture_output=True)


def _waits_for_a_lock(pid: int | None) -> bool:
    return any("->" in line and f" {pid} " in line for line in Path("/proc/locks").read_text().splitlines())
