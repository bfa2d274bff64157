"""`keyturn site setup-file`: written for its owner alone, checked line by line, and never shown."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keyturn.cli.site_setup_file import setup_file
from keyturn.model.errors import Refused
from keyturn.site.setup_file import read_setup_accounts

SECRETS = ("Maple7Rain-42x", "Birch3Snow-91y")


def run(*arguments: object, stdin: str = "") -> Result:
    return CliRunner().invoke(setup_file, [str(argument) for argument in arguments], input=stdin)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "SMSAccountSetup.ini"


def test_a_file_is_written_for_its_owner_alone_and_read_by_a_reset(file: Path) -> None:
    result = run(
        "write", file, "--server", "KtConn", "--client", "KtClient", "--stdin", stdin="\n".join(SECRETS) + "\n"
    )
    assert result.exit_code == 0, result.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes().count(b"\r\n") == file.read_bytes().count(b"\n") > 0
    accounts = read_setup_accounts(file.read_bytes(), str(file))
    assert accounts.server
    assert accounts.client
    assert (accounts.server.password.reveal(), accounts.client.password.reveal()) == SECRETS
    assert not any(secret in result.output for secret in SECRETS)


def test_passwords_are_asked_for_twice_and_not_echoed(file: Path) -> None:
    result = run("write", file, "--client", "KtClient", stdin=f"{SECRETS[0]}\n{SECRETS[0]}\n")
    assert result.exit_code == 0, result.output
    assert SECRETS[0] not in result.output
    assert "server account: made by setup" in result.stdout


def test_no_file_is_written_over_and_none_without_an_account(file: Path) -> None:
    file.write_text("mine")
    refused = run("write", file, "--client", "KtClient", "--stdin", stdin="x\n")
    assert isinstance(refused.exception, Refused)
    assert file.read_text() == "mine"
    assert run("write", file.with_name("other")).exit_code == 2


def test_a_long_password_is_written_with_a_warning(file: Path) -> None:
    result = run("write", file, "--client", "KtClient", "--stdin", stdin="Birch3Snow-91yz\n")
    assert f"{file}:3: warning: the password is longer than 14 characters" in result.stderr
    assert "Q318396" in result.stderr


def test_every_problem_is_told_with_its_line_and_the_password_is_not(file: Path) -> None:
    file.write_text(f"[ServerAccount]\nName=KtConn\nPasswort={SECRETS[0]}\n[Other]\n")
    result = run("check", file)
    assert isinstance(result.exception, Refused)
    assert f"{file}:3: neither Name= nor Password=" in result.stderr
    assert f"{file}:4: an unknown section" in result.stderr
    found = json.loads(run("check", file, "--json").stdout)
    assert [finding["line"] for finding in found["findings"]] == [1, 3, 4]
    assert found["server"] == "KtConn"
    assert SECRETS[0] not in result.output + json.dumps(found)
