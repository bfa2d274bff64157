"""What clients write into the boxes that the site reads itself: status messages and discovery records, as JSON.

Both are small and read strictly. A file says who wrote it; only one that came over HTTPS was signed by that machine.
"""

from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec

from keyturn.site.status_messages import Severity

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
Line = Annotated[str, msgspec.Meta(max_length=2048, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]


FactName = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9-]{0,63}\Z")]
Facts = Annotated[dict[FactName, Annotated[tuple[Name, ...], msgspec.Meta(max_length=16)]], msgspec.Meta(max_length=64)]


class _Letter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`at` is the writer's own clock, in seconds since the epoch."""

    machine: Name
    at: Annotated[float, msgspec.Meta(ge=0, le=2**40)]


class ClientStatus(_Letter, frozen=True, tag="status-message"):
    """`message_id` in 16 bits, as SMS numbers them."""

    component: Name
    message_id: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    severity: Severity
    text: Line
    version: Literal[1] = 1


class DiscoveryRecord(_Letter, frozen=True, tag="discovery-record"):
    """That a client is there. `accounts` are those it holds, as `REALM\\name`; `facts` what it tells of itself, for
    collections."""

    kind: Name
    accounts: Annotated[tuple[Name, ...], msgspec.Meta(max_length=256)] = ()
    facts: Facts = {}
    version: Literal[1] = 1


Letter: TypeAlias = ClientStatus | DiscoveryRecord
L = TypeVar("L", ClientStatus, DiscoveryRecord)


def write_letter(letter: Letter) -> bytes:
    return msgspec.json.encode(letter)


def read_status(content: bytes) -> ClientStatus | None:
    """None for what is of another form."""
    return _read(content, ClientStatus)


def read_discovery(content: bytes) -> DiscoveryRecord | None:
    return _read(content, DiscoveryRecord)


def _read(content: bytes, shape: type[L]) -> L | None:
    try:
        return msgspec.json.decode(content, type=shape)
    except (ValueError, RecursionError):
        return None
