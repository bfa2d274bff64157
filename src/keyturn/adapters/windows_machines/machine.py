"""A machine that somebody is logged on to: what is asked of it, and the pipe behind which that is done."""

from collections.abc import Callable
from functools import cached_property

from keyturn.adapters.windows_machines.calls import Calls, Transport
from keyturn.adapters.windows_machines.services import Services
from keyturn.adapters.windows_machines.tasks import Tasks
from keyturn.model.secret import Secret
from keyturn.wire.windows import Service, Task


class Machine:
    """A `WindowsMachine`. `key` is the session's, under which passwords of services travel once more encrypted."""

    def __init__(self, host: str, pipe: Callable[[str], Transport], key: bytes, account: str, secret: Secret) -> None:
        self._host = host
        self._pipe = pipe
        self._key = key
        self._account = account
        self._secret = secret

    def service(self, name: str) -> Service:
        return self._services.service(name)

    def change_service(self, name: str, runs_as: str, secret: Secret) -> None:
        self._services.change(name, runs_as, secret)

    def stop(self, name: str, *, timeout_s: float) -> None:
        self._services.stop(name, timeout_s)

    def start(self, name: str, *, timeout_s: float) -> None:
        self._services.start(name, timeout_s)

    def task(self, path: str) -> Task:
        return self._tasks.task(path)

    def register(self, path: str, task: Task, runs_as: str, secret: Secret) -> None:
        self._tasks.register(path, task, runs_as, secret)

    @cached_property
    def _services(self) -> Services:
        return Services(Calls(self._host, self._pipe("svcctl")), self._key)

    @cached_property
    def _tasks(self) -> Tasks:
        return Tasks(Calls(self._host, self._pipe("atsvc")).sealed(self._account, self._secret))
