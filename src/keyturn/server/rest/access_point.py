"""The files of the client access point, for one that is a share."""

from dataclasses import dataclass

from fastapi import APIRouter

from keyturn.server.access_point import files
from keyturn.server.rest.security import Operator, Site

router = APIRouter(prefix="/access-point", tags=["access point"])


@dataclass(frozen=True, slots=True)
class AccessFile:
    name: str
    content: str


@router.get("/files")
def access_files(parts: Site, _: Operator) -> list[AccessFile]:
    """What the access point serves to clients; the credentials in it are sealed to each client's own key."""
    return [AccessFile(name, content.decode()) for name, content in files(parts)]
