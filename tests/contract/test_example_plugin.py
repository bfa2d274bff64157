"""The example of a plug-in, installed like any other, keeps the contracts that are published for its like."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.plugins import EXAMPLE, install_example


def test_the_example_keeps_the_published_contracts(tmp_path: Path) -> None:
    """In a run of its own, as its author runs it."""
    environment = {**os.environ, "PYTHONPATH": str(install_example(tmp_path / "installed"))}
    environment.pop("PYTEST_ADDOPTS", None)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "run")],
        cwd=EXAMPLE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    counted = re.search(r"(\d+) passed, (\d+) skipped", run.stdout)
    assert counted, run.stdout
    passed, skipped = map(int, counted.groups())
    assert passed >= 40
    assert run.stdout.count("not a promise of this kind") == len(re.findall(r"^SKIPPED", run.stdout, re.M)), run.stdout
    assert skipped <= 5
