"""What the command line says when nothing can be done: the thing, the way out, exit status 2."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def keyturn(*arguments: str, cwd: Path, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "COLUMNS": "80"}
    command = [sys.executable, "-m", "keyturn", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, input=stdin, check=False)


@pytest.mark.parametrize(
    ("arguments", "status", "error", "hint"),
    [
        (["account", "list"], 2, "is no site's directory", "keyturn init"),
        (["--dir", "nowhere", "plan", "list"], 2, "nowhere is no site's directory", "keyturn init nowhere"),
        (["catalogue", "nosuch"], 2, "no role nosuch in the catalogue of sms2003", "one of service"),
        (["nosuch"], 2, "No such command 'nosuch'", ""),
        (["init", "full"], 2, "full is not empty", "name a directory that is empty"),
        (["init", "new", "--site", "TOOLONG"], 2, "1 error", ""),
        (["init", "new", "--custodian", "alice=age1wrong"], 2, "not an age recipient", "--custodian NAME=age1"),
        (["init", "new", "--custodian", "alice"], 2, "is not NAME=AGE_RECIPIENT", ""),
        (["forecast", "x", "--estate", "broken.toml"], 2, "broken.toml:1:", ""),
        (["envelope", "open", "letter.txt", "--key", "a=key"], 2, "not an envelope", ""),
        (["envelope", "open", "letter.txt", "--key", "a=nokey"], 2, "nokey: No such file or directory", ""),
    ],
)
def test_a_refusal_names_the_thing_and_the_way_out(
    tmp_path: Path, arguments: list[str], status: int, error: str, hint: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "broken.toml").write_text("product = \n")
    (tmp_path / "letter.txt").write_text("Dear custodian")
    (tmp_path / "key").write_text("# comment\nAGE-SECRET-KEY-1\n")
    run = keyturn(*arguments, cwd=tmp_path)
    assert run.returncode == status, run.stderr
    assert error in run.stderr
    assert hint in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "new").exists()


def test_a_port_that_somebody_else_has_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert keyturn("init", "site", "--port", str(port), cwd=tmp_path).returncode == 0
        run = keyturn("up", "site", cwd=tmp_path)
    assert run.returncode == 2, run.stderr
    assert f"nothing can be listened on at 127.0.0.1, port {port}: Address already in use" in run.stderr
    assert "hint:" in run.stderr


def test_a_password_is_asked_for_on_a_terminal_alone(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    command = [sys.executable, "-m", "keyturn", "login", "https://127.0.0.1:1", "--name", "olga", "--ca", "ca.pem"]
    run = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, input="x\n", start_new_session=True, check=False
    )
    assert run.returncode == 2
    assert run.stderr.startswith("error: there is no terminal to ask on: Password of olga\nhint:  --help names")


def test_a_forecast_of_an_example_needs_no_server(tmp_path: Path) -> None:
    estate = str(EXAMPLES / "one-site.toml")
    run = keyturn("forecast", "SMSClient_PHX_2", "--naive", "--estate", estate, "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    import json

    assert set(json.loads(run.stdout)) == {"first_lockout_s", "blamed", "orphaned", "recovered", "safe"}
    run = keyturn("forecast", "SMSClient_PHX_2", "--naive", "--estate", estate, "--svg", cwd=tmp_path)
    assert run.stdout.startswith("<svg")


def test_a_site_is_founded_once_with_its_secrets_for_its_owner_alone(tmp_path: Path) -> None:
    run = keyturn("init", "site", "--site", "ABC", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "keyturn up site" in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 100
    modes = {p.name: p.stat().st_mode & 0o077 for p in (tmp_path / "site").iterdir() if p.suffix in (".key", ".token")}
    assert set(modes) == {"seal.key", "site-ca.key", "server.key", "recovery.key", "admin.token"}
    assert not any(modes.values())
    run = keyturn("init", "site", cwd=tmp_path)
    assert run.returncode == 2
    run = keyturn("--dir", "site", "account", "list", cwd=tmp_path)
    assert run.returncode == 1, "a server that does not run is a failure that may pass, not a refusal"
    assert "keyturn up" in run.stderr


def test_the_envelope_of_a_new_site_opens_without_a_server(tmp_path: Path) -> None:
    keyturn("init", "site", "--site", "ABC", cwd=tmp_path)
    key = "--key=recovery=site/recovery.key"
    run = keyturn("--dir", "site", "envelope", "open", "SMSClient_ABC", key, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.strip()) == 14
    taken = keyturn("--dir", "site", "envelope", "take", "SMSClient_ABC", "--output", "letter", cwd=tmp_path)
    assert "opens with recovery" in taken.stderr
    assert keyturn("envelope", "open", "letter", key, cwd=tmp_path).stdout == run.stdout


def test_a_site_sealed_with_a_passphrase_has_no_key_in_a_file(tmp_path: Path) -> None:
    phrase = "a sentence nobody else knows\n"
    arguments = ("--seal-with-passphrase", "--passphrase-stdin")
    run = keyturn("init", "site", "--site", "ABC", *arguments, cwd=tmp_path, stdin=phrase)
    assert run.returncode == 0, run.stderr
    assert not (tmp_path / "site" / "seal.key").exists()
    take = ("--dir", "site", "envelope", "take", "SMSClient_ABC", "--passphrase-stdin")
    assert keyturn(*take, cwd=tmp_path, stdin=phrase).stdout.startswith("Keyturn envelope 1")
    wrong = keyturn(*take, cwd=tmp_path, stdin="another sentence\n")
    assert wrong.returncode == 2
    assert "not the key" in wrong.stderr
    assert "Traceback" not in wrong.stderr
