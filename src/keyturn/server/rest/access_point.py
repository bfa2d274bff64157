"""The files of the client access point, for one that is a share."""

from dataclasses import dataclass

from fastapi import APIRouter

from keyturn.server import access_point
from keyturn.server.rest.security import Operator, Site

router = APIRouter(prefix="/access-point", tags=["access point"])


@dataclass(frozen=True, slots=True)
class AccessFile:
    name: str
    content: str
    box: str


@router.get("/files")
def access_files(parts: Site, _: Operator) -> list[AccessFile]:
    """What the access point serves to clients; the credentials in it are sealed to each client's own key."""
    return [AccessFile(file.name, file.content().decode(), file.box) for file in access_point.access_files(parts)]
