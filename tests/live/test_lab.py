"""A lab from the first command to the last, with its real domain, share, site and agents."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from keyturn.cli.lab import machine
from keyturn.cli.lab.place import ACCOUNT, BIND_ACCOUNT, FULL_NAME, prefix_of
from keyturn.cli.lab.processes import running
from keyturn.model.errors import Refused

pytestmark = pytest.mark.timeout(300)
SUCCESSOR = f"{FULL_NAME}_2"


def keyturn(*arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "keyturn", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == status, run.stderr
    assert "Traceback" not in run.stderr
    return run


@pytest.fixture(scope="module")
def able() -> None:
    try:
        machine.refuse_unfit()
    except Refused as refused:
        pytest.skip(f"{refused.message} ({refused.hint})")


@pytest.fixture(scope="module")
def lab(able: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("lab") / "keyturn-lab"
    try:
        told = keyturn("lab", "up", "--dcs", "1", "--agents", "2", "--dir", str(root))
        assert "account rotate" in told.stdout
        yield root
    finally:
        keyturn("lab", "down", "--dir", str(root))


def seen(lab: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(keyturn("lab", "status", "--dir", str(lab), "--json").stdout)
    return found


def agents(lab: Path) -> list[tuple[bool, str, str]]:
    return [(agent["runs"], agent["account"], agent["answer"]) for agent in seen(lab)["agents"]]


def until(happened: Callable[[], bool], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def namespaces(root: Path) -> list[str]:
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    return [line.split()[0] for line in listed.stdout.splitlines() if line.startswith(f"{prefix_of(root)}-")]


def test_its_agents_have_logged_on_at_a_share_of_its_domain(lab: Path) -> None:
    shown = seen(lab)
    assert [(node["name"], node["processes"] > 0) for node in shown["nodes"]] == [("dc1", True), ("fs1", True)]
    assert shown["site_runs"]
    assert agents(lab) == [(True, FULL_NAME, "accepted")] * 2


def test_a_second_lab_in_its_directory_is_refused_with_the_way_out(lab: Path) -> None:
    told = keyturn("lab", "up", "--dir", str(lab), status=2)
    assert f"keyturn lab down --dir {lab}" in told.stderr


def test_a_range_of_addresses_that_is_in_use_is_refused(lab: Path, tmp_path: Path) -> None:
    net = seen(lab)["nodes"][0]["address"].rpartition(".")[0]
    told = keyturn("lab", "up", "--net", net, "--dir", str(tmp_path / "other"), status=2)
    assert f"{net}.0/24 is in use on this machine" in told.stderr
    assert not (tmp_path / "other").exists()


def test_its_passwords_are_for_its_owner_alone(lab: Path) -> None:
    files = [lab / f"{account}.password" for account in (ACCOUNT, BIND_ACCOUNT)]
    passwords = [file.read_text().strip() for file in files]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 2
    assert len(set(passwords)) == 2
    others = [file for file in lab.rglob("*") if file.is_file() and file not in files]
    assert [file for file in others if any(word.encode() in file.read_bytes() for word in passwords)] == []


def test_a_rotation_moves_every_agent_to_the_successor_and_none_is_refused(lab: Path) -> None:
    keyturn("--dir", str(lab / "site"), "account", "rotate", FULL_NAME, "--yes")
    until(lambda: agents(lab) == [(True, SUCCESSOR, "accepted")] * 2)
    listed = json.loads(keyturn("--dir", str(lab / "site"), "account", "list", "--json").stdout)
    assert {a["account"]: a["life"] for a in listed if ACCOUNT in a["account"]} == {
        FULL_NAME: "disabled",
        SUCCESSOR: "active",
    }
    logs = "".join(file.read_text() for file in lab.glob("PC-*.log"))
    assert "accepted" in logs
    assert "wrong-password" not in logs
    assert "locked" not in logs


def test_an_agent_that_has_ended_is_told(lab: Path) -> None:
    os.kill(running(lab)["PC-0002"], signal.SIGKILL)
    until(lambda: [runs for runs, _, _ in agents(lab)] == [True, False])


def test_what_a_reboot_leaves_is_told_and_removed_and_removing_again_is_no_error(lab: Path) -> None:
    for process in running(lab).values():
        struck(process)
    for namespace in namespaces(lab):
        for process in subprocess.run(["ip", "netns", "pids", namespace], capture_output=True).stdout.split():
            struck(int(process))
        subprocess.run(["ip", "netns", "del", namespace], check=True)
    shown = seen(lab)
    assert [node["processes"] for node in shown["nodes"]] == [0, 0]
    assert not shown["site_runs"]
    assert [agent["runs"] for agent in shown["agents"]] == [False, False]
    keyturn("lab", "down", "--dir", str(lab))
    assert not lab.exists()
    keyturn("lab", "down", "--dir", str(lab))


def struck(process: int) -> None:
    """It may end with another that was struck before it."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def test_what_runs_is_ended_although_its_directory_was_removed(able: None, tmp_path: Path) -> None:
    gone = tmp_path / "keyturn-lab"
    namespace = f"{prefix_of(gone)}-dc1"
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    left = subprocess.Popen(["ip", "netns", "exec", namespace, "sleep", "600"])
    until(lambda: bool(subprocess.run(["ip", "netns", "pids", namespace], capture_output=True).stdout))
    keyturn("lab", "down", "--dir", str(gone))
    assert left.wait() != 0
    assert namespaces(gone) == []


def test_a_directory_that_is_no_lab_is_left_alone(able: None, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear custodian")
    for verb in ("up", "status", "down"):
        keyturn("lab", verb, "--dir", str(tmp_path), status=2)
    assert (tmp_path / "letter.txt").read_text() == "Dear custodian"


def test_whoever_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Refused, match="needs root"):
        machine.refuse_unfit()


def test_missing_packages_are_named_with_the_line_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "PATH", "/nowhere")
    with pytest.raises(Refused, match=r"not installed: .*nftables.*samba") as refused:
        machine.refuse_unfit()
    assert refused.value.hint.startswith("apt-get install ")
    assert "krb5-user" in refused.value.hint
