r"""Between a runner and the helper that makes shares a folder for one run.

The helper gets the folder as its argument, and one Order as a line of JSON on its standard input, which is the only way
a password takes; it ends, and unmounts, when that pipe is closed. On its standard output it writes one Line of JSON
each: `Ready` when the folder is there, an `Accessed` for every identity presented and every file refused, `Failed`
instead of either.

Before it presents an account it says `Asks` and waits for a line, GO or NO; after the realm's answer, `Presented`. So
no two runs find out at once that a password is wrong.

`\\host\share\a\b` is `<mount point>/host/share/a/b`: one helper serves all shares of a run, so that a password which
one of them calls wrong is not presented to the next.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

import msgspec

from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import Presentable, SharePath
from keyturn.distribution.run_context import AsUser, Machine, NetworkIdentity, RealmAccount
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret

MODULE = "keyturn.adapters.runners.posix.share_helper"


class Kind(StrEnum):
    MACHINE = "machine"
    """By Kerberos, with the key of this machine's computer account."""
    ACCOUNT = "account"
    USER = "user"
    """By Kerberos, with the tickets of that user's own session."""


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    r"""`name`: `REALM\name` of an account, the system's name of a user, empty for the machine."""

    kind: Kind
    name: str = ""
    secret: Secret | None = None

    def presentable(self) -> Presentable:
        return Presentable(_IDENTITIES[self.kind](self.name), self.secret)


class OrderedShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    r"""`share` is `\\host\share`; without identities nobody reaches it, and everything in it is denied."""

    share: str
    identities: tuple[Identity, ...]


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`protocol` is that of accounts."""

    shares: tuple[OrderedShare, ...]
    protocol: LogonProtocol = LogonProtocol.NTLM


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    pass


class Accessed(msgspec.Struct, frozen=True, tag="access"):
    """An `Access`, field by field."""

    unc: str
    identity: str
    order: int
    answer: Answer | None
    status: int
    seconds: float

    def access(self) -> Access:
        return Access(self.unc, self.identity, self.order, self.answer, self.status, self.seconds)


class Asks(msgspec.Struct, frozen=True, tag="asks"):
    """May this account be presented now? One question at a time."""

    identity: str


class Presented(msgspec.Struct, frozen=True, tag="presented"):
    """The realm has answered, or will not."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """There is no folder. `reason` in words."""

    reason: str


Line: TypeAlias = Ready | Accessed | Asks | Presented | Failed

GO, NO = b"go\n", b"no\n"

_IDENTITIES: dict[Kind, Callable[[str], NetworkIdentity]] = {
    Kind.MACHINE: lambda _: Machine(),
    Kind.ACCOUNT: RealmAccount,
    Kind.USER: AsUser,
}


def order_of(shares: tuple[SharePath, ...], protocol: LogonProtocol) -> Order:
    ordered = (OrderedShare(share.share, tuple(map(_identity, share.identities))) for share in shares)
    return Order(tuple(ordered), protocol)


def write_order(order: Order) -> bytes:
    """With the passwords in clear: for the pipe alone."""
    return msgspec.json.encode(order, enc_hook=_revealed) + b"\n"


def read_order(line: bytes) -> Order:
    """ValueError for what is none."""
    return msgspec.json.decode(line, type=Order, dec_hook=_hidden)


def write_line(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def read_line(line: bytes) -> Line:
    """ValueError for what is none."""
    read: Line = msgspec.json.decode(line, type=Line)
    return read


def told(access: Access) -> Accessed:
    return Accessed(access.unc, access.identity, access.order, access.answer, access.status, access.seconds)


def mounted_path(mount_point: Path, unc: str) -> Path:
    r"""Where `\\host\share\a\b` is. Servers do not tell case apart in the names of machines and shares."""
    host, share, *below = unc.removeprefix("\\\\").split("\\")
    return mount_point.joinpath(host.casefold(), share.casefold(), *below)


def _identity(presentable: Presentable) -> Identity:
    match presentable.identity:
        case Machine():
            return Identity(Kind.MACHINE)
        case AsUser(name):
            return Identity(Kind.USER, name)
        case RealmAccount(account):
            return Identity(Kind.ACCOUNT, account, presentable.secret)


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"no part of an order: {type(value).__name__}")


def _hidden(kind: type, value: object) -> Secret:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"no part of an order: {kind.__name__}")
