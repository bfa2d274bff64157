"""The audit log: shown, verified, and its end written down to be kept elsewhere."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Query

from keyturn.operations import audit_log
from keyturn.operations.parts import Parts
from keyturn.server.rest.security import VIEWER, Site
from keyturn.wire.rest import CheckpointShape, EventShape, VerdictShape

router = APIRouter(prefix="/audit-log", tags=["audit log"])


@dataclass(frozen=True, slots=True)
class Kept:
    """`checkpoints`: their lines, as they were kept."""

    checkpoints: list[str] = field(default_factory=list)


@router.get("", dependencies=[VIEWER])
def show(
    parts: Site,
    since: int = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    actor: str | None = None,
    account: str | None = None,
) -> list[EventShape]:
    """What happened, oldest first, after the event numbered `since`."""
    found = audit_log.shown(_log(parts), since=since, limit=limit, actor=actor, account=account)
    return [EventShape(e.number, e.at, e.actor, e.kind, e.subject, e.detail) for e in found]


@router.get("/checkpoint", dependencies=[VIEWER])
def checkpoint(parts: Site) -> CheckpointShape:
    """The end of the log as one line, to be kept where whoever changes the log does not get."""
    return CheckpointShape(str(audit_log.take_checkpoint(_log(parts))))


@router.post("/verify", dependencies=[VIEWER])
def verify(parts: Site, kept: Kept) -> VerdictShape:
    """The first event that does not fit its place, if there is one. Checkpoints find out that the end was cut off."""
    checkpoints = audit_log.read_checkpoints("\n".join(kept.checkpoints))
    verdict = audit_log.verify(_log(parts), checkpoints)
    fault = verdict.fault
    return VerdictShape(
        fault is None,
        verdict.events,
        verdict.checkpoints,
        fault.number if fault else None,
        fault.wrong if fault else "",
    )


def _log(parts: Parts) -> audit_log.AuditLog:
    return audit_log.AuditLog(parts.settings.site, parts.store)
