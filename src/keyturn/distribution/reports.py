"""What a client tells of an advertisement, as the JSON file it leaves at the access point or the management point."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(max_length=255, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]
Line = Annotated[str, msgspec.Meta(max_length=2048, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]


PURPOSE = b"keyturn report 1\n"


class AdvertisementState(StrEnum):
    RECEIVED = "received"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """It was started, and nobody knows how it ended. It is not repeated by itself."""
    CANCELLED = "cancelled"
    """It is not offered any more."""


class AccessLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    unc: Line
    identity: Name
    order: Annotated[int, msgspec.Meta(ge=1, le=100)]
    answer: Name
    status: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
    seconds: float


class AdvertisementReport(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="advertisement-report"
):
    """`at` by the client's own clock; `number` rises with each report of a client, so that an old one that arrives late
    changes nothing. `message_id` as SMS numbers it: 10002 received, 10003 not prepared, 10005 started, 10006 failed,
    10008 succeeded."""

    machine: Name
    at: Annotated[float, msgspec.Meta(ge=0, le=2**40)]
    number: Annotated[int, msgspec.Meta(ge=1, le=2**62)]
    advertisement: Name
    package: Name
    program: Name
    state: AdvertisementState
    message_id: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)] = 0
    reason: Line = ""
    cause: Name = ""
    """A slug of `distribution.causes`, where it failed."""
    exit_code: int | None = None
    executed_as: Name = ""
    login: Name = ""
    user: Name = ""
    """For whom it ran, where it runs once for every user."""
    run: Name = ""
    accesses: Annotated[tuple[AccessLine, ...], msgspec.Meta(max_length=50)] = ()
    signature: Annotated[bytes, msgspec.Meta(max_length=64)] = b""
    """Ed25519 with the client's own key over PURPOSE and the report without this. Needed where the letter goes over a
    share, into which any client may write."""
    version: Literal[1] = 1


def signed_report(report: AdvertisementReport, sign: Callable[[bytes], bytes]) -> AdvertisementReport:
    return msgspec.structs.replace(report, signature=sign(what_is_signed(report)))


def what_is_signed(report: AdvertisementReport) -> bytes:
    return PURPOSE + msgspec.json.encode(msgspec.structs.replace(report, signature=b""))


def read_report(content: bytes) -> AdvertisementReport | None:
    """None for what is of another form."""
    try:
        return msgspec.json.decode(content, type=AdvertisementReport)
    except (ValueError, RecursionError):
        return None
