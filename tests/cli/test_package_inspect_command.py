"""`keyturn package inspect`, as a person and as a program calls it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.msi_streams import Streams
from tests.ole_container import MST, write_container
from tests.unit.test_msi_transform import INSERT, transform

DUAL = Streams({"Property": [("ALLUSERS", "2"), ("MSIINSTALLPERUSER", "1")]}).made()
UNSCOPED = Streams({"Property": [("ProductName", "X")]}).made()


def inspect(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "80"}
    command = [sys.executable, "-m", "keyturn", "package", "inspect", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


def test_a_person_reads_what_would_happen_and_what_helps(tmp_path: Path) -> None:
    write_container(tmp_path / "x.msi", DUAL)
    run = inspect(tmp_path, "x.msi")
    assert run.returncode == 0, run.stderr
    first, second, third, *findings = run.stdout.splitlines()
    assert first == "x.msi: dual (ALLUSERS=2, MSIINSTALLPERUSER=1, Word Count 2)"
    assert second == "as local-system: per-user, profile: SYSTEM"
    assert third == "verdict: rewrite ALLUSERS=1"
    assert findings[0].startswith("  - Property MSIINSTALLPERUSER: ALLUSERS=2 does not make it per machine")


def test_a_program_reads_json_with_properties_of_the_command_line_resolved(tmp_path: Path) -> None:
    write_container(tmp_path / "x.msi", DUAL)
    run = inspect(tmp_path, "x.msi", "--context", "token", "--property", "msiinstallperuser=", "--json")
    found = json.loads(run.stdout)
    assert {key: value for key, value in found.items() if key != "findings"} == {
        "scope": "dual",
        "ALLUSERS": "2",
        "MSIINSTALLPERUSER": None,
        "word_count": 2,
        "verdict": "allow",
        "rewrite": {},
        "result_scope": "per-machine",
        "whose_profile": "all-users",
    }
    assert [set(finding) for finding in found["findings"]] == [{"rule", "table", "row", "text"}]


def test_a_transform_is_applied(tmp_path: Path) -> None:
    write_container(tmp_path / "x.msi", UNSCOPED)
    write_container(tmp_path / "x.mst", transform((INSERT, "ALLUSERS", "1")), MST)
    found = json.loads(inspect(tmp_path, "x.msi", "--transform", "x.mst", "--json").stdout)
    assert (found["scope"], found["verdict"]) == ("per-machine", "allow")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["notes.txt"], "error: notes.txt cannot be read as a package (.msi): it is no OLE2 container\nhint:  "),
        (["none.msi"], "does not exist"),
        (["x.msi", "--transform", "x.msi"], "it is a package (.msi)"),
        (["x.msi", "--property", "ALLUSERS"], "NAME=VALUE is wanted"),
        (["x.msi", "--property", "ALLUSERS=1", "--property", "allusers=2"], "given twice"),
        (["x.msi", "--context", "root"], "not one of"),
    ],
)
def test_what_cannot_be_judged_is_refused(tmp_path: Path, arguments: list[str], told: str) -> None:
    (tmp_path / "notes.txt").write_text("none of that kind")
    write_container(tmp_path / "x.msi", UNSCOPED)
    run = inspect(tmp_path, *arguments)
    assert run.returncode == 2
    assert told in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""
