"""Calls of one interface behind one pipe (MS-RPCE), with what they fail with in our own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from impacket.dcerpc.v5.rpcrt import (
    RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
    RPC_C_AUTHN_WINNT,
    DCERPC_v5,
    DCERPCException,
)

from keyturn.adapters.windows_machines.codes import fault_error, win32_error
from keyturn.model.secret import Secret
from keyturn.wire.windows import Lost, MachineError

LONGEST_ANSWER = 1024 * 1024
"""Bytes, to one call."""


class Transport(Protocol):
    """Named by the library that calls it."""

    def send(self, data: bytes, forceWriteAndx: int = 0, forceRecv: int = 0) -> None: ...  # noqa: N803
    def recv(self, forceRecv: int = 0, count: int = 0) -> bytes: ...  # noqa: N803
    def doesSupportNTLMv2(self) -> bool: ...  # noqa: N802


class Calls:
    def __init__(self, host: str, transport: Transport) -> None:
        self.host = host
        self.rpc = DCERPC_v5(_Bounded(host, transport))

    def sealed(self, account: str, secret: Secret) -> "Calls":
        """Before `bind`: every call is signed and encrypted once more, under a logon of its own (MS-TSCH 2.1 demands
        it). The machine has just let this account in with this password."""
        domain, _, name = account.rpartition("\\")
        self.rpc.set_credentials(name, secret.reveal(), domain)
        self.rpc.set_auth_type(RPC_C_AUTHN_WINNT)
        self.rpc.set_auth_level(RPC_C_AUTHN_LEVEL_PKT_PRIVACY)
        return self

    def bind(self, interface: bytes) -> "Calls":
        with self.told(self.host):
            self.rpc.bind(interface)
        return self

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """`what` begins the message."""
        try:
            yield
        except MachineError:
            raise
        except DCERPCException as error:
            raise _told(what, error) from None
        except Exception as error:  # whatever the library makes of an answer that is none
            raise Lost(f"{what}: {self.host} gave an answer that is none: {type(error).__name__}") from None


class _Bounded:
    """The library reads on until somebody calls a fragment the last one."""

    def __init__(self, host: str, transport: Transport) -> None:
        self._host = host
        self._transport = transport
        self._left = LONGEST_ANSWER
        self.doesSupportNTLMv2 = transport.doesSupportNTLMv2

    def send(self, data: bytes, forceWriteAndx: int = 0, forceRecv: int = 0) -> None:  # noqa: N803
        self._left = LONGEST_ANSWER
        self._transport.send(data, forceWriteAndx, forceRecv)

    def recv(self, forceRecv: int = 0, count: int = 0) -> bytes:  # noqa: N803
        data = self._transport.recv(forceRecv, count)
        self._left -= max(len(data), 1024)  # nor many short ones
        if not data or self._left < 0:
            raise Lost(f"{self._host} gave an answer that does not end")
        return data


def code_of(error: Any) -> int | None:
    code = error.get_error_code()
    return code if isinstance(code, int) else None


def _told(what: str, error: Any) -> MachineError:
    code = code_of(error)
    return win32_error(what, code) if code is not None else fault_error(what, str(error.error_string))
