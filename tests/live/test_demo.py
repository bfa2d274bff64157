"""The demonstration, smaller, with its real processes: its figures and their published shape."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def measured() -> dict[str, object]:
    command = [sys.executable, "-m", "keyturn", "demo", "--agents", "8", "--interval", "1", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    found: dict[str, object] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_it_has_exactly_the_published_shape(measured: dict[str, object]) -> None:
    assert shape(measured) == {
        "agents": int,
        "naive": {
            "locked": bool,
            "failed_logons": int,
            "orphaned": list,
            "forecast_first_lockout_s": float,
            "actual_first_lockout_s": float,
        },
        "keyturn": {
            "failed_logons": int,
            "orphaned": list,
            "lockouts": int,
            "offline_named": list,
            "generations": {"CORP\\KtClient": int, "CORP\\KtClient_2": int},
            "killed": bool,
            "resumed": bool,
        },
        "envelope": {"opened_with": list, "logs_on": bool},
        "seconds": float,
    }


def test_the_plain_change_locks_as_forecast_and_keyturns_does_not(measured: dict[str, dict[str, float]]) -> None:
    naive, keyturn = measured["naive"], measured["keyturn"]
    assert naive["locked"]
    assert len(naive["orphaned"]) == 8  # type: ignore[arg-type]
    assert abs(naive["actual_first_lockout_s"] - naive["forecast_first_lockout_s"]) <= 1
    assert (keyturn["failed_logons"], keyturn["lockouts"], keyturn["orphaned"]) == (0, 0, [])
    assert keyturn["offline_named"] == ["PC-0009"]
    assert keyturn["killed"]
    assert keyturn["resumed"]
    assert measured["envelope"] == {"opened_with": ["alice", "carol"], "logs_on": True}


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    run = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "keyturn-demo-" not in run.stdout


def shape(value: object) -> object:
    return {key: shape(one) for key, one in value.items()} if isinstance(value, dict) else type(value)
