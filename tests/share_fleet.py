"""Agents as they are, on machines that are folders: they ask a real site over its routes and read a real share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.applications import Starlette
from starlette.testclient import TestClient

from keyturn.adapters.shares.https import HttpsShare
from keyturn.adapters.shares.smb import SmbShare
from keyturn.agent.client import Client, open_client
from keyturn.agent.contact import contact
from keyturn.agent.enrolment import enrol
from keyturn.agent.home import Home
from keyturn.agent.ports import AgentParts, Share
from keyturn.agent.status import Status
from keyturn.agent.turns import put_right, take_turn
from keyturn.agent.ungated import ungated_contact
from keyturn.model.errors import KeyturnError
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.operations import clients
from keyturn.server import access_point, agents, policy
from keyturn.server.serving import _refused
from keyturn.wire.agent import Headers, Reply, in_clear
from keyturn.wire.signing import Request
from tests.inner_site import InnerSite

HOST = "site.example:8443"


class RoutesOf:
    """An `Exchange` with a site's own routes, without a socket."""

    def __init__(self, site: InnerSite) -> None:
        authorities = frozenset({HOST})
        routes = [
            *agents.routes(site.parts, b"PEM", authorities),
            *access_point.routes(site.parts, authorities, site.clock),
            *policy.routes(site.parts, authorities, site.clock),
        ]
        app = Starlette(routes=routes, exception_handlers={KeyturnError: _refused})
        self._http = TestClient(app, base_url=f"https://{HOST}")

    def __call__(self, request: Request, headers: Headers) -> Reply:
        said = self._http.request(request.method, request.path, content=request.body, headers=in_clear(headers))
        return Reply(said.status_code, {name.lower(): value for name, value in said.headers.items()}, said.content)


@dataclass
class Machine:
    site: InnerSite
    routes: RoutesOf
    folder: Path
    gated: bool
    smb: Callable[[str, LogonProtocol], Share] = SmbShare

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def home(self) -> Home:
        return Home(self.folder)

    @cached_property
    def parts(self) -> AgentParts:
        return AgentParts(
            exchange=lambda server, ca: self.routes,
            share=HttpsShare,
            authority=lambda server, fingerprint: "",
            now=self.site.clock,
            random=lambda: 0.5,
            smb=self.smb,
        )

    @cached_property
    def client(self) -> Client:
        return open_client(self.home, self.parts)

    def enrol(self) -> None:
        token = clients.invite(self.site.parts, self.name, by="test")
        enrol(self.home, self.parts, server=f"https://{HOST}", name=self.name, token=token, ca="")

    def contact(self) -> Status:
        act = contact if self.gated else ungated_contact
        return take_turn(self.home, self.client, act, self.parts, gated=self.gated)[1]

    def put_right(self) -> Status:
        return put_right(self.home, self.client, self.parts)[1]


def fleet_of(site: InnerSite, folder: Path, names: Sequence[str], *, gated: bool) -> list[Machine]:
    """Enrolled, and each proven to hold what the site has for it."""
    routes = RoutesOf(site)
    machines = [Machine(site, routes, folder / name, gated) for name in names]
    for machine in machines:
        machine.enrol()
    waiting = list(machines)
    for _ in range(20):
        waiting = [machine for machine in waiting if machine.contact().answer is not Answer.ACCEPTED]
        if not waiting:
            return machines
    raise AssertionError(f"{[machine.name for machine in waiting]} hold nothing that lets them in")
