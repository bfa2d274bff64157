"""Envelopes: handed to custodians, who open them with their own keys on their own machine."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from keyturn.server.rest.security import CUSTODIAN, Site

router = APIRouter(prefix="/envelopes", tags=["envelopes"])


@dataclass(frozen=True, slots=True)
class Wanted:
    """Without a generation, the live one."""

    account: str
    generation: int | None = None


@router.post("/take", dependencies=[CUSTODIAN], response_class=Response)
def take(parts: Site, wanted: Wanted) -> Response:
    """A sealed envelope; it stays sealed."""
    account = parts.store.estate().managed(wanted.account).account
    _, sealed = parts.store.envelope(account, wanted.generation)
    return Response(sealed, media_type="text/plain")
