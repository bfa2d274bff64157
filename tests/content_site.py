"""A real site with one package at its own distribution point, and a real agent that is offered it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keyturn.adapters.shares.https_content import HttpsPoint
from keyturn.agent.client import open_client
from keyturn.agent.home import Home
from keyturn.agent.software.cache import Cache
from keyturn.agent.software.channel import SiteChannel
from keyturn.agent.software.content import Content
from keyturn.agent.transport import PinnedStream
from keyturn.cli.api import Api
from keyturn.cli.demo.stage import free_port, keyturn, until
from keyturn.model.errors import KeyturnError
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    CollectionId,
    DistributionPoint,
    Offer,
    Package,
    PackageId,
    Program,
    ProgramName,
)
from keyturn.wiring import _agent, _door
from tests.content_points import MACHINE

PACKAGE, CLIENT, OTHER = PackageId("PHX00001"), "PC-0001", "PC-0002"
FRONT = "127.0.0.2"
"""A second address by which the site is called: whatever stands in front of it takes the same port there."""
ESTATE = f"""

[[site_system]]
name = "SRV-PHX"
site = "PHX"
roles = ["distribution-point"]

[[client]]
name = "{CLIENT}"
kind = "advanced"
site = "PHX"

[[client]]
name = "{OTHER}"
kind = "advanced"
site = "PHX"
"""


@dataclass
class ContentSite:
    """`source` is the folder that the package is read from."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def root(self) -> Path:
        return self.folder / "site"

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def found(self, *settings: str) -> None:
        """The source holds what the test put there; `settings` are lines of keyturn.toml."""
        names = [option for name in ("127.0.0.1", "localhost", FRONT) for option in ("--name", name)]
        keyturn("init", str(self.root), "--site", "PHX", "--port", str(self.port), "--no-default-account", *names)
        lines = [f'package_sources = ["{self.source}"]', *settings]
        file = self.root / "keyturn.toml"
        head, tables = file.read_text().split("\n[", 1)
        file.write_text("\n".join([head, *lines, f"[{tables}"]))
        self.start()
        estate = self.folder / "estate.toml"
        estate.write_text(self.keyturn("estate", "export") + ESTATE)
        self.keyturn("estate", "import", str(estate))
        self.keyturn("package", "add", "Seven", "--source", str(self.source))
        self.keyturn("package", "distribute", PACKAGE)
        until("the package is at its point", lambda: self.there() == 1, 60)

    @property
    def front_url(self) -> str:
        return f"https://{FRONT}:{self.port}"

    def agent(self, client: str = CLIENT) -> Path:
        return self.folder / client

    def enrol(self, client: str = CLIENT, server: str = "") -> None:
        token = self.keyturn("client", "invite", client).split()[-1]
        ca, folder = str(self.root / "site-ca.pem"), str(self.agent(client))
        options = ["--server", server or self.url, "--name", client, "--ca", ca, "--token-stdin"]
        keyturn("agent", "enrol", *options, "--dir", folder, stdin=token)

    def start(self) -> None:
        with (self.folder / "site.log").open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "keyturn", "up", str(self.root)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        until("the site answers", self._answers, 60)

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def keyturn(self, *arguments: str) -> str:
        return keyturn("--dir", str(self.root), *arguments)

    def there(self) -> int:
        """The version that clients find."""
        records = Api(_door(self.root)).get(f"/packages/{PACKAGE}")["there"]
        return max((int(record["there"]) for record in records), default=0)

    def offer(self, version: int = 1) -> Offer:
        found = Api(_door(self.root)).get(f"/packages/{PACKAGE}")
        name = ProgramName(PACKAGE, "Install")
        return Offer(
            Advertisement(AdvertisementId("PHX20001"), name, CollectionId("PHXC0001"), 0),
            Program(PACKAGE, name.name, "./install.sh"),
            Package(PACKAGE, "Seven", source_version=version),
            found["content"]["digest"],
            (DistributionPoint("SRV-PHX", "/dp/v1"),),
        )

    def channel(self, client: str = CLIENT, server: str = "") -> SiteChannel:
        """Of an enrolled agent, in this process. Another `server` takes its requests, and has to know their signature
        to be for the site."""
        home = Home(self.agent(client))
        opened = open_client(home, _agent())
        stream = PinnedStream(server or opened.installation.server, opened.installation.ca)
        return SiteChannel(home, opened, stream)

    def fetch(
        self, cache: Path, client: str = CLIENT, server: str = "", stop: Callable[[], bool] = lambda: False
    ) -> Path:
        channel = self.channel(client, server)
        content = Content(Cache(cache), lambda point: HttpsPoint(channel.open, point.place, self.url), time.time)
        return content.fetch(self.offer(), (MACHINE,), lambda _: None, stop)

    def _answers(self) -> bool:
        process = self._process
        assert process is not None
        assert process.poll() is None, (self.folder / "site.log").read_text()[-2000:]
        try:
            Api(_door(self.root)).get("/packages")
        except KeyturnError:
            return False
        return True
