"""What an agent finds when it looks for accounts' names on its machine: places, and never what stands there.

As a document, which people carry to the site; and as the messages by which an agent tells its site itself.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from keyturn.wire.agent import AccountName, Message

NAMES = "/agent/v1/scan/accounts"
"""GET Wanted: the accounts to look for, as far as a client may know them."""
REPORT = "/agent/v1/scan"
"""POST ScanReport. Its sender is the machine: nobody reports for another."""
MAX_REPORT = 1024 * 1024
"""Bytes."""
MOST_PLACES = 20
"""Of one account on one machine. There may be more; these are where a person begins to look."""


class Use(StrEnum):
    RUNS = "runs as it"
    MOUNTS = "mounts a share as it"
    LOGS_ON = "logs on as it"
    NAMES = "names it"
    COMMENT = "names it in a comment"
    """Which is no use; told because a commented line may come back."""


@dataclass(frozen=True, slots=True)
class Mention:
    """`line` counts from 1; 0 is the file's own name. `kind` says what sort of file it is."""

    account: str
    path: str
    line: int
    kind: str
    use: Use


@dataclass(frozen=True, slots=True)
class NotRead:
    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """`at` in seconds since the epoch. `accounts` as they were asked for, `DOMAIN\\name` or a name alone."""

    keyturn_scan: Literal[1] = 1
    """Says what this document is, and in which version."""
    machine: str
    at: float
    accounts: tuple[str, ...]
    files: int
    mentions: tuple[Mention, ...]
    not_read: tuple[NotRead, ...] = ()


class Wanted(Message, frozen=True):
    accounts: tuple[AccountName, ...]


class Place(Message, frozen=True):
    """As a `Mention`."""

    account: AccountName
    path: Annotated[str, msgspec.Meta(max_length=4096)]
    line: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    kind: Annotated[str, msgspec.Meta(max_length=64)]
    use: Use


class ScanReport(Message, frozen=True):
    """`at` in seconds since the epoch. At most MOST_PLACES of an account; a name in a comment is none."""

    at: float
    places: tuple[Place, ...]


def write_scan(scan: Scan) -> str:
    return msgspec.json.format(msgspec.json.encode(scan), indent=2).decode()


def read_scan(text: str) -> Scan:
    """ValueError for what is no such document, or one of another version."""
    try:
        return msgspec.json.decode(text, type=Scan)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None
