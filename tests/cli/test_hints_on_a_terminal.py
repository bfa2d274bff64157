"""What an error says, within 80 columns where a person reads it, and as it is where a program does."""

import errno
import os
import pty
import subprocess
import sys

import pytest

ADOPT = r"keyturn account adopt 'DIRECTORY\an-account-with-a-long-name' --password-stdin"
CASES = {
    "a hint": "somebody has to look at this machine first, and at the others of its site, before it is tried again",
    "a command at the end": f"put that right, and try again from 16:24 on (in 30 min): {ADOPT}",
    "a command in the middle": f"where it is the first of two accounts, {ADOPT}, and after it the other one alike",
    "a quoted command": "`ss -ltnp` names what has a port on this very machine; look with `ss -ltnp x` again",
    "a command after prose": r"GRANT VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION TO Keyturn's login on every replica",
}
COMMANDS = (
    ADOPT,
    "`ss -ltnp`",
    "`ss -ltnp x`",
    "GRANT VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION TO Keyturn's login",
)


def told(hint: str, *, on_a_terminal: bool) -> str:
    program = "import sys; from keyturn.cli.main import tell, KeyturnError; tell(KeyturnError('it is so', sys.argv[1]))"
    command = [sys.executable, "-c", program, hint]
    if not on_a_terminal:
        return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True).stderr
    ours, its = pty.openpty()
    try:
        subprocess.run(command, stderr=its, check=True)
        os.close(its)
        return _all_of(ours).decode().replace("\r\n", "\n")
    finally:
        os.close(ours)


def _all_of(terminal: int) -> bytes:
    found = b""
    while True:
        try:
            more = os.read(terminal, 4096)
        except OSError as error:  # how Linux says that nobody has the other end
            if error.errno != errno.EIO:
                raise
            return found
        if not more:
            return found
        found += more


@pytest.mark.parametrize("case", CASES)
def test_a_hint_ends_its_lines_before_80_columns_and_in_no_command(case: str) -> None:
    hint = CASES[case]
    error, *lines = told(hint, on_a_terminal=True).splitlines()
    assert error == "error: it is so"
    assert len(lines) > 1 or case == "a command after prose"
    assert lines[0].startswith("hint:  ")
    assert all(line.startswith(" " * 7) and line[7] != " " for line in lines[1:])
    texts = [line[7:] for line in lines]
    assert " ".join(texts) == hint
    for text in texts:
        assert len(text) <= 72 or any(command in text for command in COMMANDS)
    for command in COMMANDS:
        assert (command in hint) == any(command in text for text in texts)


@pytest.mark.parametrize("case", CASES)
def test_a_program_is_given_one_line(case: str) -> None:
    assert told(CASES[case], on_a_terminal=False) == f"error: it is so\nhint:  {CASES[case]}\n"


def test_lines_of_an_estate_file_are_left_as_they_are() -> None:
    hint = f"estate.toml:1: {'a' * 50} {'b' * 50}\nestate.toml:2: {'c' * 90}"
    assert told(hint, on_a_terminal=True) == f"error: it is so\nhint:  {hint}\n"
