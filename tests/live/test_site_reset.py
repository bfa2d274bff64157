"""A site reset over real processes: killed while components are stopped, and run from afar over a real sshd."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.cli.demo.stage import Stage, free_port, keyturn, until
from keyturn.wiring import _door
from tests.live.resetting import HOLDERS, OWN, SITE, all_is_well_after, found, mark, record, served
from tests.sshd import sshd


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that runs, with its accounts made, and nobody enrolled."""
    stage = Stage(tmp_path, clients=20, interval_s=1, door=_door)
    options = ["--site", "DMO", "--realm", "CORP", "--port", str(free_port()), "--contact", "1"]
    keyturn("init", str(stage.directory), *options, "--quiet", "2", "--no-default-account")
    stage.start_server()
    try:
        found(stage)
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
    all_is_well_after(stage)


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
