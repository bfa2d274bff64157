"""`keyturn envelope` against a site that runs, and against one whose server is down."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyrage
import pytest

from keyturn.cli.demo.stage import free_port, until

pytestmark = pytest.mark.xdist_group("envelope-commands")

ACCOUNT = "CORP\\SMSClient_PHX"
NAMES = ("alice", "bob", "carol")


class Site:
    """A site of two of three custodians, and its commands. Every test leaves what it did; none counts on order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        identities = {name: pyrage.x25519.Identity.generate() for name in NAMES}
        for name, identity in identities.items():
            (folder / f"{name}.key").write_text(f"# of {name}\n{identity}\n")
        custodians = [f"--custodian={name}={identity.to_public()}" for name, identity in identities.items()]
        founding = ("init", "site", "--site", "PHX", "--realm", "CORP", "--port", str(free_port()))
        self.run(*founding, "--needed", "2", *custodians)
        self.server: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
        run = subprocess.run(
            [sys.executable, "-m", "keyturn", *arguments],
            capture_output=True, text=True, cwd=self.folder, env=self._environment(), check=False, timeout=60,
        )  # fmt: skip
        assert run.returncode == status, run.stderr
        assert "Traceback" not in run.stderr
        return run

    def envelope(self, *arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
        return self.run("--dir", "site", "envelope", *arguments, status=status)

    def start(self) -> None:
        command = [sys.executable, "-m", "keyturn", "up", "site"]
        self.server = subprocess.Popen(
            command, cwd=self.folder, env=self._environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        up = [sys.executable, "-m", "keyturn", "--dir", "site", "envelope", "list"]
        until("the server answers", lambda: not self._fails(up), 90)

    def stop(self) -> None:
        if self.server:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(90)
            self.server = None

    def listed(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.envelope("list", "--json").stdout)[0]
        return found

    def keys(self, *names: str) -> list[str]:
        return [f"--key={name}={name}.key" for name in names]

    def _fails(self, command: list[str]) -> bool:
        run = subprocess.run(command, cwd=self.folder, env=self._environment(), capture_output=True, check=False)
        return run.returncode != 0

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "COLUMNS": "100", "LANG": "C.UTF-8"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("running"))
    site.start()
    yield site
    site.stop()


@pytest.fixture
def down(tmp_path: Path) -> Site:
    return Site(tmp_path)


def events(site: Site) -> list[tuple[str, str]]:
    """Straight from the store: who, and what."""
    with closing(sqlite3.connect(site.folder / "site" / "store.db")) as connection:
        return connection.execute("SELECT actor, kind FROM events").fetchall()


# With a server.


def test_a_new_site_is_in_order_and_says_for_whom_it_is_sealed(running: Site) -> None:
    assert running.envelope("verify").stdout == f"{ACCOUNT} generation 1: in order\n"
    listed = running.envelope("list").stdout
    assert "2 of alice, bob, carol" in " ".join(listed.split())
    assert max(map(len, listed.splitlines())) <= 100
    [sealed] = running.listed()["sealed"]  # type: ignore[misc,attr-defined]
    for custodian in sealed["custodians"]:
        assert f"custodian {custodian['name']}: {custodian['fingerprint']}" in listed


def test_an_opening_is_recorded_and_shown_everywhere(running: Site) -> None:
    opened = running.envelope("open", ACCOUNT, *running.keys("carol", "alice"))
    assert "the opening is recorded" in opened.stderr
    assert "opened with alice, carol" in opened.stderr
    assert len(opened.stdout.strip()) == 14
    assert f"{ACCOUNT} is due: opened " in running.envelope("list").stdout
    assert "due: opened" in " ".join(running.run("--dir", "site", "account", "list").stdout.split())
    shown = running.run("--dir", "site", "account", "show", ACCOUNT).stdout
    assert "due: opened" in shown
    assert "by admin: rotate it" in shown
    assert ("admin", "envelope-opened") in events(running)
    assert opened.stdout.strip() not in shown


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        (["--key=alice=alice.key"], "these keys do not open the envelope"),
        (["--key=alice=bob.key", "--key=bob=alice.key"], "the key given for alice is"),
        (["--key=alice=nowhere.key", "--key=bob=bob.key"], "nowhere.key: No such file or directory"),
        (["--key=alice"], "is not NAME=FILE"),
    ],
)
def test_keys_that_cannot_open_it_leave_no_mark(running: Site, keys: list[str], error: str) -> None:
    before = events(running).count(("admin", "envelope-opened"))
    refused = running.envelope("open", ACCOUNT, *keys, status=2)
    assert error in refused.stderr
    assert refused.stdout == ""
    assert events(running).count(("admin", "envelope-opened")) == before


def test_a_paper_is_printed_with_a_serial_and_confirmed_by_a_drill(running: Site) -> None:
    printed = running.envelope("print", ACCOUNT, "--output", "paper.pdf")
    serial = printed.stdout.strip().rpartition("serial ")[2]
    assert (running.folder / "paper.pdf").read_bytes().startswith(b"%PDF-")
    assert (running.folder / "paper.pdf").stat().st_mode & 0o077 == 0
    again = running.envelope("print", ACCOUNT, "--output", "paper.pdf", status=2)
    assert "File exists" in again.stderr
    assert "not confirmed by a drill" in running.envelope("list").stdout
    drill = running.envelope("drill", ACCOUNT, *running.keys("alice", "bob"), "--serial", serial)
    assert drill.stdout == f"drill of {ACCOUNT} generation 1: passed\n"
    assert [paper["serial"] for paper in running.listed()["papers"] if paper["confirmed_at"]] == [serial]  # type: ignore[attr-defined]


