"""A process is killed in earnest, at moments spread over the time that its plan takes, and another one goes on."""

import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest

from tests.crash.cases import CASES
from tests.crash.disk import Left, about_to_begin, files_in
from tests.crash.recovery import survive
from tests.crash.victim import WHOLE_PLAN_S

ROOT = Path(__file__).parents[2]
SEED = 20030318
LONGEST_S = 60.0
"""For a child to say its next word, however busy the machine is."""


class Executioner:
    """Starts one child after the other in a process that is warm, and kills them."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def start(self, folder: Path, left: Left) -> None:
        """Returns when the plan begins."""
        self._write(f"{folder}\t{left.plan_id}\t{left.now}\n")
        assert self._word() == "ready"

    def ended_within(self, seconds: float) -> bool:
        """Waits so long, and no longer than the child lives."""
        assert self._process.stdout
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def kill(self) -> bool:
        """False if it had said its last word."""
        self._write("kill\n")
        words = [self._word()]
        if words == ["ended"]:
            words.append(self._word())
        return words == ["killed"]

    def _write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()

    def _word(self) -> str:
        assert self._process.stdout
        assert self.ended_within(LONGEST_S), "not a word from the child"
        return self._process.stdout.readline().decode().strip()


@pytest.fixture
def executioner() -> Iterator[Executioner]:
    command = [sys.executable, "-m", "tests.crash.victim"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        yield Executioner(process)
        assert process.stdin
        process.stdin.close()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kills", [24, pytest.param(240, marks=pytest.mark.long)])
def test_a_process_killed_at_any_moment_loses_nothing(executioner: Executioner, kills: int) -> None:
    chance = random.Random(SEED)
    starts = {kind: about_to_begin(case) for kind, case in CASES.items()}
    takes_s = {kind: duration(executioner, start) for kind, start in starts.items()}
    killed = 0
    for number, kind in zip(range(2 * kills), cycle(CASES), strict=False):
        share = (number // len(CASES) + chance.random()) / (kills / len(CASES)) % 1
        left = kill(executioner, starts[kind], takes_s[kind] * share)
        if left is not None:
            survive(left, starts[kind])
            killed += 1
        if killed == kills:
            return
    pytest.fail(f"only {killed} of {2 * kills} processes were killed before they had ended")


def duration(executioner: Executioner, start: Left) -> float:
    with start.written() as folder:
        executioner.start(folder, start)
        begun = time.monotonic()
        assert executioner.ended_within(LONGEST_S)
        taken = time.monotonic() - begun
        assert not executioner.kill()
    return taken


def kill(executioner: Executioner, start: Left, after_s: float) -> Left | None:
    """What the killed process has left; None if it ended before."""
    with start.written() as folder:
        executioner.start(folder, start)
        executioner.ended_within(after_s)
        if not executioner.kill():
            return None
        return replace(start, files=files_in(folder), now=start.now + WHOLE_PLAN_S)
