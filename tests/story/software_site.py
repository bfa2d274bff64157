"""A site that hands out signed policies and takes reports, and a machine that runs software, in memory but for the
machine's folder."""

import hashlib
import threading
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyturn.agent.ports import SoftwareParts
from keyturn.agent.software import opening
from keyturn.agent.software.cycle import Software
from keyturn.agent.software.place import Place
from keyturn.agent.software.ports import Computer, ContentFailed, Note, Presentable
from keyturn.distribution.reports import AdvertisementReport
from keyturn.model.software import Offer, Policy
from keyturn.site.client_files import DiscoveryRecord, read_discovery
from keyturn.wire.agent import Headers, Reply, in_clear
from keyturn.wire.policy import POLICY, POLICY_KEY, PURPOSE, REPORT, PolicyKey, SignedPolicy, policy_file, to_body
from keyturn.wire.signing import Request
from tests.memory_computer import MemoryComputer
from tests.memory_runner import MemoryRunner
from tests.story.agent_site import Machine, MemorySite


@dataclass
class SoftwareSite(MemorySite):
    """`offered` is the policy of every client as it stands. `serves` replaces what is sent, where it is set."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    offered: Policy | None = None
    serves: bytes | None = None
    reports: list[AdvertisementReport] = field(default_factory=list)
    left: list[AdvertisementReport] = field(default_factory=list)
    """At the access point."""
    deaf_to_reports: bool = False
    discovered: list[DiscoveryRecord] = field(default_factory=list)
    """At the management point."""

    def offer(self, policy: Policy) -> None:
        self.offered = policy

    def signed(self, policy: Policy | None = None) -> bytes:
        body = to_body(policy or self.offered or Policy("PHX", "", 0, 0, 0))  # type: ignore[arg-type]
        return msgspec.json.encode(SignedPolicy(body, self.key.sign(PURPOSE + body)))

    def _routed(self, request: Request, headers: object) -> Reply:
        reply = self._software(request, in_clear(headers))  # type: ignore[arg-type]
        reply = reply or super()._routed(request, headers)  # type: ignore[arg-type]
        if reply.status == 200 and request.path.startswith("/cap/statmsgs.box/"):
            self.left.append(msgspec.json.decode(request.body, type=AdvertisementReport))
        return reply

    def _software(self, request: Request, headers: Headers) -> Reply | None:
        if request.path == POLICY_KEY:
            return Reply(200, {}, msgspec.json.encode(PolicyKey(self.key.public_key().public_bytes_raw())))
        if request.path == POLICY:
            return self._policy(headers)
        if request.path == REPORT:
            return self._report(request.body)
        return None

    def _policy(self, headers: Headers) -> Reply:
        if self.offered is None and self.serves is None:
            return Reply(204, {})
        content = self.serves or self.signed()
        etag = f'"{hashlib.sha256(to_body(self.offered)).hexdigest()}"' if self.offered else '"x"'
        return Reply(304, {}) if headers.get("if-none-match") == etag else Reply(200, {"etag": etag}, content)

    def _report(self, body: bytes) -> Reply:
        if self.deaf_to_reports:
            return Reply(503, {})
        if (record := read_discovery(body)) is not None:
            self.discovered.append(record)
            return Reply(201, {})
        report = msgspec.json.decode(body, type=AdvertisementReport)
        if report in self.reports:
            return Reply(200, {})
        self.reports.append(report)
        return Reply(201, {})

    def _shared(self, client: str, name: str, authorization: str) -> Reply:
        reply = super()._shared(client, name, authorization)
        if reply.status == 200 and name == policy_file(client):
            return Reply(200, reply.headers, self.serves or self.signed())
        return reply


@dataclass
class SoftwareMachine(Machine):
    runner: MemoryRunner = field(default_factory=MemoryRunner)
    computer: Computer = field(default_factory=MemoryComputer)
    folder_of_content: Path | None = None
    fetched: list[tuple[str, tuple[Presentable, ...]]] = field(default_factory=list)
    content_fails: ContentFailed | None = None

    @property
    def place(self) -> Place:
        place = Place(self.home, self.disk)
        place.make()
        return place

    def started(self) -> Software:
        """The agent's process begins."""
        software = self.opened()
        software.begin()
        return software

    def opened(self) -> Software:
        def unused(*_: object) -> NoReturn:
            raise AssertionError("content is fetched by the test itself")

        needs = SoftwareParts(lambda *_: self.runner, lambda *_: unused, unused, unused, computer=self.computer)
        software = opening.open_software(self.home, self.place, self.parts, needs)
        software.shop = replace(software.shop, fetch=self._fetch, hold=lambda _: nullcontext())
        return software

    def _fetch(self, offer: Offer, identities: tuple[Presentable, ...], note: Note, stop: object) -> Path:
        self.fetched.append((offer.digest, identities))
        if self.content_fails is not None:
            raise self.content_fails
        return self.folder_of_content or self.folder

    def contact_with(self, software: Software) -> None:
        from keyturn.agent.contact import contact
        from keyturn.agent.turns import take_turn

        take_turn(self.home, self.client(), contact, self.parts, gated=True, besides=software.exchange)

    def once(self) -> Software:
        """`keyturn agent run --once`."""
        software = self.started()
        self.contact_with(software)
        software.run_out(threading.Event())
        return software

    def log(self, name: str = "execmgr") -> str:
        file = self.place.logs / f"{name}.log"
        return file.read_text() if file.exists() else ""
