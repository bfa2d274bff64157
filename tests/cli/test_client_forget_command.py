"""Machines that are gone are forgotten from the command line, against a site that runs."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.cli.demo.stage import FULL_NAME, Stage
from tests.cli.stages import founded
from tests.cli.test_transcripts import keyturn

pytestmark = pytest.mark.xdist_group("client-forget-command")

GONE = "PC-0001"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with founded(tmp_path / "stage") as stage:
        stage.enrol(stage.names)
        yield stage


def typed(stage: Stage, *words: str) -> "subprocess.CompletedProcess[str]":
    """Without a terminal, so that nobody says yes."""
    return keyturn("--dir", str(stage.directory), *words, cwd=stage.root)


def contacts(stage: Stage) -> "subprocess.CompletedProcess[str]":
    return keyturn("agent", "run", "--once", "--dir", str(stage.root / GONE), cwd=stage.root)


def test_what_is_forgotten_and_what_stays_is_shown_before_anybody_is_asked(stage: Stage) -> None:
    assert contacts(stage).returncode == 0
    stage.keyturn("client", "logon-key", "issue", "branch", "--key-file", str(stage.root / "branch.key"))
    plan = json.loads(stage.keyturn("account", "rotate", FULL_NAME, "--json"))["id"]
    shown = typed(stage, "client", "forget", GONE.lower())
    assert shown.returncode == 1
    name, keys, *lines = shown.stdout.splitlines()
    assert name == GONE
    assert keys.startswith("  forgotten    its keys (enrolled ")
    text = " ".join(" ".join([keys, *lines]).split())
    for said in (
        "may hold CORP\\KtClient generation 1, proven",
        f"waits for it plan {plan} (cycle CORP\\KtClient), and goes on keyturn plan release {plan} {GONE}",
        "brought back by whoever has the logon key branch, until it is revoked keyturn client logon-key revoke branch",
        "stays in the estate file",
    ):
        assert said in text, shown.stdout
    assert [c["name"] for c in json.loads(stage.keyturn("client", "list", "--json"))] == [GONE], "nobody said yes"


def test_a_forgotten_machine_is_told_the_way_out_at_its_next_contact_and_until_it_is_enrolled(stage: Stage) -> None:
    [forgotten] = json.loads(stage.keyturn("client", "forget", GONE, "--yes", "--json"))
    assert (forgotten["name"], forgotten["request"], forgotten["in_estate"]) == (GONE, None, True)
    assert json.loads(stage.keyturn("client", "list", "--json")) == []
    refused = contacts(stage)
    assert refused.returncode == 1
    assert "PC-0001: the site does not accept this agent" in refused.stderr
    assert "hint:  keyturn agent enrol, with a new token" in refused.stderr
    status = keyturn("agent", "status", "--dir", str(stage.root / GONE), cwd=stage.root)
    assert "hint:  keyturn agent enrol, with a new token" in status.stderr
    again = typed(stage, "client", "forget", GONE, "--yes")
    assert again.returncode == 2
    assert again.stderr.splitlines() == [
        "error: no client PC-0001 is enrolled, invited or asked for",
        "hint:  keyturn client list",
    ]
    stage.enrol([GONE])
    assert contacts(stage).returncode == 0
