"""A folder on a share, in memory, with the accounts of a built-in realm; it fails when a test says so."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.content_ports import Found
from keyturn.operations.inbox_ports import PointTrouble
from keyturn.site.permissions import AccessList

PIECE = 4


@dataclass
class MemorySharedFolder:
    """`tree` has the content of files and None for folders. `cut` is called with each verb and path before it happens,
    and with `piece` for each piece that is written. `marks` change with every write."""

    realm: BuiltinRealm | None = None
    up: bool = True
    tree: dict[str, bytes | None] = field(default_factory=dict)
    lists: dict[str, AccessList] = field(default_factory=dict)
    cut: Callable[[str, str], None] = lambda verb, path: None
    logons: int = 0
    written: list[str] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def reach(self) -> Iterator["MemorySharedFolder"]:
        if not self.up:
            raise PointTrouble("file server fs1 does not answer")
        yield self

    def log_on(self, account: str, secret: Secret) -> Answer:
        self.logons += 1
        if self.realm is None:
            return Answer.ACCEPTED
        name = account.partition("\\")[2]
        return self.realm.logon(name, secret, protocol=LogonProtocol.NTLM, source="site").answer

    def files(self, path: str = "") -> Iterator[Found]:
        self.cut("files", path)
        root = f"{path}/" if path else ""
        for name, content in sorted(self.tree.items()):
            if name.startswith(root) and content is not None:
                yield Found(name.removeprefix(root), len(content), str(self.marks.get(name, 0)))

    def folders(self) -> tuple[str, ...]:
        return tuple(name for name, content in sorted(self.tree.items()) if content is None and "/" not in name)

    def make(self, path: str) -> None:
        self.cut("make", path)
        self._needs_folder_of(path)
        self.tree.setdefault(path, None)

    def write(self, path: str, content: Iterable[bytes]) -> None:
        self.cut("write", path)
        self._needs_folder_of(path)
        arrived = b""
        for piece in content:
            self.cut("piece", path)
            arrived += piece
        self.tree[path] = arrived
        self.marks[path] = self.marks.get(path, 0) + 1
        self.written.append(path)

    def read(self, path: str) -> Iterator[bytes]:
        self.cut("read", path)
        content = self.tree.get(path)
        if content is None:
            raise PointTrouble(f"there is no file {path}")
        yield from (content[at : at + PIECE] for at in range(0, len(content), PIECE))

    def remove(self, path: str) -> None:
        self.cut("remove", path)
        for name in [name for name in self.tree if name == path or name.startswith(f"{path}/")]:
            del self.tree[name]

    def permissions(self, path: str) -> AccessList:
        return self.lists[path]

    def set_permissions(self, path: str, given: AccessList) -> None:
        self.cut("set_permissions", path)
        if path not in self.tree:
            raise PointTrouble(f"there is nothing called {path}")
        self.lists[path] = given

    def _needs_folder_of(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        if folder and self.tree.get(folder, b"") is not None:
            raise PointTrouble(f"there is no folder {folder}")
