"""A site reset as an advertised program: made at the parent, run by the agent of the child's site server as root, told
back to the parent; and the record that it leaves is that of a reset that was typed there."""

import hashlib
import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from keyturn.cli.api import Api
from keyturn.cli.demo.stage import free_port, keyturn, until
from keyturn.model.errors import KeyturnError
from keyturn.wiring import _door
from tests.hierarchy import account, child, estate

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs programs for others")

COMMAND = (sys.executable, "-m", "keyturn")
SERVER = "SRV-DEN"
ACCOUNTS = {
    "SMSService": "service",
    "SMSServer_DEN": "server-connection",
    "SMSClient_DEN": "client-connection-default",
}
ESTATES = {
    "CEN": estate("CEN", realm="CORP", kind="central", sites=child("DEN", parent="CEN", realm="CORP")),
    "DEN": estate(
        "DEN",
        realm="MILE",
        sites=f'\n[[client]]\nname = "{SERVER}"\nsite = "DEN"\nkind = "advanced"\ninterval = "1 s"\n'
        f'\n[[site_system]]\nname = "{SERVER}"\nsite = "DEN"\nroles = ["distribution-point"]\n',
        accounts="".join(account(name, role, realm="MILE", sites=("DEN",)) for name, role in ACCOUNTS.items()),
    ),
}


@dataclass
class Two:
    root: Path
    running: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def typed(self, code: str, *words: str, stdin: str = "") -> str:
        return keyturn("--dir", str(self.root / code), *words, stdin=stdin)

    def api(self, code: str) -> Api:
        return Api(_door(self.root / code))

    def start(self, name: str, *words: str) -> None:
        with (self.root / f"{name}.log").open("ab") as out:
            command = [*COMMAND, *words]
            self.running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    def start_site(self, code: str) -> None:
        self.start(code, "up", str(self.root / code))
        until(f"site {code} answers", lambda: self.answers(code), 60)

    def start_agent(self) -> None:
        self.start("agent", "agent", "run", "--dir", str(self.root / "agent"))

    def kill(self, name: str) -> None:
        os.killpg(self.running[name].pid, signal.SIGKILL)
        self.running[name].wait()

    def answers(self, code: str) -> bool:
        try:
            self.api(code).get("/estate")
        except KeyturnError:
            return False
        return True

    def resets(self) -> list[dict[str, Any]]:
        try:
            found = self.api("DEN").get("/plans")
        except KeyturnError:
            return []
        return [plan for plan in found if plan["kind"] == "site-reset"]

    def told(self, advertisement: str) -> list[tuple[str, str, str]]:
        """What the parent knows, as client, its site, and its state."""
        try:
            found = self.api("CEN").get(f"/advertisements/{advertisement}/status")
        except KeyturnError:
            return []
        return [(one["client"], one["site"], one["state"]) for one in found["clients"]]

    def close(self) -> None:
        for process in self.running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.running.values():
            process.wait(90)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    tmp_path.chmod(0o755)
    found = Two(tmp_path)
    try:
        for code, text in ESTATES.items():
            realm = {"CEN": "CORP", "DEN": "MILE"}[code]
            options = ["--site", code, "--realm", realm, "--port", str(free_port()), "--quiet", "1", "--contact", "1"]
            keyturn("init", str(tmp_path / code), *options, "--no-default-account")
            settings = tmp_path / code / "keyturn.toml"
            sources = f'package_sources = ["{tmp_path}"]\ncontact_s'
            settings.write_text(settings.read_text().replace("contact_s", sources, 1))
            found.start_site(code)
            (tmp_path / f"{code}.toml").write_text(text)
            found.typed(code, "estate", "import", str(tmp_path / f"{code}.toml"))
        join(found)
        for name in ACCOUNTS:
            found.typed("DEN", "account", "create", f"MILE\\{name}", "--yes")
        enrol(found)
        yield found
    finally:
        found.close()


