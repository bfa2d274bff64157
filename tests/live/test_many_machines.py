"""Servers and workers as processes of their own over one PostgreSQL store: killed, or stopped for a while."""

import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyturn.adapters.site_files.layout import existing
from keyturn.cli.api import Api
from keyturn.cli.demo.stage import Stage, free_port, until
from keyturn.model.secret import Secret
from keyturn.wire.door import Door
from tests import postgresql
from tests.postgresql import Server

LEASE_S = 3
COMMAND = (sys.executable, "-m", "keyturn")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql.running() as server:
        yield server


class Machines:
    """A site over PostgreSQL, its processes by name."""

    def __init__(self, stage: Stage, server: Server, database: str) -> None:
        self.stage = stage
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.rotation: subprocess.Popen[bytes] | None = None
        self._server = server
        self._database = database

    def start(self, name: str, *command: str) -> None:
        log = self.stage.root / f"{name}.log"
        before = log.read_text() if log.exists() else ""
        with log.open("ab") as out:
            self.processes[name] = subprocess.Popen([*COMMAND, *command], stdout=out, stderr=out)
        until(f"{name} is up", lambda: " at " in log.read_text()[len(before) :], 90)

    def complete(self) -> None:
        """Whoever is missing is started again."""
        for name, command in (("server", "serve"), ("worker-1", "work"), ("worker-2", "work")):
            if name not in self.processes:
                self.start(name, command, str(self.stage.directory))

    def signal(self, name: str, number: signal.Signals) -> None:
        self.processes[name].send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.processes.pop(name).wait()

    def worker_that_holds_a_plan(self) -> str:
        """Its name, in the moment in which it holds one."""
        with self._server.administer(self._database) as connection:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                row = connection.execute("SELECT leased_by FROM plans WHERE leased_by IS NOT NULL").fetchone()
                if row is not None:
                    process = int(str(row[0]).split(":")[-2])
                    return next(name for name, worker in self.processes.items() if worker.pid == process)
        raise AssertionError("no worker took the plan")

    def rotate(self) -> "subprocess.Popen[bytes]":
        [account] = [one["account"] for one in self.stage.api.get("/accounts") if one["life"] == "active"]
        command = [*COMMAND, "--dir", str(self.stage.directory), "account", "rotate", account, "--yes"]
        with (self.stage.root / "rotation.log").open("ab") as out:
            self.rotation = subprocess.Popen(command, stdout=out, stderr=out)
        return self.rotation

    def versions(self) -> dict[str, list[int]]:
        """The realm's marks under which the generations of each account were proven."""
        found = defaultdict[str, list[int]](list)
        with self._server.administer(self._database) as connection:
            proven = "SELECT account_id, version FROM generations WHERE version IS NOT NULL ORDER BY version"
            for account, version in connection.execute(proven):
                found[str(account)].append(int(str(version)))
        return found

    def close(self) -> None:
        for process in (*self.processes.values(), *([self.rotation] if self.rotation else [])):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Machines]:
    stage = Stage(tmp_path_factory.mktemp("site"), clients=3, interval_s=0.5, door=door_of)
    database = server.database()
    machines = Machines(stage, server, database)
    try:
        stage.found()
        stage.kill_server()
        settings = existing(stage.directory).settings
        settings.write_text(f"lease_s = {LEASE_S}\n{settings.read_text()}")
        stage.keyturn("store", "move", server.url(database))
        machines.complete()
        stage.enrol(stage.names)
        stage.run_agents(stage.names)
        yield machines
    finally:
        stage.close()
        machines.close()


@pytest.fixture
def machines(site: Machines) -> Machines:
    site.complete()
    return site


def door_of(root: Path) -> Door:
    files = existing(root)
    port = next(line for line in files.settings.read_text().splitlines() if line.startswith("port"))
    token = Secret(files.admin_token.read_text().strip())
    return Door(f"https://127.0.0.1:{port.split('=')[1].strip()}", files.authority.read_text(), token)


def everything_is_well(machines: Machines) -> None:
    stage = machines.stage
    until("every agent logs on", lambda: all(stage.status(name)["answer"] == "accepted" for name in stage.names), 90)
    assert not [name for name in stage.names if stage.status(name)["orphaned"] or stage.status(name)["failed_logons"]]
    assert {logon["answer"] for logon in stage.logons(0)} == {"accepted"}
    stage.keyturn("audit-log", "verify")
    stage.keyturn("envelope", "verify")
    for versions in machines.versions().values():
        assert versions == list(range(versions[0], versions[0] + len(versions))), "one set for each generation"


def done(rotation: "subprocess.Popen[bytes]") -> Callable[[], bool]:
    return lambda: rotation.poll() is not None


def test_a_second_server_answers_beside_the_first(machines: Machines) -> None:
    port = free_port()
    machines.start("server-2", "serve", str(machines.stage.directory), "--listen", f"127.0.0.1:{port}")
    machines.signal("server", signal.SIGKILL)
    first = machines.stage.door(machines.stage.directory)
    again = Api(Door(f"https://127.0.0.1:{port}", first.authority_pem, first.token))
    assert again.get("/accounts")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped for a while"])
def test_another_worker_takes_the_plan_over_within_its_lease(machines: Machines, how: signal.Signals) -> None:
    rotation = machines.rotate()
    holder = machines.worker_that_holds_a_plan()
    machines.signal(holder, how)
    until("the other worker ended the plan", done(rotation), 60)
    assert rotation.returncode == 0
    if how is signal.SIGSTOP:
        machines.signal(holder, signal.SIGCONT)
        machines.signal(holder, signal.SIGTERM)
    everything_is_well(machines)


def test_workers_that_find_no_database_go_on_when_it_is_back(machines: Machines, server: Server) -> None:
    server.stop()
    time.sleep(1)
    server.start()
    rotation = machines.rotate()
    until("the plan ended", done(rotation), 60)
    assert rotation.returncode == 0
    everything_is_well(machines)


def test_a_worker_asked_to_stop_ends_and_leaves_nothing_held(machines: Machines) -> None:
    for name in ("worker-1", "worker-2"):
        process = machines.processes[name]
        machines.signal(name, signal.SIGTERM)
        assert process.returncode == 0
