"""One write or sync of the store fails, with EIO or ENOSPC, at every place of a plan: said and survived."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from keyturn.lifecycle.plan import PlanKind
from tests.crash.cases import CASES

ROOT = Path(__file__).parents[2]
SHIM = Path(__file__).with_name("sick_disk.c")

CALLS = {
    PlanKind.CREATE: 100,
    PlanKind.IN_PLACE: 120,
    PlanKind.CYCLE: 180,
    PlanKind.STAGGERED: 180,
    PlanKind.SITE_REGENERATION: 260,
    PlanKind.DELETE: 25,
}
"""Fewer writes and syncs than these would mean that they are not seen."""
APART = 29
"""Of the places to fail at, one of so many; all of them with `--long`."""

SAID = {"the store failed: disk I/O error", "the store failed: database or disk is full"}


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler `cc`, so no disk can be made to fail: apt-get install gcc libc6-dev")
    made = tmp_path_factory.mktemp("shim") / "sick_disk.so"
    command = [compiler, "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", str(made), str(SHIM), "-ldl"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        pytest.skip(f"the C compiler is not able to make the shim: {run.stderr.strip()[-300:]}")
    return made


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("apart", [APART, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
@pytest.mark.parametrize("kind", CASES)
def test_a_write_of_the_store_that_fails_is_said_and_loses_nothing(
    shim: Path, kind: PlanKind, error: int, apart: int
) -> None:
    found = walked(shim, kind, error, apart)
    assert not [one for one in found if one["wrong"]]
    said = [words for one in found for words in one["said"]]
    assert set(said) <= SAID
    assert len(found) >= CALLS[kind] // apart, f"only {len(found)} places to fail at"
    assert all(one["said"] for one in found), "a failure and not a word of it"


def walked(shim: Path, kind: PlanKind, error: int, apart: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.crash.sick_disk"]
    walk = f"{kind} {error} {1 + list(CASES).index(kind) % apart} {apart}\n"
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"LD_PRELOAD": str(shim)},
        input=walk,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert lines, run.stderr
    assert lines[-1] is None, run.stderr
    return lines[:-1]
