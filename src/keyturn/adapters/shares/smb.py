"""A client access point on an SMB share: SMB 3, encrypted, and a logon of its own for every read."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from smbprotocol.connection import Connection
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
from smbprotocol.tree import TreeConnect

from keyturn.adapters.shares import kerberos
from keyturn.adapters.shares.smb_answers import FILE
from keyturn.adapters.shares.smb_session import Place, Unreached, connected, enter, log_on, place_of
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.wire.agent import FOLDER, MAX_ANSWER, NoAnswer, Reading, write

READING_S = 20

_CHUNK = 64 * 1024
_OTHERS_MAY = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE
"""So that nobody who publishes a file anew is kept waiting."""


class SmbShare:
    r"""`place` is `\\host\share`, perhaps with folders below it. LDAP is no protocol of a share: such a holder logs on
    by NTLM here."""

    def __init__(self, place: str, protocol: LogonProtocol) -> None:
        self._place = place_of(place)
        self._protocol = protocol

    @contextmanager
    def reach(self) -> Iterator["_Reached"]:
        if self._protocol is LogonProtocol.KERBEROS:
            kerberos.refuse_without_libraries()
        try:
            with connected(self._place.host, READING_S) as connection:
                yield _Reached(connection, self._place, self._protocol)
        except Unreached as error:
            raise NoAnswer(str(error)) from None


class _Reached:
    def __init__(self, connection: Connection, place: Place, protocol: LogonProtocol) -> None:
        self._connection = connection
        self._place = place
        self._protocol = protocol

    def read(self, name: str, account: str, secret: Secret, box: str = FOLDER) -> Reading:
        with self._translated(account):
            tree = self._entered(account, secret)
            return Reading(tree) if isinstance(tree, Answer) else _content(tree, self._path(box, name))

    def leave(self, box: str, name: str, letter: msgspec.Struct, account: str, secret: Secret) -> Answer:
        """Nobody takes it before it is whole: it is open to nobody else until then."""
        with self._translated(account):
            tree = self._entered(account, secret)
            return tree if isinstance(tree, Answer) else _left(tree, self._path(box, name), write(letter))

    def _entered(self, account: str, secret: Secret) -> TreeConnect | Answer:
        session = log_on(self._connection, account, secret, self._protocol)
        return session if isinstance(session, Answer) else enter(session, self._place.root)

    def _path(self, box: str, name: str) -> str:
        return "\\".join([*self._place.folders, box, name])

    @contextmanager
    def _translated(self, account: str) -> Iterator[None]:
        share = self._place.root
        try:
            yield
        except SMBResponseException as error:
            raise NoAnswer(f"{share} answered {account} with status {error.status:#010x}") from None
        except (SMBException, OSError, ValueError) as error:
            raise NoAnswer(f"{share} did not finish its answer to {account}: {str(error)[:200]}") from None


def _left(tree: TreeConnect, path: str, content: bytes) -> Answer:
    file = Open(tree, path)
    try:
        file.create(
            ImpersonationLevel.Impersonation,
            FilePipePrinterAccessMask.GENERIC_WRITE,
            FileAttributes.FILE_ATTRIBUTE_NORMAL,
            0,
            CreateDisposition.FILE_OVERWRITE_IF,
            CreateOptions.FILE_NON_DIRECTORY_FILE,
        )
    except SMBResponseException as error:
        if error.status in FILE:
            return FILE[error.status]
        raise
    file.write(content, 0)
    file.flush()
    file.close()
    return Answer.ACCEPTED


def _content(tree: TreeConnect, path: str) -> Reading:
    file = Open(tree, path)
    try:
        file.create(
            ImpersonationLevel.Impersonation,
            FilePipePrinterAccessMask.GENERIC_READ,
            FileAttributes.FILE_ATTRIBUTE_NORMAL,
            _OTHERS_MAY,
            CreateDisposition.FILE_OPEN,
            CreateOptions.FILE_NON_DIRECTORY_FILE,
        )
    except SMBResponseException as error:
        if error.status in FILE:
            return Reading(FILE[error.status])
        raise
    size = file.end_of_file
    if size > MAX_ANSWER:
        raise NoAnswer(f"{path} on {tree.share_name} is too long")
    return Reading(Answer.ACCEPTED, b"".join(file.read(at, min(_CHUNK, size - at)) for at in range(0, size, _CHUNK)))
