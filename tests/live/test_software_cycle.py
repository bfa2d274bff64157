"""A real site, a real agent, real programs under the real runner: the agent is killed in the middle of one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keyturn.cli.api import Api
from keyturn.cli.demo.stage import free_port, keyturn, until
from keyturn.model.errors import KeyturnError
from keyturn.wiring import _door

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs programs for others")

COMMAND = (sys.executable, "-m", "keyturn")
CLIENT = "ADV-0001"
ESTATE = """
product = "sms2003"

[[realm]]
name = "CORP"

[[site]]
code = "PHX"
realm = "CORP"
server = "SRV-PHX"

[[site_system]]
name = "SRV-PHX"
site = "PHX"
roles = ["distribution-point"]

[[client_group]]
name = "ADV"
site = "PHX"
kind = "advanced"
count = 1
interval = "1 s"
"""


@dataclass
class Place:
    root: Path

    def typed(self, *words: str, stdin: str = "") -> str:
        return keyturn("--dir", str(self.root / "site"), *words, stdin=stdin)

    def agent(self, *words: str) -> str:
        return keyturn("agent", *words, "--dir", str(self.root / "agent"))

    def started(self, *words: str) -> "subprocess.Popen[bytes]":
        with (self.root / f"{words[0]}.log").open("ab") as out:
            return subprocess.Popen([*COMMAND, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def answers(self) -> bool:
        try:
            Api(_door(self.root / "site")).get("/estate")
        except KeyturnError:
            return False
        return True

    def standing(self, advertisement: str) -> dict[str, Any]:
        rows = json.loads(self.agent("software", "status", "--json"))
        return next((row for row in rows if row["advertisement"] == advertisement), {"state": ""})

    def told(self, advertisement: str) -> str:
        """What the site knows of the client. Exit status 1 says that it failed, so it is asked over REST."""
        shown = Api(_door(self.root / "site")).get(f"/advertisements/{advertisement}/status")
        return next((one["state"] for one in shown["clients"] if one["client"] == CLIENT), "")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    tmp_path.chmod(0o755)
    source = tmp_path / "source"
    source.mkdir()
    (source / "install.sh").write_text(f'#!/bin/sh\nid -un > "{tmp_path}/ran"; echo once >> "{tmp_path}/count"\n')
    (source / "install.sh").chmod(0o755)
    place = Place(tmp_path)
    keyturn("init", str(tmp_path / "site"), "--port", str(free_port()), "--contact", "1", "--no-default-account")
    settings = tmp_path / "site" / "keyturn.toml"
    settings.write_text(settings.read_text().replace("contact_s", f'package_sources = ["{source}"]\ncontact_s', 1))
    site = place.started("up", str(tmp_path / "site"))
    try:
        until("the site answers", place.answers, 60)
        (tmp_path / "estate.toml").write_text(ESTATE)
        place.typed("estate", "import", str(tmp_path / "estate.toml"))
        api = Api(_door(tmp_path / "site"))
        token = api.post("/clients", {"name": CLIENT})["token"]
        options = ["--server", _door(tmp_path / "site").url, "--ca", str(tmp_path / "site" / "site-ca.pem")]
        keyturn(
            "agent", "enrol", *options, "--name", CLIENT, "--token-stdin", "--dir", str(tmp_path / "agent"), stdin=token
        )
        place.typed("package", "add", "hello", "--source", str(source))
        place.typed("package", "distribute", "PHX00001")
        place.typed("collection", "add", "all", "--client", CLIENT)
        yield place
    finally:
        site.send_signal(signal.SIGTERM)
        site.wait(60)


def offer(place: Place, name: str, command_line: str) -> None:
    place.typed("program", "add", "PHX00001", name, "--command-line", command_line)
    place.typed(
        "advertise", name, "--package", "PHX00001", "--to", "all", "--mandatory", "as-soon-as-possible", "--yes"
    )


def test_a_program_runs_once_and_one_that_is_cut_off_is_interrupted(place: Place) -> None:
    mark = f"sleep {6000 + os.getpid() % 1000}.25"
    offer(place, "install", "./install.sh")
    agent = place.started("agent", "run", "--dir", str(place.root / "agent"))
    try:
        until("the program has run", lambda: place.standing("PHX20001")["state"] == "succeeded", 60)
        offer(place, "long", f"/bin/{mark}")
        until("the long one runs", lambda: bool(processes(mark)), 60)
    finally:
        agent.kill()
        agent.wait()
    until("what it started has ended with it", lambda: not processes(mark), 60)
    agent = place.started("agent", "run", "--dir", str(place.root / "agent"))
    try:
        until("the site knows", lambda: place.told("PHX20002") == "interrupted", 60)
        until("the site knows of the first, too", lambda: place.told("PHX20001") == "succeeded", 60)
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait(60)
    assert (place.root / "ran").read_text() == "root\n"
    assert (place.root / "count").read_text() == "once\n"
    assert place.standing("PHX20002")["cause"] == "interrupted"
    assert processes(mark) == []


def processes(mark: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if line.strip() == f"/bin/{mark}":
            found.append(int(folder.name))
    return found
