"""A distribution point whose bytes are not those that were signed, before and during a transfer: no program of it runs,
the site hears why, and what was put right is fetched."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keyturn.cli.api import Api
from keyturn.cli.demo.stage import until
from keyturn.wiring import _door
from tests.content_site import CLIENT, PACKAGE, ContentSite

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root runs programs for others"),
    pytest.mark.timeout(400),
]

LARGE = 48 * 1024 * 1024
SEED = 20031117
WITHIN_S = 120.0


class Place:
    """`content` is what was signed; `blob` the file from which the point serves it."""

    def __init__(self, folder: Path) -> None:
        self.site = ContentSite(folder)
        self.site.source.mkdir()
        self.content = random.Random(SEED).randbytes(LARGE)
        (self.site.source / "large.bin").write_bytes(self.content)
        (self.site.source / "install.sh").write_text('#!/bin/sh\nsha256sum large.bin >> "$1"\n')
        (self.site.source / "install.sh").chmod(0o755)

    @property
    def blob(self) -> Path:
        [blob] = (self.site.root / "content").glob(f"**/{hashlib.sha256(self.content).hexdigest()}")
        return blob

    @property
    def cache(self) -> Path:
        return self.site.agent() / "software" / "cache"

    def advertise(self, name: str, proof: Path) -> str:
        self.site.keyturn("program", "add", PACKAGE, name, "--command-line", f"./install.sh {proof}")
        self.site.keyturn("collection", "add", name, "--client", CLIENT)
        self.site.keyturn(
            "advertise", name, "--package", PACKAGE, "--to", name, "--mandatory", "as-soon-as-possible", "--yes"
        )
        found = Api(_door(self.site.root)).get("/advertisements")
        return str(found[-1]["advertisement"]["advertisement_id"])

    def agent(self, *words: str) -> "subprocess.Popen[bytes]":
        with (self.site.folder / "agent.log").open("ab") as out:
            command = [sys.executable, "-m", "keyturn", "agent", *words, "--dir", str(self.site.agent())]
            return subprocess.Popen(command, stdout=out, stderr=out)

    def run_until(self, advertisement: str, state: str) -> dict[str, Any]:
        """What the site knows, once an agent that runs again and again has told it so."""
        found: dict[str, Any] = {}

        def stands() -> bool:
            self.agent("run", "--once").wait(WITHIN_S)
            found.update(self.standing(advertisement))
            return bool(found["state"] == state)

        until(f"{advertisement} is {state}", stands, WITHIN_S)
        return found

    def standing(self, advertisement: str) -> dict[str, Any]:
        [one] = Api(_door(self.site.root)).get(f"/advertisements/{advertisement}/status")["clients"]
        return dict(one)

    def overwrite(self, offset: int, content: bytes) -> None:
        """In the place where it lies, which stays the same file."""
        with self.blob.open("r+b") as opened:
            opened.seek(offset)
            opened.write(content)

    def forget_content(self) -> None:
        for whole in self.cache.glob("*/files/large.bin"):
            whole.unlink()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("damaged"))
    try:
        place.site.found()
        place.site.enrol()
        yield place
    finally:
        place.site.kill()


def test_a_corrupted_point_runs_nothing_and_is_named(place: Place, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    at = LARGE // 2
    place.overwrite(at, bytes([place.content[at] ^ 1]))
    advertisement = place.advertise("Corrupted", proof)
    told = place.run_until(advertisement, "failed")
    assert (told["message_id"], told["cause"]) == (10003, "content-damaged")
    assert "large.bin" in told["reason"]
    assert not proof.exists()
    place.overwrite(at, place.content[at : at + 1])
    ran_well(place, advertisement, proof)


def test_a_file_that_is_changed_during_its_transfer_runs_nothing(place: Place, tmp_path: Path) -> None:
    """The agent is held while it happens, so that neither side is ahead of it."""
    proof = tmp_path / "proof"
    tail = 8 * 1024 * 1024
    place.forget_content()
    advertisement = place.advertise("Swapped", proof)
    agent = hold_in_the_middle(place)
    place.overwrite(LARGE - tail, bytes(tail))
    agent.send_signal(signal.SIGCONT)
    agent.wait(WITHIN_S)
    told = place.run_until(advertisement, "failed")
    assert (told["message_id"], told["cause"]) == (10003, "content-damaged")
    assert not proof.exists()
    assert list(place.cache.glob("*/files/large.bin")) == []
    place.overwrite(LARGE - tail, place.content[-tail:])
    ran_well(place, advertisement, proof)


def hold_in_the_middle(place: Place) -> "subprocess.Popen[bytes]":
    """Stopped while a part of the file is here. An agent may come before its new advertisement does."""
    deadline = time.monotonic() + WITHIN_S
    agent = place.agent("run", "--once")
    while time.monotonic() < deadline:
        if agent.poll() is not None:
            agent = place.agent("run", "--once")
        if 0 < sum(part.stat().st_size for part in place.cache.glob("*/parts/*") if part.exists()) < LARGE // 2:
            agent.send_signal(signal.SIGSTOP)
            return agent
        time.sleep(0.0005)  # nothing tells how far it is but the part itself
    raise AssertionError("the agent does not fetch")


def ran_well(place: Place, advertisement: str, proof: Path) -> None:
    """A person at the machine asks for it; it had failed, and would be tried again by itself ten minutes later."""
    assert place.agent("software", "run", advertisement).wait(WITHIN_S) == 0
    place.run_until(advertisement, "succeeded")
    assert proof.read_text().split() == [hashlib.sha256(place.content).hexdigest(), "large.bin"]