def join(two: Two) -> None:
    token = two.root / "DEN.token"
    two.typed("CEN", "site", "invite", "DEN", "--token-file", str(token))
    authority = (two.root / "CEN" / "site-ca.pem").read_text()
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(authority)).hexdigest()
    url = _door(two.root / "CEN").url
    two.typed("DEN", "site", "join", url, "--ca-fingerprint", fingerprint, "--token-stdin", stdin=token.read_text())


def enrol(two: Two) -> None:
    token = two.api("DEN").post("/clients", {"name": SERVER})["token"]
    options = ["--server", _door(two.root / "DEN").url, "--ca", str(two.root / "DEN" / "site-ca.pem")]
    names = ["--name", SERVER, "--token-stdin", "--dir", str(two.root / "agent")]
    keyturn("agent", "enrol", *options, *names, stdin=token)


def advertise(two: Two, package: str, program: str, command_line: str) -> None:
    two.typed("CEN", "program", "add", package, program, "--command-line", command_line)
    when = ("--mandatory", "as-soon-as-possible", "--yes")
    two.typed("CEN", "advertise", program, "--package", package, "--to", "DEN server", *when)


@pytest.mark.timeout(900)
def test_a_reset_advertised_at_the_parent_leaves_the_record_of_one_typed_at_the_site(two: Two) -> None:
    two.start_agent()
    typed = json.loads(two.typed("DEN", "site", "reset", "DEN", "--yes", "--json"))
    [first] = two.resets()
    two.typed("CEN", "package", "add", "Site reset")
    two.typed("CEN", "collection", "add", "DEN server", "--client", SERVER)
    there = two.root / "DEN"
    advertise(two, "CEN00001", "Reset DEN", f"{' '.join(COMMAND)} --dir {there} site reset DEN --yes")
    until("the parent knows that it succeeded", lambda: (SERVER, "DEN", "succeeded") in two.told("CEN20001"), 240)
    [second] = [plan for plan in two.resets() if plan["id"] != first["id"]]
    report = json.loads(two.typed("DEN", "site", "reset-report", second["id"], "--json"))
    assert (first["state"], second["state"]) == ("done", "done")
    assert report == typed
    assert report["regenerated"] == ["MILE\\SMSServer_DEN", "MILE\\SMSClient_DEN"]
    assert [step["step"] for step in second["steps"]] == [step["step"] for step in first["steps"]]
    assert {step["mark"] for step in second["steps"]} == {"done"}
    until(
        "every component runs", lambda: json.loads(two.typed("DEN", "site", "status", "--json"))["verdict"] == "ok", 60
    )
    assert [one for one in two.api("DEN").get("/realms/MILE/logons", since=0) if one["answer"] != "accepted"] == []


@pytest.mark.timeout(900)
def test_content_from_above_is_bit_exact_after_kills_of_either_site(two: Two) -> None:
    source = two.root / "source"
    source.mkdir()
    content = os.urandom(40 * 1024 * 1024)
    (source / "large.bin").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (source / "look.sh").write_text(
        f'#!/bin/sh\necho "{digest}  large.bin" | sha256sum -c - && echo ok >> {two.root}/ran\n'
    )
    (source / "look.sh").chmod(0o755)
    two.typed("CEN", "package", "add", "Large", "--source", str(source))
    two.typed("CEN", "collection", "add", "DEN server", "--client", SERVER)
    advertise(two, "CEN00001", "Look", "./look.sh")
    arrived = two.root / "DEN" / "content" / "blobs"
    for number, victim in enumerate(("DEN", "CEN", "DEN", "CEN")):
        size = number * 8 * 1024 * 1024
        until("some of it has arrived", lambda size=size: bytes_at(arrived) > size, 120)
        two.kill(victim)
        two.start_site(victim)
    two.start_agent()
    until("the parent knows that it succeeded", lambda: (SERVER, "DEN", "succeeded") in two.told("CEN20001"), 240)
    assert (two.root / "ran").read_text() == "ok\n"


def bytes_at(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
