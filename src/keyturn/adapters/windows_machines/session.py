"""One logon at a Windows machine over encrypted SMB 3, and the named pipes behind which its services listen."""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from smbprotocol.connection import Connection, Dialects
from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    FileAttributes,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    ShareAccess,
)
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

from keyturn.adapters.shares.smb_answers import LOGON
from keyturn.adapters.windows_machines.codes import status_error
from keyturn.adapters.windows_machines.machine import Machine
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.windows import Lost, MachineError

CONNECT_S = 5
ANSWER_S = 30
"""For a machine to answer one call: the library itself waits without end."""

_LONGEST_FRAGMENT = 65536
"""Bytes: what one read of a pipe may bring (C706, 12.6.2: the length of a fragment has 16 bits)."""

_PIPE = FilePipePrinterAccessMask.GENERIC_READ | FilePipePrinterAccessMask.GENERIC_WRITE
_SHARED = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE


@contextmanager
def reach(host: str) -> Iterator["_Reached"]:
    """An older dialect could be listened to, so it is left before a password is used."""
    logging.getLogger("impacket").disabled = True  # it shows what it could not decode
    connection = Connection(uuid.uuid4(), host)
    try:
        try:
            connection.connect(timeout=CONNECT_S)
        except (SMBException, OSError, ValueError) as error:  # ValueError: a connection that could not be opened
            raise MachineError(f"{host} does not answer on port 445: {str(error.__cause__ or error)[:200]}") from None
        if connection.dialect < Dialects.SMB_3_0_0 or not connection.supports_encryption:
            raise MachineError(f"{host} offers no encrypted SMB 3: nothing was presented to it")
        yield _Reached(connection, host)
    finally:
        # The session is ended with its connection; a machine that is gone ends it by itself.
        with suppress(SMBException, OSError, ValueError):
            connection.disconnect(close=True, timeout=CONNECT_S)


class _Reached:
    def __init__(self, connection: Connection, host: str) -> None:
        self._connection = connection
        self._host = host

    def log_on(self, account: str, secret: Secret) -> Machine | Answer:
        """By NTLM alone: a client that may choose tries Kerberos and then NTLM, and one wrong password counts twice."""
        session = Session(self._connection, account, secret.reveal(), require_encryption=True, auth_protocol="ntlm")
        tree = TreeConnect(session, rf"\\{self._host}\IPC$")
        try:
            with within(self._connection):
                session.connect()
                tree.connect()
        except SMBResponseException as error:
            if error.status in LOGON:
                return LOGON[error.status]
            raise status_error(self._host, error.status) from None
        except (SMBException, OSError, ValueError) as error:
            raise Lost(f"{self._host} did not finish its answer to {account}: {str(error)[:200]}") from None
        return Machine(
            self._host, lambda name: Pipe(tree, self._host, name), bytes(session.application_key), account, secret
        )


class Pipe:
    """What the library of calls takes for its transport: bytes there, bytes back."""

    def __init__(self, tree: TreeConnect, host: str, name: str) -> None:
        self._file = Open(tree, name)
        self._connection = tree.session.connection
        self._host = host
        try:
            with within(self._connection):
                self._file.create(
                    ImpersonationLevel.Impersonation,
                    _PIPE,
                    FileAttributes.FILE_ATTRIBUTE_NORMAL,
                    _SHARED,
                    CreateDisposition.FILE_OPEN,
                    CreateOptions.FILE_NON_DIRECTORY_FILE,
                )
        except SMBResponseException as error:
            raise status_error(f"{host}, pipe {name}", error.status) from None
        except (SMBException, OSError, ValueError) as error:
            raise self._lost(error) from None

    def send(self, data: bytes, forceWriteAndx: int = 0, forceRecv: int = 0) -> None:  # noqa: ARG002, N803  # the library's
        with self._told():
            self._file.write(data)

    def recv(self, forceRecv: int = 0, count: int = 0) -> bytes:  # noqa: ARG002, N803  # the library's
        with self._told():
            return bytes(self._file.read(0, _LONGEST_FRAGMENT))

    def doesSupportNTLMv2(self) -> bool:  # noqa: N802  # the library's
        return True

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            with within(self._connection):
                yield
        except (SMBException, OSError, ValueError) as error:
            raise self._lost(error) from None

    def _lost(self, error: Exception) -> Lost:
        return Lost(f"{self._host} did not finish its answer: {str(error)[:200]}")


@contextmanager
def within(connection: Connection) -> Iterator[None]:
    end = threading.Timer(ANSWER_S, connection.disconnect, kwargs={"close": False})
    end.start()
    try:
        yield
    finally:
        end.cancel()
        end.join()
