"""A share that was reached: the site's logon at it, and what it does there with files, folders and their lists."""

from collections.abc import Iterator
from contextlib import contextmanager

from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.open import CreateDisposition, CreateOptions, DirectoryAccessMask
from smbprotocol.tree import TreeConnect

from keyturn.adapters.shares.smb_descriptors import ask_permissions, give_permissions
from keyturn.adapters.shares.smb_opening import EVERYBODY, GONE, THERE, Opened, suppressed, trouble
from keyturn.adapters.shares.smb_session import Place, enter, log_on
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.inbox_ports import PointTrouble
from keyturn.site.permissions import AccessList

LOOK = DirectoryAccessMask.FILE_READ_ATTRIBUTES


class ReachedShare:
    """Paths are below the place, their parts apart by either slash."""

    def __init__(self, connection: Connection, place: Place) -> None:
        self._connection = connection
        self._place = place
        self._account = ""
        self._entered: TreeConnect | None = None

    def log_on(self, account: str, secret: Secret) -> Answer:
        self._account = account
        with self._translated(""):
            session = log_on(self._connection, account, secret, LogonProtocol.NTLM)
            if isinstance(session, Answer):
                return session
            tree = enter(session, self._place.root)
            if isinstance(tree, Answer):
                return tree
            self._entered = tree
        return Answer.ACCEPTED

    def make(self, path: str) -> None:
        """Asked for before it is made: who may not make it need not, where it is there."""
        with self._translated(path):
            try:
                with self._folder(path, LOOK):
                    return
            except SMBResponseException as error:
                if error.status not in GONE:
                    raise
            with suppressed(THERE), self._folder(path, LOOK, CreateDisposition.FILE_CREATE):
                pass

    def permissions(self, path: str) -> AccessList:
        with self._translated(path), self._either(path, DirectoryAccessMask.READ_CONTROL) as opened:
            return ask_permissions(opened)

    def set_permissions(self, path: str, given: AccessList) -> None:
        access = DirectoryAccessMask.READ_CONTROL | DirectoryAccessMask.WRITE_DAC
        with self._translated(path), self._either(path, access) as opened:
            give_permissions(opened, given)

    def _file(self, path: str, access: int, shared: int, disposition: int = CreateDisposition.FILE_OPEN) -> Opened:
        return Opened(self._tree, self._path(path), access, shared, disposition, CreateOptions.FILE_NON_DIRECTORY_FILE)

    def _folder(self, path: str, access: int, disposition: int = CreateDisposition.FILE_OPEN) -> Opened:
        kind = CreateOptions.FILE_DIRECTORY_FILE
        return Opened(self._tree, self._path(path), access, EVERYBODY, disposition, kind)

    def _either(self, path: str, access: int, options: int = 0) -> Opened:
        return Opened(self._tree, self._path(path), access, EVERYBODY, CreateDisposition.FILE_OPEN, options)

    def _path(self, path: str) -> str:
        return "\\".join([*self._place.folders, *filter(None, path.split("/"))])

    @property
    def _tree(self) -> TreeConnect:
        assert self._entered is not None, "nobody has logged on"
        return self._entered

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        """The one place where the library's errors become ours."""
        place = "\\".join(filter(None, (self._place.root, self._path(path))))
        try:
            yield
        except SMBResponseException as error:
            raise trouble(place, self._account, error.status) from None
        except (SMBException, OSError, ValueError) as error:
            raise PointTrouble(f"{place} did not finish its answer to {self._account}: {str(error)[:200]}") from None
