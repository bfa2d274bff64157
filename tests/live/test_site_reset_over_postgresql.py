"""A site reset where the store is PostgreSQL: whoever carries it out is killed while components are stopped."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.adapters.site_files.layout import existing
from keyturn.cli.demo.stage import Stage, free_port, keyturn, until
from keyturn.wiring import _door
from tests import postgresql
from tests.live.resetting import HOLDERS, all_is_well_after, found, mark, served

LEASE_S = 3
COMMAND = (sys.executable, "-m", "keyturn")
PROCESSES = {"one process": ("up",), "a server and two workers": ("serve", "work", "work")}
LONG = pytest.param("one process", marks=pytest.mark.long)


class Site:
    """Over PostgreSQL, by several processes."""

    def __init__(self, stage: Stage, server: postgresql.Server) -> None:
        self.stage = stage
        self.running: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}
        self._server = server
        self._database = server.database()
        settings = existing(stage.directory).settings
        settings.write_text(f"lease_s = {LEASE_S}\n{settings.read_text()}")
        stage.keyturn("store", "move", server.url(self._database))

    def start(self, command: str) -> None:
        log = self.stage.root / f"{command}-{len(list(self.stage.root.glob('*.log')))}.log"
        with log.open("wb") as out:
            process = subprocess.Popen([*COMMAND, command, str(self.stage.directory)], stdout=out, stderr=out)
        self.running[process.pid] = command, process
        until(f"{command} is up", lambda: " at " in log.read_text(), 60)

    def kill_whoever_has_the_plan(self) -> str:
        """What it was started as."""
        held: list[int] = []
        until("somebody has the plan", lambda: held.extend(self._holders()) or bool(held), 60)
        command, process = self.running.pop(held[0])
        process.kill()
        process.wait()
        return command

    def _holders(self) -> list[int]:
        """Their process numbers: a worker's name is MACHINE:NUMBER:…"""
        with self._server.administer(self._database) as connection:
            rows = connection.execute("SELECT leased_by FROM plans WHERE leased_by IS NOT NULL").fetchall()
        return [pid for (name,) in rows for pid in self.running if f":{pid}" in str(name)]

    def close(self) -> None:
        for _, process in self.running.values():
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.Server]:
    with postgresql.running() as server:
        yield server


@pytest.fixture(params=["a server and two workers", LONG])
def site(request: pytest.FixtureRequest, tmp_path: Path, server: postgresql.Server) -> Iterator[Site]:
    stage = Stage(tmp_path, clients=20, interval_s=1, door=_door)
    options = ["--site", "DMO", "--realm", "CORP", "--port", str(free_port()), "--contact", "1"]
    keyturn("init", str(stage.directory), *options, "--quiet", "2", "--no-default-account")
    site = Site(stage, server)
    try:
        for command in PROCESSES[request.param]:
            site.start(command)
        found(stage)
        yield site
    finally:
        stage.close()
        site.close()


@pytest.mark.timeout(900)
def test_whoever_carries_a_reset_out_is_killed_in_the_middle_and_it_ends_well(site: Site) -> None:
    stage = site.stage
    stage.enrol(HOLDERS)
    stage.run_agents(HOLDERS)
    until("everybody is current", lambda: all(served(stage)), 240)
    with (stage.root / "reset.out").open("wb") as out:
        command = [*COMMAND, "--dir", str(stage.directory), "site", "reset", "DMO", "--yes"]
        reset = subprocess.Popen(command, stdout=out, stderr=out)
    until("the components are being stopped", lambda: mark(stage, "StopComponents") != "", 240)
    site.start(site.kill_whoever_has_the_plan())
    all_is_well_after(stage)
    reset.wait()
