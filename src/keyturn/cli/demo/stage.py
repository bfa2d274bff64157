"""The stage: a site and its agents as processes of their own, driven by the commands a person would type.

The demonstration plays on it, and the lab stands on it.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keyturn.cli.api import Api, ServerFailed
from keyturn.model.errors import KeyturnError
from keyturn.wire.door import Door

REALM, SITE, ACCOUNT = "CORP", "DMO", "KtClient"
FULL_NAME = f"{REALM}\\{ACCOUNT}"
CUSTODIANS = ("alice", "bob", "carol")
_PORTS = range(20_000, 32_000)
"""Below ip_local_port_range of ip(7), as every distribution has it."""

_ESTATE = """
product = "sms2003"

[[realm]]
name = "{realm}"

[realm.policy]
lockout_threshold = 5
lockout_window = "30 min"
lockout_duration = "30 min"
history = 0

[[site]]
code = "{site}"
realm = "{realm}"
server = "SRV-{site}"

[[client_group]]
name = "PC"
site = "{site}"
kind = "legacy"
count = {clients}
interval = "{interval} s"

[[account]]
name = "{account}"
realm = "{realm}"
role = "client-connection-additional"
sites = ["{site}"]
"""


class StageError(ServerFailed):
    """Something that was started here did not come to what it should, or not in time."""


@dataclass
class Stage:
    """One site in its own directory. `door` finds its server once it is founded."""

    root: Path
    clients: int
    interval_s: float
    door: Callable[[Path], Door]
    server: "subprocess.Popen[bytes] | None" = None
    agents: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return self.root / "site"

    @property
    def api(self) -> Api:
        return Api(self.door(self.directory))

    @property
    def names(self) -> list[str]:
        return [f"PC-{number:04d}" for number in range(1, self.clients + 1)]

    def found(self) -> None:
        """Custodians with keys of their own, a site, its estate, and the account everybody connects with."""
        import pyrage

        self.root.mkdir(parents=True, exist_ok=True)
        options = ["--site", SITE, "--realm", REALM, "--port", str(free_port()), "--contact", str(self.interval_s)]
        for name in CUSTODIANS:
            identity = pyrage.x25519.Identity.generate()
            key = self.root / f"{name}.key"
            key.touch(mode=0o600)
            key.write_text(f"{identity}\n")
            options += ["--custodian", f"{name}={identity.to_public()}"]
        keyturn("init", str(self.directory), *options, "--needed", "2", "--quiet", "2", "--no-default-account")
        self.start_server()
        estate = self.root / "estate.toml"
        estate.write_text(
            _ESTATE.format(realm=REALM, site=SITE, account=ACCOUNT, clients=self.clients, interval=self.interval_s)
        )
        self.keyturn("estate", "import", str(estate))
        self.keyturn("account", "create", FULL_NAME, "--yes")

    def start_server(self) -> None:
        self.server = _started(self.root / "server.log", "up", str(self.directory))
        until("the server answers", self._answers, 120)

    def kill_server(self) -> None:
        """`kill -9`: nothing is tidied up."""
        assert self.server is not None
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()

    def enrol(self, names: Iterable[str]) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._enrol, names))

    def run_agents(self, names: Iterable[str], *options: str) -> None:
        for name in names:
            directory = str(self.root / name)
            self.agents[name] = _started(self.root / f"{name}.log", "agent", "run", "--dir", directory, *options)

    def stop_agent(self, name: str) -> None:
        agent = self.agents.pop(name)
        agent.terminate()
        agent.wait()

    def status(self, name: str) -> dict[str, Any]:
        """What the agent shows of itself; empty before its first contact."""
        try:
            found: dict[str, Any] = json.loads((self.root / name / "status.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def logons(self, since: float) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.get(f"/realms/{REALM}/logons", since=since)
        return found

    def keyturn(self, *arguments: str, stdin: str = "") -> str:
        return keyturn("--dir", str(self.directory), *arguments, stdin=stdin)

    def close(self) -> None:
        for process in (*self.agents.values(), self.server):
            if process is not None and process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _enrol(self, name: str) -> None:
        token = self.api.post("/clients", {"name": name})["token"]
        authority = str(self.directory / "site-ca.pem")
        options = ["--server", self.door(self.directory).url, "--name", name, "--ca", authority, "--token-stdin"]
        keyturn("agent", "enrol", *options, "--dir", str(self.root / name), stdin=token + "\n")

    def _answers(self) -> bool:
        assert self.server is not None
        if self.server.poll() is not None:
            raise StageError("the server ended", hint=(self.root / "server.log").read_text()[-2000:])
        try:
            self.api.get("/estate")
        except KeyturnError:
            return False
        return True


_COMMAND = (sys.executable, "-m", "keyturn")


def _started(log: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    with log.open("ab") as out:
        return subprocess.Popen(
            [*_COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )


def keyturn(*arguments: str, stdin: str = "") -> str:
    """What a person would type. StageError with what it said when it fails."""
    run = subprocess.run([*_COMMAND, *arguments], input=stdin, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise StageError(f"keyturn {' '.join(arguments[:4])} ended with {run.returncode}", hint=run.stderr.strip())
    return run.stdout


def until(what: str, happened: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > deadline:
            raise StageError(f"{what}: not within {within_s:.0f} s")
        time.sleep(0.05)


def free_port(*addresses: str) -> int:
    """Of this machine, or of those of its addresses. None of those that the kernel gives to connections as they come:
    any of these may be taken when somebody listens at last."""
    for port in random.SystemRandom().sample(_PORTS, 100):
        with suppress(OSError), ExitStack() as taken:
            for address in addresses or ("127.0.0.1",):
                taken.enter_context(socket.create_server((address, port)))
            return port
    raise StageError("no port of this machine is free")
