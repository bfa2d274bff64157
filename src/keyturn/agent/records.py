"""What the agent remembers, as it stands in its files. No password is in here unsealed."""

from enum import StrEnum
from typing import Annotated, Literal, TypeVar

import msgspec

from keyturn.model.errors import KeyturnError
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.software import ClientKind
from keyturn.wire.agent import AccountName, ClientName, Generation, Seconds

MAX_FILE = 16 * 1024 * 1024


class Damaged(KeyturnError):
    """A file of the agent's folder cannot be read as what it should be."""


class Installation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where this client belongs. `ca` is the site's certificate authority, PEM; no other is trusted."""

    server: str
    site: str
    name: ClientName
    access_point: str
    ca: str
    contact_s: Seconds
    protocol: LogonProtocol = LogonProtocol.NTLM
    """By which it logs on at a share; an access point over HTTPS has one way alone."""
    kind: ClientKind = ClientKind.ADVANCED
    """A legacy client gets its policy through the access point."""


class Standing(StrEnum):
    """What is known of a password held here.

    Every move is written before the logon that may cause it, so that after a crash the file never knows less than
    the realm: see `credentials.BEFORE_LOGON`.
    """

    FRESH = "fresh"
    """Never presented."""
    PRESENTING = "presenting"
    """Presented, and the answer never came; it may have been a bad attempt."""
    PROVEN = "proven"
    """The realm accepted it."""
    REFUSED = "refused"
    """The realm called it wrong, or two answers in a row never came: see `Credentials.unanswered`."""


class Copy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One generation of an account's password, sealed to this agent as it came. `told`: the site has our answer."""

    account: AccountName
    generation: Generation
    sealed: Annotated[bytes, msgspec.Meta(max_length=64 * 1024)]
    standing: Standing = Standing.FRESH
    answer: Answer | None = None
    told: bool = True
    handed: str = ""
    """Which consumers of this machine have it: see `consumers.handing`."""
    succeeds: tuple[AccountName, ...] = ()
    """The accounts whose place it takes, newest first: what they were handed to, it is."""


class Letters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was written to the access point last: `number` is the next letter's, `complaint` what was said to be
    wrong, `facts` what this machine told of itself."""

    number: int = 0
    discovered_at: float = 0
    complaint: str = ""
    facts: dict[str, tuple[str, ...]] = {}


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`copies` in the order of their adoption. Request numbers up to `reserved` may have been used.

    `orphaned`: at the last contact that got an answer, no account let the client in.
    """

    reserved: Annotated[int, msgspec.Meta(ge=0, le=10**18)]
    copies: tuple[Copy, ...] = ()
    orphaned: bool = False
    letters: Letters = Letters()
    version: Literal[1] = 1


R = TypeVar("R")


def decode(shape: type[R], data: bytes, name: str, hint: str) -> R:
    """Damaged, naming the file and the way out, for everything that is not this shape."""
    if len(data) <= MAX_FILE:
        try:
            return msgspec.json.decode(data, type=shape)
        except (ValueError, RecursionError):
            pass
    raise Damaged(f"the agent's {name} is damaged", hint)


def encode(record: msgspec.Struct) -> bytes:
    return msgspec.json.encode(record)
