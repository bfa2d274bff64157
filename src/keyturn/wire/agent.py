"""What agent and site say to each other, version 1: the routes, the bodies, the answers.

Every request is signed (`wire.signing`), those to the access point too, so that the site can tell which machine
logged on. Bodies are JSON, exactly these fields; `read` refuses everything else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Protocol, TypeAlias, TypeVar
from urllib.parse import quote

import msgspec

from keyturn.model.errors import KeyturnError
from keyturn.model.estate import SHARE_NAME
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret
from keyturn.model.software import ClientKind
from keyturn.wire.signing import CLIENT_NAME

ENROL = "/agent/v1/enrol"
"""POST Enrol, answered by Enrolled; signed with the key being enrolled."""
CHECK_IN = "/agent/v1/check-in"
"""POST CheckIn, answered by Directions."""
ASSURE = "/agent/v1/assure"
"""POST CheckIn, answered by Directions of Use and Wait alone: may what is held be presented now? Use where the site has
just seen in the realm that the password is still the one it gave out. Nothing changes by it, here or there."""
AUTHORITY = "/agent/v1/authority"
"""GET the site's certificate authority as PEM, unsigned: for whoever knows its fingerprint already."""
ANSWER_HEADER = "keyturn-answer"
"""What the realm said to the logon, on every answer of the access point. Without it the password was not looked at."""

MAX_REQUEST = 64 * 1024
MAX_ANSWER = 4 * 1024 * 1024
"""Bytes; longer bodies are refused unread."""


FOLDER = "clidata.box"
"""Of the access point, in which the files for clients are."""


def proof_path(client: str, account: str) -> str:
    """PUT Proof. Backslash and whatever else is in an account's name are percent-encoded."""
    return f"/agent/v1/clients/{quote(client, safe='')}/credentials/{quote(account, safe='')}"


def share_path(access_point: str, name: str, box: str = FOLDER) -> str:
    """GET a file of the access point, with HTTP Basic `REALM\\name:password`."""
    return f"{access_point.rstrip('/')}/{quote(box, safe='')}/{quote(name, safe='')}"


def box_path(access_point: str, box: str, name: str) -> str:
    """POST a file into a box of the access point, with HTTP Basic. `name` is the client's own choice: the same name
    again is the same file. 201 for a new one, 200 for one that is there."""
    return f"{access_point.rstrip('/')}/{quote(box, safe='')}/{quote(name, safe='')}"


SITE_FILE = "site.json"


def accounts_file(client: str) -> str:
    """Holds Directions, of Adopt and Drop only: how an agent that does not check in learns of new credentials."""
    return f"{client}.acc"


class BadMessage(KeyturnError):
    """A body that is not of the shape expected. It is never echoed."""


class NoAnswer(KeyturnError):
    """Nothing that could be understood came back, so what became of the request is unknown."""


AccountName = Annotated[str, msgspec.Meta(max_length=320, pattern=r"\A[^\\:\x00-\x1f\x7f]+\\[^\\:\x00-\x1f\x7f]+\Z")]
"""`REALM\\name`. A colon would end the name in HTTP Basic."""
AccessPoint = Annotated[str, msgspec.Meta(pattern=rf"\A(/[A-Za-z0-9._~/-]{{0,255}}|{SHARE_NAME})\Z")]
"""A path of the site's own server, or a share as `\\\\host\\share`."""
ClientName = Annotated[str, msgspec.Meta(pattern=rf"\A{CLIENT_NAME}\Z")]
Generation = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Recipient = Annotated[str, msgspec.Meta(pattern=r"\Aage1[02-9ac-hj-np-z]{58}\Z")]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=366 * 24 * 3600)]
Text = Annotated[str, msgspec.Meta(max_length=1024)]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Enrol(Message, frozen=True):
    token: Secret
    name: ClientName
    verify_key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    recipient: Recipient


