"""Scheduled tasks of a machine, by its Task Scheduler (MS-TSCH, ITaskSchedulerService over `\\PIPE\\atsvc`)."""

from contextlib import suppress
from xml.etree import ElementTree

from impacket.dcerpc.v5 import tsch
from impacket.dcerpc.v5.dtypes import NULL

from keyturn.adapters.windows_machines.calls import Calls
from keyturn.model.secret import Secret
from keyturn.wire.windows import MachineError, Task

_SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
_PRINCIPAL = f"{_SPACE}Principals/{_SPACE}Principal"

_KEPT = tsch.TASK_UPDATE | tsch.TASK_IGNORE_REGISTRATION_TRIGGERS
"""Nothing new is made, and what runs at registration does not run (MS-TSCH 3.2.5.4.2)."""

_WITH_PASSWORD = ("Password", "InteractiveTokenOrPassword")
"""Values of LogonType (MS-TSCH 2.5.6) for which the machine keeps a password."""


class Tasks:
    def __init__(self, calls: Calls) -> None:
        self._calls = calls.bind(tsch.MSRPC_UUID_TSCHS)

    def task(self, path: str) -> Task:
        with self._calls.told(self._named(path)):
            definition = tsch.hSchRpcRetrieveTask(self._calls.rpc, path)["pXml"].rstrip("\0")
        principal = self._principal(path, definition)
        runs_as = principal.findtext(f"{_SPACE}UserId", "").strip()
        return Task(runs_as, principal.findtext(f"{_SPACE}LogonType", "").strip() in _WITH_PASSWORD, definition)

    def register(self, path: str, task: Task, runs_as: str, secret: Secret) -> None:
        """What is given beside the definition goes before what stands in it (MS-TSCH 3.2.5.4.2)."""
        credential = tsch.TASK_USER_CRED()
        credential["userId"] = runs_as + "\0"
        credential["password"] = secret.reveal() + "\0"
        credential["flags"] = 0
        with self._calls.told(self._named(path)):
            tsch.hSchRpcRegisterTask(
                self._calls.rpc, path, task.definition, _KEPT, NULL, tsch.TASK_LOGON_PASSWORD, (credential,)
            )

    def _principal(self, path: str, definition: str) -> ElementTree.Element:
        """The definition declares no types of its own: what does is no task, and is not read."""
        root = None
        if "<!DOCTYPE" not in definition:
            with suppress(ElementTree.ParseError):
                root = ElementTree.fromstring(definition.partition("?>")[2] or definition)  # noqa: S314  # see above
        principal = root.find(_PRINCIPAL) if root is not None else None
        if principal is None:
            raise MachineError(f"{self._named(path)}: its definition cannot be read")
        return principal

    def _named(self, path: str) -> str:
        return f"{self._calls.host}, task {path}"
