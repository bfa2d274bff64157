"""`keyturn audit-log`: verified in a site's directory without a server, and over the API from elsewhere."""

import json
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from keyturn.cli.demo.stage import free_port
from tests.cli.test_transcripts import keyturn

MODULE = [sys.executable, "-m", "keyturn"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A founded site in `site`; its log has what setup did."""
    run = keyturn("init", "site", "--site", "ABC", "--port", str(free_port()), cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    return tmp_path


def by_hand(site: Path, statement: str) -> None:
    with closing(sqlite3.connect(site / "site" / "store.db")) as connection, connection:
        connection.execute(statement)


def audit_log(site: Path, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return keyturn("--dir", "site", "audit-log", *arguments, cwd=site, stdin=stdin)


def test_a_log_nobody_touched_is_intact(site: Path) -> None:
    run = audit_log(site, "verify")
    assert run.returncode == 0
    assert run.stdout.startswith("intact: ")
    assert "checkpoint kept elsewhere" in run.stderr


def test_the_first_event_that_does_not_fit_is_named_with_exit_status_1(site: Path) -> None:
    by_hand(site, "UPDATE events SET actor = 'olga' WHERE number = 2")
    run = audit_log(site, "verify")
    assert (run.returncode, run.stderr) == (1, "")
    assert run.stdout == "event 2: its content was altered\nthe event before it fits\n"
    found = json.loads(audit_log(site, "verify", "--json").stdout)
    assert found == {
        "intact": False,
        "events": 1,
        "checkpoints": 0,
        "number": 2,
        "wrong": "its content was altered",
    }
    run = audit_log(site, "checkpoint")
    assert (run.returncode, run.stdout) == (2, "")
    assert "event 2: its content was altered" in run.stderr


def test_a_cut_off_end_is_found_by_a_checkpoint_in_a_file_or_on_standard_input(site: Path) -> None:
    line = audit_log(site, "checkpoint").stdout
    (site / "kept").write_text(f"# in the safe\n{line}{line}")
    run = audit_log(site, "verify", "--checkpoint", "kept")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith("events fit, and so do 2 checkpoints\n")
    number = int(line.split()[2])
    by_hand(site, f"DELETE FROM events WHERE number = {number}")
    assert audit_log(site, "verify").returncode == 0
    for arguments, stdin in ((["--checkpoint", "kept"], ""), (["--checkpoint", "-"], line)):
        run = audit_log(site, "verify", *arguments, stdin=stdin)
        assert run.returncode == 1
        assert run.stdout.startswith(f"event {number}: the log was cut off before it")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("hello\n", "line 1 of the checkpoints is not one"),
        ("\xff", "not UTF-8"),
        ("TUC", "the checkpoint is of site TUC"),
    ],
)
def test_what_is_no_checkpoint_of_this_site_is_refused(site: Path, text: str, error: str) -> None:
    line = audit_log(site, "checkpoint").stdout
    content = line.replace("ABC", "TUC") if text == "TUC" else text
    (site / "kept").write_bytes(content.encode("latin-1"))
    run = audit_log(site, "verify", "--checkpoint", "kept")
    assert run.returncode == 2
    assert error in run.stderr


def test_a_site_sealed_with_a_passphrase_is_verified_with_it(tmp_path: Path) -> None:
    phrase = "a sentence nobody else knows\n"
    keyturn("init", "site", "--seal-with-passphrase", "--passphrase-stdin", cwd=tmp_path, stdin=phrase)
    assert audit_log(tmp_path, "verify", "--passphrase-stdin", stdin=phrase).returncode == 0
    assert audit_log(tmp_path, "verify", "--passphrase-stdin", stdin="another\n").returncode == 2
    both = audit_log(tmp_path, "verify", "--passphrase-stdin", "--checkpoint", "-", stdin=phrase)
    assert (both.returncode, "not both" in both.stderr) == (2, True)


@pytest.fixture
def running(site: Path) -> Iterator[Path]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(site)}
    up = subprocess.Popen([*MODULE, "up", "site"], stderr=subprocess.PIPE, text=True, cwd=site, env=environment)
    assert up.stderr
    assert up.stderr.readline().startswith("site up at")
    yield site
    up.terminate()
    up.stderr.read()
    up.stderr.close()
    up.wait()


def test_the_log_is_shown_and_verified_from_another_machine(running: Path) -> None:
    phrase = "a long enough sentence\n"
    arguments = ("--role", "viewer", "--password-stdin")
    assert keyturn("--dir", "site", "person", "add", "vera", *arguments, cwd=running, stdin=phrase).returncode == 0
    assert audit_log(running, "verify").returncode == 0, "beside a running server too"
    port = tomllib.loads((running / "site" / "keyturn.toml").read_text())["port"]
    login = ("login", f"https://127.0.0.1:{port}", "--name", "vera", "--ca", "site/site-ca.pem", "--password-stdin")
    assert keyturn(*login, cwd=running, stdin=phrase).returncode == 0
    shown = json.loads(keyturn("audit-log", "show", "--json", "--actor", "vera", cwd=running).stdout)
    assert [(event["kind"], event["subject"]) for event in shown] == [("token-issued", "vera")]
    table = keyturn("audit-log", "show", "--account", "SMSClient_ABC", cwd=running).stdout
    assert "plan-proposed" in table
    assert "estate-imported" not in table
    kept = keyturn("audit-log", "checkpoint", cwd=running).stdout
    assert kept == audit_log(running, "checkpoint").stdout
    run = keyturn("audit-log", "verify", "--checkpoint", "-", cwd=running, stdin=kept)
    assert (run.returncode, run.stderr) == (0, "")
    by_hand(running, "UPDATE events SET actor = 'olga' WHERE number = 2")
    run = keyturn("audit-log", "verify", cwd=running)
    assert (run.returncode, run.stdout.splitlines()[0]) == (1, "event 2: its content was altered")
