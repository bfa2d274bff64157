"""Between the runner and the process that holds a run's namespaces: one line of JSON each way a message.

To it on standard input: a `StageOrder`, later `Word`s; the end of that pipe means that the runner is gone. From it on
standard output: `Said`s; the end of that pipe means that nothing of the run is left. No secret takes either way.
"""

from enum import StrEnum
from typing import TypeAlias

import msgspec

DESK = "/run/keyturn"
"""Where a program finds what is its own. Another one for each run: nobody else sees what is mounted there."""
CONTENT, SHARES, TEMP = f"{DESK}/content", f"{DESK}/shares", f"{DESK}/temp"


class StageOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`words`: the program, as a path, and its arguments. `raised`: it starts as `uid` and becomes root by a sudo rule.
    `login`: to whose logon it belongs; None leaves that as it is. `output`: the open file that it writes to."""

    words: tuple[str, ...]
    folder: str
    temp: str
    environment: dict[str, str]
    uid: int
    gid: int
    groups: tuple[int, ...]
    raised: bool
    login: int | None
    output: int
    unread: int
    """The other end of `output`, for when nobody else reads it any more."""
    grace_s: float
    """From asking all processes to end to ending them."""


class Word(StrEnum):
    GO = "go"
    END = "end"
    LEAVE = "leave"
    """Nobody watches any more: the program goes on, and what it writes goes nowhere."""


class Staged(msgspec.Struct, frozen=True, tag="staged"):
    """What is mounted before the program starts may be mounted now."""


class Started(msgspec.Struct, frozen=True, tag="started"):
    """As the system has it, a moment before the program's first instruction."""

    uid: int
    login: int | None


class Exited(msgspec.Struct, frozen=True, tag="exited"):
    """The program itself; what it started may go on. 128 and the signal's number for one that was ended by one."""

    code: int


class NotStarted(msgspec.Struct, frozen=True, tag="not-started"):
    reason: str


class Over(msgspec.Struct, frozen=True, tag="over"):
    """Everything of the run has ended by itself, or because it was asked to. Without this it was cut off."""


Said: TypeAlias = Staged | Started | Exited | NotStarted | Over


def write(message: StageOrder | Said) -> bytes:
    return msgspec.json.encode(message) + b"\n"


def read_order(line: bytes) -> StageOrder:
    """ValueError for what is none."""
    return msgspec.json.decode(line, type=StageOrder)


def read_said(line: bytes) -> Said:
    """ValueError for what is none."""
    said: Said = msgspec.json.decode(line, type=Said)
    return said
