"""What an agent finds when it looks for accounts' names on its machine: places, and never what stands there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import msgspec


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


def write_scan(scan: Scan) -> str:
    return msgspec.json.format(msgspec.json.encode(scan), indent=2).decode()


def read_scan(text: str) -> Scan:
    """ValueError for what is no such document, or one of another version."""
    try:
        return msgspec.json.decode(text, type=Scan)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None
