"""A Linux machine is restarted, and its users are logged off, by its own programs. Here they only write down what they
were told."""

from pathlib import Path

import pytest

from keyturn.adapters.runners.posix.computer import PosixComputer
from keyturn.model.errors import Refused


@pytest.fixture
def computer(tmp_path: Path) -> PosixComputer:
    for name in ("shutdown", "loginctl"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nprintf "%s|" {name} "$@" >>"{tmp_path}/told"\n')
        program.chmod(0o755)
    return PosixComputer(str(tmp_path))


def told(tmp_path: Path) -> list[str]:
    return (tmp_path / "told").read_text().split("|")[:-1]


@pytest.mark.parametrize(("after_s", "when"), [(0, "now"), (300, "+5"), (1, "+1"), (61, "+2")])
def test_it_restarts_in_whole_minutes_and_says_why(computer, tmp_path, after_s, when):
    computer.restart(after_s, "program PHX00001 install needs it; $(reboot)")
    assert told(tmp_path) == ["shutdown", "-r", when, "program PHX00001 install needs it; $(reboot)"]


def test_every_session_of_a_user_ends(computer, tmp_path):
    computer.log_off("mary")
    assert told(tmp_path) == ["loginctl", "terminate-user", "mary"]


@pytest.mark.parametrize("user", ["", "--all", "-M"])
def test_what_is_no_user_is_not_handed_on(computer, tmp_path, user):
    with pytest.raises(Refused, match="is no user"):
        computer.log_off(user)
    assert not (tmp_path / "told").exists()


def test_a_machine_that_has_no_such_program_says_so(tmp_path):
    with pytest.raises(Refused, match="this machine has no shutdown to restart the machine"):
        PosixComputer(str(tmp_path / "nothing")).restart(0, "")


def test_a_program_that_fails_is_quoted(tmp_path):
    program = tmp_path / "loginctl"
    program.write_text("#!/bin/sh\necho 'Could not terminate user: No such user' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(Refused, match="loginctl did not log mary off: Could not terminate user: No such user"):
        PosixComputer(str(tmp_path)).log_off("mary")


def test_the_boot_stays_the_same_until_the_next_one():
    assert PosixComputer().boot() == PosixComputer().boot() != ""