class Enrolled(Message, frozen=True):
    site: Text
    name: ClientName
    access_point: AccessPoint
    contact_s: Seconds
    server_time: float
    protocol: LogonProtocol = LogonProtocol.NTLM
    """By which this client logs on at a share."""
    kind: ClientKind = ClientKind.ADVANCED


class Held(Message, frozen=True):
    account: AccountName
    generation: Generation


class CheckIn(Message, frozen=True):
    """Is what I hold current? Asked with the agent's own key, before any password is presented."""

    holds: Annotated[tuple[Held, ...], msgspec.Meta(max_length=256)]
    version: Annotated[str, msgspec.Meta(max_length=64)]


class Use(Message, frozen=True, tag="use", tag_field="do"):
    """The generation held is current: present it."""

    account: AccountName
    generation: Generation


class Adopt(Message, frozen=True, tag="adopt", tag_field="do"):
    """`sealed` opens with the agent's identity (`wire.sealed`). `anew`: it was refused here before, and a person has
    looked since. `succeeds`: the accounts whose place this one takes, newest first."""

    account: AccountName
    generation: Generation
    sealed: Annotated[bytes, msgspec.Meta(max_length=64 * 1024)]
    anew: bool = False
    succeeds: tuple[AccountName, ...] = ()


class Wait(Message, frozen=True, tag="wait", tag_field="do"):
    """Do not present this account now; ask again after `retry_s`."""

    account: AccountName
    retry_s: Seconds
    reason: Text


class Drop(Message, frozen=True, tag="drop", tag_field="do"):
    """The account was withdrawn: forget it."""

    account: AccountName


Direction: TypeAlias = Use | Adopt | Wait | Drop


class Directions(Message, frozen=True):
    """At most one direction an account. An account that is not named is not to be presented."""

    directions: Annotated[tuple[Direction, ...], msgspec.Meta(max_length=256)]
    contact_s: Seconds
    server_time: float


class Proof(Message, frozen=True):
    """What the realm said when the agent presented this generation."""

    generation: Generation
    answer: Answer


M = TypeVar("M")


def read(shape: type[M], body: bytes, *, limit: int = MAX_ANSWER) -> M:
    """BadMessage for everything that is not exactly this shape, or longer than `limit` bytes."""
    if len(body) > limit:
        raise BadMessage(f"longer than {limit} bytes")
    try:
        return msgspec.json.decode(body, type=shape, dec_hook=_revive)
    except (ValueError, RecursionError):
        raise BadMessage(f"not a valid {shape.__name__}") from None


def write(message: msgspec.Struct) -> bytes:
    return msgspec.json.encode(message, enc_hook=_reveal)


def _reveal(value: object) -> str:
    """A token goes out in the one body that carries it; any other encoder refuses a Secret."""
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} does not travel")


def _revive(shape: type, value: object) -> object:
    if shape is Secret and isinstance(value, str) and len(value) <= 256:
        return Secret(value)
    raise ValueError("not of this shape")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


class Flow(Protocol):
    """An answer whose body is still on its way."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""

    def pieces(self) -> Iterator[bytes]:
        """NoAnswer when it ends before it is whole: what came before is good as far as it goes."""

    def close(self) -> None:
        """What has not come yet does not come any more."""


Headers: TypeAlias = Mapping[str, str | Secret]
"""Names in lower case. A value that is secret stays one until it is written to the connection."""


def in_clear(headers: Headers) -> dict[str, str]:
    """For the call that writes them, and not to be kept in a variable: a traceback shows variables."""
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in headers.items()}


class Send(Protocol):
    def __call__(
        self, method: str, path: str, message: msgspec.Struct | None = None, headers: Headers | None = None
    ) -> Reply:
        """One signed request to the agent's site. NoAnswer when nothing came back. Not repeated."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file read from the access point: what the logon came to, and the content where it was accepted and there is
    such a file."""

    answer: Answer
    content: bytes | None = field(default=None, repr=False)
