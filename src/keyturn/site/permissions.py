"""Who may do what in the boxes of a client access point, and what is left of it when accounts were made anew.

The rights of Q252856, with the two kinds of account that clients and site systems log on with. An entry of a list
names an identity (SID), so an account that was deleted and made again under its name has none of the old one's rights.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from keyturn.model.accounts import RoleName
from keyturn.site.access_points import BAD_BOX, READ_BOXES, ROOT, WRITE_BOXES

SERVER_CONNECTION = RoleName("sms2003/server-connection")
CLIENT_CONNECTION = frozenset(
    {RoleName("sms2003/client-connection-default"), RoleName("sms2003/client-connection-additional")}
)


class Right(IntEnum):
    """Access masks of files and folders (MS-DTYP 2.4.3, MS-SMB2 2.2.13.1)."""

    READ = 0x1200A9
    """And enter."""
    READ_WRITE = 0x1201BF
    """READ, and make and write files; not delete them."""
    CHANGE = 0x1301BF
    """READ_WRITE and delete."""
    FULL = 0x1F01FF


class Grantee(StrEnum):
    ADMINISTRATORS = "Administrators"
    USERS = "Users"
    SERVER_CONNECTION = "Server Connection"
    CLIENT_CONNECTION = "Client Connection"


BUILTIN_SIDS = {Grantee.ADMINISTRATORS: "S-1-5-32-544", Grantee.USERS: "S-1-5-32-545"}
"""The same on every file server."""

_ALWAYS = {Grantee.ADMINISTRATORS: Right.FULL, Grantee.SERVER_CONNECTION: Right.CHANGE}
_READ = {**_ALWAYS, Grantee.USERS: Right.READ, Grantee.CLIENT_CONNECTION: Right.READ}
_WRITE = {**_ALWAYS, Grantee.USERS: Right.READ_WRITE, Grantee.CLIENT_CONNECTION: Right.READ_WRITE}

TABLE: dict[str, dict[Grantee, Right]] = {
    ROOT: _READ,
    **dict.fromkeys(READ_BOXES, _READ),
    **dict.fromkeys(WRITE_BOXES, _WRITE),
    BAD_BOX: _ALWAYS,
}


def grantee_of(role: RoleName) -> Grantee | None:
    if role == SERVER_CONNECTION:
        return Grantee.SERVER_CONNECTION
    return Grantee.CLIENT_CONNECTION if role in CLIENT_CONNECTION else None


def may_write(box: str, grantee: Grantee) -> bool:
    return TABLE.get(box, {}).get(grantee, Right.READ) & _MAKE_FILES != 0


_MAKE_FILES = 0x2


@dataclass(frozen=True, slots=True)
class Ace:
    """An access control entry. `flags` are those of MS-DTYP 2.4.4.1. `raw`: an entry of a kind that is not understood
    here, kept as it is."""

    sid: str
    mask: int
    allows: bool = True
    flags: int = 0x3
    """Folders and files below inherit it."""
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class AccessList:
    """In its order, which decides. `protected`: nothing comes down from the folder above."""

    aces: tuple[Ace, ...]
    protected: bool = True


def wanted(box: str, sids: Mapping[Grantee, Sequence[str]]) -> AccessList:
    """The whole list of a box. `sids` of the accounts that the site has for a part."""
    found = {**{grantee: (sid,) for grantee, sid in BUILTIN_SIDS.items()}, **sids}
    return AccessList(tuple(Ace(sid, right) for grantee, right in TABLE[box].items() for sid in found.get(grantee, ())))


@dataclass(frozen=True, slots=True)
class DeadEntry:
    """An entry that names an identity its account has no longer. `live` None: nobody bears the name now."""

    path: str
    ace: Ace
    account: str
    live: str | None


def dead_entries(
    path: str, aces: Iterable[Ace], known: Mapping[str, str], live: Mapping[str, str | None]
) -> tuple[DeadEntry, ...]:
    """`known` gives the account that an identity once was, `live` the identity that bears an account's name now."""
    return tuple(
        DeadEntry(path, ace, account, live[account])
        for ace in aces
        if (account := known.get(ace.sid)) is not None and live[account] != ace.sid
    )


def repaired(given: AccessList, dead: Iterable[DeadEntry]) -> AccessList:
    """Each dead entry with the live identity in its place, where there is one. An entry that would then be there twice
    is left out."""
    names = {entry.ace.sid: entry.live for entry in dead if entry.live is not None}
    aces = (replace(ace, sid=names[ace.sid]) if ace.sid in names else ace for ace in given.aces)
    return replace(given, aces=tuple(dict.fromkeys(aces)))
