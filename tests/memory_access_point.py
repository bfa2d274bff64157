"""A client access point in memory that keeps its permissions, with the accounts of a built-in realm."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations.inbox_ports import AccessDenied, InUse, Lying, PointTrouble
from keyturn.site.access_points import BAD_BOX
from keyturn.site.permissions import BUILTIN_SIDS, AccessList, Ace, Grantee, Right

EVERYBODY = AccessList((Ace("everybody", Right.FULL),), protected=False)
_READ, _WRITE, _DELETE, _SET = 0x1, 0x2, 0x10000, 0x40000


class PowerCut(BaseException):
    """What no code handles."""


@dataclass
class MemoryAccessPoint:
    """`up`: whether it is reached. `administrators` by name. `cut` is called with each verb before it happens, and with
    `after-keep` between the two halves of taking a file. `logons` counts them. `open_elsewhere` are paths."""

    realm: BuiltinRealm
    administrators: set[str] = field(default_factory=set)
    up: bool = True
    boxes: dict[str, dict[str, bytes]] = field(default_factory=dict)
    lists: dict[str, AccessList] = field(default_factory=dict)
    open_elsewhere: set[str] = field(default_factory=set)
    cut: Callable[[str], None] = lambda verb: None
    logons: int = 0
    written: list[str] = field(default_factory=list)
    _marks: dict[str, int] = field(default_factory=dict)
    _changes: int = 0

    @contextmanager
    def reach(self) -> Iterator["_Reached"]:
        if not self.up:
            raise PointTrouble("file server fs1 does not answer")
        yield _Reached(self)

    def leave(self, box: str, name: str, content: bytes) -> None:
        """As a client does."""
        path = rf"{box}\{name}"
        self._changes += 1
        self._marks[path] = self._changes
        self.boxes[box][name] = content
        inherited = self.lists.get(box, EVERYBODY)
        self.lists[path] = AccessList(inherited.aces, protected=False)

    def lying(self, box: str) -> tuple[Lying, ...]:
        return tuple(
            Lying(name, len(content), str(self._marks[rf"{box}\{name}"]), 0.0)
            for name, content in sorted(self.boxes.get(box, {}).items())
        )

    def identities(self, name: str) -> set[str]:
        account = self.realm.find(name)
        assert account is not None
        mine = {account.sid, "everybody", BUILTIN_SIDS[Grantee.USERS]}
        return mine | ({BUILTIN_SIDS[Grantee.ADMINISTRATORS]} if account.name in self.administrators else set())

    def gone(self, path: str) -> None:
        box, _, name = path.partition("\\")
        del self.boxes[box][name], self._marks[path], self.lists[path]


class _Reached:
    def __init__(self, point: MemoryAccessPoint) -> None:
        self._point = point
        self._account = ""

    def log_on(self, account: str, secret: Secret) -> Answer:
        self._point.cut("log_on")
        self._point.logons += 1
        self._account = account.partition("\\")[2]
        realm = self._point.realm
        return realm.logon(self._account, secret, protocol=LogonProtocol.NTLM, source="the site").answer

    def make(self, box: str) -> None:
        self._point.cut("make")
        if box not in self._point.boxes:
            self._may("", _WRITE)
            self._point.boxes[box] = {}
            self._point.lists[box] = self._point.lists.get("", EVERYBODY)

    def files(self, box: str) -> tuple[Lying, ...]:
        self._may(box, _READ)
        return self._point.lying(box)

    def write(self, box: str, name: str, content: bytes) -> None:
        self._point.cut("write")
        self._may(box, _WRITE)
        self._point.leave(box, name, content)
        self._point.written.append(name)

    def take(self, box: str, lying: Lying, keep: Callable[[bytes], None]) -> None:
        path = rf"{box}\{lying.name}"
        self._point.cut("take")
        content = self._point.boxes[box].get(lying.name)
        if content is None:
            return
        if path in self._point.open_elsewhere or lying not in self._point.lying(box):
            raise InUse(path)
        self._may(path, _READ | _DELETE)
        keep(content)
        self._point.cut("after-keep")
        self._point.gone(path)

    def put_aside(self, box: str, lying: Lying, name: str) -> None:
        path = rf"{box}\{lying.name}"
        self._may(path, _DELETE)
        content = self._point.boxes[box][lying.name]
        self._point.gone(path)
        self._point.leave(BAD_BOX, name, content)

    def permissions(self, path: str) -> AccessList:
        self._may(path, _READ)
        return self._point.lists.get(path, EVERYBODY)

    def set_permissions(self, path: str, given: AccessList) -> None:
        self._may(path, _SET)
        self._point.lists[path] = given

    def _may(self, path: str, wanted: int) -> None:
        mine = self._point.identities(self._account)
        rights = 0
        for ace in self._point.lists.get(path, EVERYBODY).aces:
            rights |= ace.mask if ace.sid in mine else 0
        if rights & wanted != wanted:
            raise AccessDenied(f"access to {path} is denied to {self._account}", "keyturn site repair-acl")
