"""`keyturn estate discover`, `estate check` and `agent scan` on the command line."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from keyturn.cli.agent import agent
from keyturn.cli.estate import estate
from keyturn.model.errors import Refused
from tests.estates import ADDITIONAL

SECRET = "Maple7Rain-42x"


def run(command: click.Command, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], env={"COLUMNS": "80"})


def test_an_estate_file_is_checked_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "estate.toml"
    file.write_text(ADDITIONAL)
    result = run(estate, "check", file)
    assert result.exit_code == 0
    assert "1 realms, 1 accounts" in result.stdout
    file.write_text(ADDITIONAL.replace("client-connection-additional", "no-such-role"))
    failed = run(estate, "check", file)
    assert isinstance(failed.exception, Refused)
    line = ADDITIONAL[: ADDITIONAL.index("role = ")].count("\n") + 1
    assert f"{file}:{line}: " in str(failed.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--realm", "CORP", "--holders", "HERE"),
        ("--holders", "HERE", "--output", "new.toml"),
        ("--realm", "CORP", "--hosts", "HERE"),
    ],
)
def test_one_of_two_things_is_asked_for_at_a_time(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    here = tmp_path / "here"
    here.touch()
    result = run(estate, "discover", *(here if argument == "HERE" else argument for argument in arguments))
    assert result.exit_code == 2
    assert "either --realm" in result.stderr


def test_no_file_is_written_over(tmp_path: Path) -> None:
    kept = tmp_path / "kept.toml"
    kept.write_text("mine")
    result = run(estate, "discover", "--realm", "CORP", "--output", kept)
    assert isinstance(result.exception, Refused)
    assert kept.read_text() == "mine"


def test_a_scan_prints_places_for_people_and_for_programs_and_no_line(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text(f"user = kt-scanned-7\npassword = {SECRET}\n")
    wanted = tmp_path / "accounts"
    wanted.write_text("\nCORP\\kt-scanned-7\n")
    arguments = ("scan", "--accounts-from", wanted, "--also", tmp_path, "--machine", "APP1", "--dir", tmp_path / "no")
    told = run(agent, *arguments)
    assert f"CORP\\kt-scanned-7  {tmp_path}/app.ini:1  configuration file, logs on as it" in told.stdout
    found = json.loads(run(agent, *arguments, "--json").stdout)
    assert found["machine"] == "APP1"
    assert {"account", "path", "line", "kind", "use"} == set(found["mentions"][0])
    assert SECRET not in told.output + json.dumps(found)


def test_a_scan_for_nobody_is_refused(tmp_path: Path) -> None:
    assert run(agent, "scan", "--dir", tmp_path).exit_code == 2
