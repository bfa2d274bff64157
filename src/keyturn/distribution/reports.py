"""What a client tells of an advertisement, as the JSON file it leaves at the access point or the management point."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(max_length=255, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]
Line = Annotated[str, msgspec.Meta(max_length=2048, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]


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
    number: Annotated[int, msgspec.Meta(ge=1)]
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
    version: Literal[1] = 1
