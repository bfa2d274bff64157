"""A lab ends what a person has started again, and nothing else."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from keyturn.cli.lab.processes import end, running

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A command of that name that does nothing, typed in the folder above the lab. It runs when this returns: until a
    moment after its start the kernel shows no words of it."""
    command = tmp_path / "bin" / "keyturn"
    command.parent.mkdir()
    command.write_text("print(flush=True); input()")
    with ExitStack() as ended:

        def typed(*words: str) -> "subprocess.Popen[bytes]":
            process = subprocess.Popen(
                [sys.executable, command, *words], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            ended.enter_context(process)
            ended.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
            return process

        yield typed


@pytest.mark.parametrize("written", ["lab", "./lab", "bin/../lab", "{root}"])
def test_what_was_typed_by_hand_is_found_however_its_folder_was_written(
    tmp_path: Path, start: Start, written: str
) -> None:
    root = tmp_path / "lab"
    folder = written.format(root=root)
    started = {
        "site": start("up", f"{folder}/site").pid,
        "PC-0001": start("agent", "run", "--dir", f"{folder}/PC-0001").pid,
    }
    assert running(root) == started


def test_ending_a_lab_ends_them_and_no_other(tmp_path: Path, start: Start) -> None:
    ours, another, looking = start("up", "lab/site"), start("up", "lab2/site"), start("--dir", "lab/site", "plan")
    end(tmp_path / "lab")
    assert ours.wait(90) < 0
    assert (another.poll(), looking.poll()) == (None, None)
