"""An agent that manages, and a Windows machine in memory, whose logons the realm of a test judges: its services and
tasks as the agent sees them, and how it fails when it is told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from textwrap import dedent

from keyturn.agent.client import open_client
from keyturn.agent.consumers.handing import NotHanded, listed
from keyturn.agent.ports import AgentParts
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.windows import Lost, MachineError, ReachWindows, Service, Task, no_windows
from tests.story.agent_site import Machine, MemoryRealm


@dataclass
class Managing(Machine):
    """A machine whose agent reaches Windows machines."""

    reach: ReachWindows = no_windows

    @property
    def parts(self) -> AgentParts:
        return replace(super().parts, windows=self.reach)

    def settings(self, text: str) -> None:
        file = self.folder / "consumers.toml"
        file.write_text(dedent(text))
        file.chmod(0o600)

    def troubles(self) -> list[NotHanded]:
        return list(self.contact()[0].of(NotHanded))

    def has_it(self) -> list[bool]:
        client = open_client(self.home, self.parts)
        with self.home.lock():
            client.credentials.refresh()
            return [row.handed for row in listed(client.handing(), client.credentials.held())]


@dataclass
class MemoryService:
    runs_as: str
    password: str
    running: bool = True
    dependants: tuple[str, ...] = ()
    starts: int = 0


@dataclass
class MemoryTask:
    runs_as: str
    password: str
    stores_password: bool = True


@dataclass
class MemoryWindows:
    """`rights` are the accounts that may log on as a service or as a batch job here; None: all. `dies_at` is the verb
    whose answer never arrives, though it is carried out."""

    realm: MemoryRealm
    administrator: str
    services: dict[str, MemoryService] = field(default_factory=dict)
    tasks: dict[str, MemoryTask] = field(default_factory=dict)
    rights: frozenset[str] | None = None
    down: bool = False
    dies_at: str = ""
    hosts: list[str] = field(default_factory=list)

    @contextmanager
    def reach(self, host: str) -> Iterator["MemoryWindows"]:
        if self.down:
            raise MachineError(f"{host} does not answer on port 445: no route")
        self.hosts.append(host)
        yield self

    def log_on(self, account: str, secret: Secret) -> "MemoryWindows | Answer":
        answer = self.realm.logon("the agent", account, secret.reveal())
        if answer is Answer.ACCEPTED and account != self.administrator:
            return Answer.NO_NETWORK_LOGON
        return self if answer is Answer.ACCEPTED else answer

    def service(self, name: str) -> Service:
        service = self._service(name)
        return Service(service.runs_as, service.running, service.dependants)

    def change_service(self, name: str, runs_as: str, secret: Secret) -> None:
        service = self._service(name)
        service.runs_as, service.password = runs_as, secret.reveal()
        self._answer("change_service")

    def stop(self, name: str, *, timeout_s: float) -> None:
        self._service(name).running = False
        self._answer("stop")

    def start(self, name: str, *, timeout_s: float) -> None:
        service = self._service(name)
        if not service.running:
            self._log_on_as(service.runs_as, service.password, f"win1, service {name}", 1069)
            service.running = True
            service.starts += 1
        self._answer("start")

    def task(self, path: str) -> Task:
        task = self.tasks[path]
        return Task(task.runs_as, task.stores_password, "<Task/>")

    def register(self, path: str, task: Task, runs_as: str, secret: Secret) -> None:
        self._log_on_as(runs_as, secret.reveal(), f"win1, task {path}", 1326)
        self.tasks[path] = MemoryTask(runs_as, secret.reveal())
        self._answer("register")

    def _service(self, name: str) -> MemoryService:
        if name not in self.services:
            raise MachineError(f"win1, service {name}: there is no such service (code 1060)", code=1060)
        return self.services[name]

    def _log_on_as(self, account: str, password: str, what: str, code: int) -> None:
        allowed = self.rights is None or account in self.rights
        if not allowed or self.realm.logon("win1", account, password) is not Answer.ACCEPTED:
            raise MachineError(f"{what}: its account could not log on (code {code})", code=code)

    def _answer(self, verb: str) -> None:
        if self.dies_at == verb:
            raise Lost("win1 did not finish its answer")
