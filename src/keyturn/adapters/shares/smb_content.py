"""A distribution point on an SMB share, as a client reads it under an identity of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.open import CreateDisposition, CreateOptions, FilePipePrinterAccessMask, Open
from smbprotocol.tree import TreeConnect

from keyturn.adapters.shares.smb_answers import FILE
from keyturn.adapters.shares.smb_entering import let_in
from keyturn.adapters.shares.smb_opening import EVERYBODY, Opened
from keyturn.adapters.shares.smb_reading import pieces, widen
from keyturn.adapters.shares.smb_session import Place, Unreached, close, open_connection, place_of
from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import Note, NotLetIn, Presentable
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.wire.agent import NoAnswer

ANSWER_S = 30
"""For each answer of the server."""

_READ = FilePipePrinterAccessMask.GENERIC_READ
_EXISTING, _FILE = CreateDisposition.FILE_OPEN, CreateOptions.FILE_NON_DIRECTORY_FILE


class SmbPoint:
    r"""`place` is `\\host\share`, perhaps with folders below it. `protocol` is that of accounts."""

    def __init__(self, place: str, protocol: LogonProtocol = LogonProtocol.NTLM) -> None:
        self._place = place_of(place)
        self._protocol = protocol

    @contextmanager
    def reach(self, identity: Presentable, order: int, note: Note) -> Iterator["ReachedSmbPoint"]:
        try:
            connection = open_connection(self._place.host, ANSWER_S)
        except Unreached as error:
            note(Access(self._place.root, str(identity.identity), order, None, 0, 0.0))
            raise NoAnswer(str(error)) from None
        try:
            tree = let_in(connection, self._place, identity, order, note, self._protocol)
            with _translated(self._place.root):
                widen(connection, tree.session.session_id)
            yield ReachedSmbPoint(tree, self._place, str(identity.identity), order, note)
        finally:
            close(connection)


class ReachedSmbPoint:
    def __init__(self, tree: TreeConnect, place: Place, identity: str, order: int, note: Note) -> None:
        self._tree = tree
        self._place = place
        self._identity = identity
        self._order = order
        self._note = note

    def read(self, path: str, offset: int) -> Iterator[bytes]:
        with _translated(self._unc(path)), self._opened(path) as file:
            yield from pieces(file, offset)

    @contextmanager
    def _opened(self, path: str) -> Iterator[Open]:
        where = "\\".join([*self._place.folders, *path.split("/")])
        with ExitStack() as opened:
            try:
                file = opened.enter_context(Opened(self._tree, where, _READ, EVERYBODY, _EXISTING, _FILE))
            except SMBResponseException as error:
                raise self._refused(path, error.status) from None
            yield file

    def _refused(self, path: str, status: int) -> NotLetIn:
        answer: Answer | None = FILE.get(status)
        access = Access(self._unc(path), self._identity, self._order, answer, status, 0.0)
        self._note(access)
        return NotLetIn(access)

    def _unc(self, path: str) -> str:
        return "\\".join([self._place.root, *self._place.folders, *path.split("/")])


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except SMBResponseException as error:
        raise NoAnswer(f"{what} was answered with status {error.status:#010x}") from None
    except (SMBException, OSError, ValueError) as error:
        raise NoAnswer(f"{what} did not come to its end: {str(error)[:200]}") from None
