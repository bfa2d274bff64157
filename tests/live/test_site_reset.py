"""A site reset over real processes: killed while components are stopped, and run from afar over a real sshd."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keyturn.cli.demo.stage import Stage, free_port, keyturn, until
from keyturn.model.errors import KeyturnError
from keyturn.wiring import _door
from tests.sshd import sshd

CLIENTS = tuple(f"PC-{number:04d}" for number in range(1, 21))
HOLDERS = (*CLIENTS, "CAP1", "SRV-DMO")
ACCOUNTS = {
    "SMSService": "service",
    "SMSServer_DMO": "server-connection",
    "SMSClient_DMO": "client-connection-default",
    "KtExtra": "client-connection-additional",
}
SITE = """
product = "sms2003"

[[realm]]
name = "CORP"

[realm.policy]
lockout_threshold = 5
history = 0

[[site]]
code = "DMO"
realm = "CORP"
server = "SRV-DMO"
"""
HOLDING = """
[[site_system]]
name = "CAP1"
site = "DMO"
roles = ["client-access-point"]

[[client_group]]
name = "PC"
site = "DMO"
kind = "legacy"
count = 20
interval = "1 s"
"""
OWN = "".join(
    f'\n[[account]]\nname = "{name}"\nrealm = "CORP"\nrole = "{role}"\nsites = ["DMO"]\n'
    for name, role in ACCOUNTS.items()
)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that runs, with its accounts made, and nobody enrolled."""
    stage = Stage(tmp_path, clients=20, interval_s=1, door=_door)
    options = ["--site", "DMO", "--realm", "CORP", "--port", str(free_port()), "--contact", "1"]
    keyturn("init", str(stage.directory), *options, "--quiet", "2", "--no-default-account")
    stage.start_server()
    try:
        estate = tmp_path / "estate.toml"
        estate.write_text(SITE + HOLDING + OWN)
        stage.keyturn("estate", "import", str(estate))
        for name in ACCOUNTS:
            stage.keyturn("account", "create", f"CORP\\{name}", "--yes")
        yield stage
    finally:
        stage.close()


def test_a_site_killed_while_its_components_are_stopped_ends_its_reset_and_nobody_fails(stage: Stage) -> None:
    stage.enrol(HOLDERS)
    stage.run_agents(HOLDERS)
    until("everybody is current", lambda: all(served(stage)), 120)
    reset = subprocess.Popen(
        [sys.executable, "-m", "keyturn", "--dir", str(stage.directory), "site", "reset", "DMO", "--yes"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until("the components are being stopped", lambda: mark(stage, "StopComponents") != "", 120)
    stage.kill_server()
    reset.wait()
    stage.start_server()
    until("the reset has ended", lambda: record(stage)["state"] not in ("running", "waiting"), 240)
    assert record(stage)["state"] == "done", record(stage)["note"]
    assert [logon for logon in stage.logons(0) if logon["answer"] != "accepted"] == []
    until("every component runs", lambda: json.loads(stage.keyturn("site", "status", "--json"))["verdict"] == "ok", 60)
    report = json.loads(stage.keyturn("site", "reset-report", record(stage)["id"], "--json"))
    assert report["regenerated"] == ["CORP\\SMSServer_DMO", "CORP\\SMSClient_DMO"]
    assert report["kept"] == ["CORP\\SMSService", "CORP\\KtExtra"]


def test_a_reset_from_afar_leaves_the_record_of_a_local_one(stage: Stage, tmp_path: Path) -> None:
    without_clients = tmp_path / "without-clients.toml"
    without_clients.write_text(SITE + OWN)
    stage.keyturn("estate", "import", str(without_clients))
    machine = tmp_path / "machine"
    machine.mkdir()
    with sshd(machine) as there:
        program = there.programs / "keyturn"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m keyturn "$@"\n')
        program.chmod(0o755)
        way = there.root
        printed = keyturn(
            *("site", "reset", "DMO", "--yes", "--json", "--over-ssh", f"{way.host}:{way.port}"),
            *("--ssh-identity", way.identity_file, "--ssh-known-hosts", way.known_hosts),
            *("--there", str(stage.directory)),
        )
    report = json.loads(printed)
    assert report["state"] == "done"
    assert report["regenerated"] == ["CORP\\SMSServer_DMO", "CORP\\SMSClient_DMO"]
    assert record(stage)["state"] == "done"


def served(stage: Stage) -> Iterator[bool]:
    for account in stage.api.get("/accounts"):
        yield account["current"] == account["holders"] or account["account"].endswith("KtExtra")


def record(stage: Stage) -> dict[str, Any]:
    """The reset, as the server tells of it; empty while there is none, or no answer."""
    try:
        found: list[dict[str, Any]] = stage.api.get("/plans")
    except KeyturnError:
        return {"state": "running", "steps": []}
    return next((plan for plan in found if plan["kind"] == "site-reset"), {"state": "running", "steps": []})


def mark(stage: Stage, step: str) -> str:
    return next((str(each["mark"]) for each in record(stage)["steps"] if each["step"] == step), "")