def test_a_copy_is_out_of_sight_and_can_be_drilled(running: Site) -> None:
    before = running.listed()["out_of_sight"]
    copied = running.envelope("take", ACCOUNT, "--output", "copy.envelope")
    assert "opens with alice with bob or alice with carol or bob with carol" in copied.stderr
    assert running.listed()["out_of_sight"] == before + 1  # type: ignore[operator]
    running.envelope("drill", ACCOUNT, *running.keys("bob", "carol"), "--file", "copy.envelope")
    whole = (running.folder / "copy.envelope").read_text()
    (running.folder / "block").write_text(whole.split("opens with: bob, carol\n")[1])
    running.envelope("drill", ACCOUNT, *running.keys("bob", "carol"), "--file", "block")
    (running.folder / "cut").write_text(whole.replace("=\n-----END", "\n-----END"))
    failed = running.envelope("drill", ACCOUNT, *running.keys("bob"), "--file", "cut", "--json", status=1)
    assert json.loads(failed.stdout)["why"] == "the envelope did not open"
    assert running.listed()["drill"]["passed"] is False  # type: ignore[index]


def test_sealing_again_gives_another_envelope_that_is_in_order(running: Site) -> None:
    before = running.envelope("take", ACCOUNT).stdout
    running.envelope("seal", ACCOUNT)
    running.envelope("seal", "--all")
    running.envelope("seal", status=2)
    assert running.envelope("take", ACCOUNT).stdout != before
    running.envelope("verify", ACCOUNT)


def test_an_account_that_does_not_exist_is_told(running: Site) -> None:
    for verb in ("verify", "take"):
        assert "no account nobody" in running.envelope(verb, "nobody", status=2).stderr


# Without one.


def test_without_a_server_the_opening_is_recorded_in_the_directory(down: Site) -> None:
    opened = down.envelope("open", ACCOUNT, *down.keys("alice", "bob"), "--json")
    assert "no server answers" in opened.stderr
    assert json.loads(opened.stdout)["recorded"] is True
    [who] = [actor for actor, kind in events(down) if kind == "envelope-opened"]
    assert who.endswith("(in the site's directory)")
    down.start()
    try:
        assert down.listed()["due"] == "opened"
        assert down.envelope("verify", "--json").stdout
    finally:
        down.stop()


def test_an_opening_that_cannot_be_recorded_still_opens_and_says_so(down: Site) -> None:
    refuse(down)
    opened = down.envelope("open", ACCOUNT, *down.keys("alice", "bob"))
    assert "NOT RECORDED" in opened.stderr
    assert len(opened.stdout.strip()) == 14
    refused = down.envelope("take", ACCOUNT, status=2)
    assert refused.stdout == ""
    down.envelope("print", ACCOUNT, "--output", "paper.pdf", status=2)
    assert not (down.folder / "paper.pdf").exists()


def test_an_opening_of_a_file_says_that_it_is_not_recorded(down: Site) -> None:
    down.envelope("take", ACCOUNT, "--output", "copy")
    before = events(down)
    opened = down.run("envelope", "open", "copy", *down.keys("alice", "bob"))
    assert "cannot be recorded" in opened.stderr
    assert events(down) == before


def test_a_password_changed_in_the_realm_is_named_with_exit_status_1(down: Site) -> None:
    down.start()
    try:
        command = ("--dir", "site", "realm", "set-password", ACCOUNT, "--password-stdin")
        subprocess.run(
            [sys.executable, "-m", "keyturn", *command], input="Somebody-else-9\n", text=True, check=True,
            cwd=down.folder, env=down._environment(), capture_output=True,
        )  # fmt: skip
        verified = down.envelope("verify", status=1)
        assert f"{ACCOUNT} generation 1: NOT in order" in verified.stdout
        assert "the realm's password is another than the sealed one" in " ".join(verified.stdout.split())
        assert json.loads(down.envelope("verify", ACCOUNT, "--json", status=1).stdout)[0]["faults"]
        failed = down.envelope("drill", ACCOUNT, *down.keys("alice", "bob"), status=1)
        assert "FAILED" in failed.stdout
    finally:
        down.stop()


def test_a_custodian_who_left_is_told_until_the_envelopes_are_sealed_again(down: Site) -> None:
    settings = down.folder / "site" / "keyturn.toml"
    kept = [line for line in settings.read_text().splitlines() if not line.startswith("carol")]
    settings.write_text("\n".join(kept) + "\n")
    down.start()
    try:
        assert ("keyturn.toml", "custody-changed") in events(down)
        assert "sealed for others than keyturn.toml names" in " ".join(down.envelope("list").stdout.split())
        down.envelope("verify", status=1)
        down.envelope("seal", "--all")
        down.envelope("verify")
        down.envelope("open", ACCOUNT, *down.keys("alice", "carol"), status=2)
    finally:
        down.stop()


def refuse(site: Site) -> None:
    """From here on no event can be written, as on a disk that is full."""
    with closing(sqlite3.connect(site.folder / "site" / "store.db")) as connection, connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END")
