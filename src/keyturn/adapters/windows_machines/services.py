"""Services of a machine, by its Service Control Manager (MS-SCMR over `\\PIPE\\svcctl`)."""

import io
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any, TypeAlias

from impacket.crypto import encryptSecret
from impacket.dcerpc.v5 import scmr

from keyturn.adapters.windows_machines.calls import Calls, code_of
from keyturn.adapters.windows_machines.codes import win32_error
from keyturn.model.secret import Secret
from keyturn.wire.windows import MachineError, Service

Handle: TypeAlias = Any
"""The library's own; good on its pipe alone."""

_LOOK = scmr.SERVICE_QUERY_CONFIG | scmr.SERVICE_QUERY_STATUS | scmr.SERVICE_ENUMERATE_DEPENDENTS
_TURN = scmr.SERVICE_START | scmr.SERVICE_STOP | scmr.SERVICE_QUERY_STATUS

_MORE_DATA, _ALREADY_RUNNING, _NOT_ACTIVE = 234, 1056, 1062
_POLL_S = 0.25

_DEPENDANT = struct.Struct("<II28x")
"""ENUM_SERVICE_STATUSW (MS-SCMR 2.2.11): where in the answer its name and its display name are, and its status."""


class Services:
    def __init__(self, calls: Calls, key: bytes) -> None:
        self._calls = calls.bind(scmr.MSRPC_UUID_SCMR)
        self._key = key
        with calls.told(f"{calls.host}, its Service Control Manager"):
            answer = scmr.hROpenSCManagerW(calls.rpc, dwDesiredAccess=scmr.SC_MANAGER_CONNECT)
        self._manager = answer["lpScHandle"]

    def service(self, name: str) -> Service:
        with self._opened(name, _LOOK) as handle:
            config = scmr.hRQueryServiceConfigW(self._calls.rpc, handle)["lpServiceConfig"]
            running = self._status(handle)["dwCurrentState"] != scmr.SERVICE_STOPPED
            dependants = self._dependants(handle) if running else ()
        return Service(str(config["lpServiceStartName"]).rstrip("\0"), running, dependants)

    def change(self, name: str, runs_as: str, secret: Secret) -> None:
        with self._opened(name, scmr.SERVICE_CHANGE_CONFIG) as handle:
            password = _encrypted(self._key, secret)
            scmr.hRChangeServiceConfigW(
                self._calls.rpc,
                handle,
                lpServiceStartName=runs_as,
                lpPassword=list(password),
                dwPwSize=len(password),
            )

    def stop(self, name: str, timeout_s: float) -> None:
        with self._opened(name, _TURN) as handle:
            try:
                scmr.hRControlService(self._calls.rpc, handle, scmr.SERVICE_CONTROL_STOP)
            except scmr.DCERPCException as error:
                if code_of(error) != _NOT_ACTIVE:
                    raise
            self._await(name, handle, scmr.SERVICE_STOPPED, timeout_s)

    def start(self, name: str, timeout_s: float) -> None:
        with self._opened(name, _TURN) as handle:
            try:
                scmr.hRStartServiceW(self._calls.rpc, handle)
            except scmr.DCERPCException as error:
                if code_of(error) != _ALREADY_RUNNING:
                    raise
            self._await(name, handle, scmr.SERVICE_RUNNING, timeout_s)

    def _await(self, name: str, handle: Handle, wanted: int, timeout_s: float) -> None:
        end = time.monotonic() + timeout_s
        while (status := self._status(handle))["dwCurrentState"] != wanted:
            if status["dwCurrentState"] == scmr.SERVICE_STOPPED:
                raise win32_error(self._named(name), status["dwWin32ExitCode"])
            if time.monotonic() > end:
                verb = "stop" if wanted == scmr.SERVICE_STOPPED else "start"
                raise MachineError(f"{self._named(name)} did not {verb} within {timeout_s:.0f} s")
            time.sleep(_POLL_S)

    def _status(self, handle: Handle) -> Any:
        return scmr.hRQueryServiceStatus(self._calls.rpc, handle)["lpServiceStatus"]

    def _dependants(self, handle: Handle) -> tuple[str, ...]:
        """Asked with no room for an answer first, as it says then how much it needs."""
        try:
            answer = scmr.hREnumDependentServicesW(self._calls.rpc, handle, scmr.SERVICE_ACTIVE, 0)
        except scmr.DCERPCException as error:
            if code_of(error) != _MORE_DATA:
                raise
            room = error.get_packet()["pcbBytesNeeded"]
            answer = scmr.hREnumDependentServicesW(self._calls.rpc, handle, scmr.SERVICE_ACTIVE, room)
        data = b"".join(answer["lpServices"])
        records = _DEPENDANT.iter_unpack(data[: _DEPENDANT.size * answer["lpServicesReturned"]])
        return tuple(_text(data, at) for at, _ in records)

    @contextmanager
    def _opened(self, name: str, access: int) -> Iterator[Handle]:
        with self._calls.told(self._named(name)):
            handle = scmr.hROpenServiceW(self._calls.rpc, self._manager, name, access)["lpServiceHandle"]
            try:
                yield handle
            finally:
                with suppress(Exception):  # the end of the pipe closes it too
                    scmr.hRCloseServiceHandle(self._calls.rpc, handle)

    def _named(self, name: str) -> str:
        return f"{self._calls.host}, service {name}"


def _encrypted(key: bytes, secret: Secret) -> bytes:
    """MS-LSAD 5.1.2, under the key of the SMB session. The library prints the key while it encrypts (impacket 0.13)."""
    with redirect_stdout(io.StringIO()):
        return bytes(encryptSecret(key, (secret.reveal() + "\0").encode("utf-16-le")))


def _text(data: bytes, at: int) -> str:
    return data[at:].decode("utf-16-le", "replace").partition("\0")[0]
