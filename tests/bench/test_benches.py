"""Every bench runs to its end on a size that takes a second or two. What it measures is not looked at."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SMALL = {
    "directory": ("--accounts", "2", "--rounds", "1", "--few", "1"),
    "discovery": ("--accounts", "20", "--rounds", "1"),
    "openldap": ("--accounts", "2", "--rounds", "1"),
    "content": ("--mb", "3", "--rounds", "1"),
    "check_ins": ("--clients", "20", "--rounds", "10", "--connections", "2"),
    "forecast": ("--clients", "60", "--days", "2", "--peers", "40"),
    "hierarchy": ("--files", "3", "--kib", "4", "--sites", "20", "--clients", "100"),
    "growth": ("--sizes", "10,20", "--days", "1", "--to", "growth.svg"),
    "plans": ("--clients", "5", "--rounds", "1"),
    "policy": ("--clients", "20", "--offers", "3", "--connections", "2"),
    "rotations": ("--accounts", "2", "--rounds", "1"),
    "shares": ("--mb", "2", "--rounds", "1"),
    "software": ("--offers", "3", "--runs", "20", "--turns", "2"),
}
NEEDS = {"forecast": ("simpy",), "growth": ("simpy", "matplotlib")}
"""From the dependency group `bench`."""


@pytest.mark.parametrize("bench", SMALL)
def test_a_bench_runs_to_its_end(bench: str, tmp_path: Path) -> None:
    for module in NEEDS.get(bench, ()):
        pytest.importorskip(module, reason=f"{module} is not installed: scripts/setup --group bench")
    ended = _run(bench, tmp_path, *SMALL[bench])
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout
    assert not ended.stderr


def test_no_bench_is_left_out() -> None:
    programs = {path.stem for path in (ROOT / "bench").glob("*.py") if "__main__" in path.read_text()}
    assert programs == set(SMALL)


def test_a_forecast_that_differs_from_its_peers_ends_the_bench_as_failed(tmp_path: Path) -> None:
    pytest.importorskip("simpy", reason="simpy is not installed: scripts/setup --group bench")
    program = (
        "from bench import forecast, peers\n"
        "forecast.with_simpy = lambda *asked, horizon_s: peers.with_simpy(*asked, horizon_s=horizon_s / 4)\n"
        "forecast.main()\n"
    )
    command = [sys.executable, "-W", "error", "-c", program, "--clients", "40", "--days", "1"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 1
    assert "the answers differ" in ended.stderr


def _run(bench: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    given = [str(folder / option) if option.endswith(".svg") else option for option in options]
    command = [sys.executable, "-W", "error", "-m", f"bench.{bench}", *given]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
