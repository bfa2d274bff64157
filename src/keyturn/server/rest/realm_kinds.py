"""The kinds of realm an estate may name."""

from fastapi import APIRouter

from keyturn.server.rest.security import VIEWER, Site
from keyturn.wire.rest import RealmKindShape

router = APIRouter(prefix="/realm-kinds", tags=["realms"])


@router.get("", dependencies=[VIEWER])
def all_kinds(parts: Site) -> list[RealmKindShape]:
    """Who brings each kind of realm, and why this site cannot open one of it; empty where it can."""
    return [RealmKindShape(k.kind, k.package, k.version, k.trouble) for k in parts.realm_kinds()]
