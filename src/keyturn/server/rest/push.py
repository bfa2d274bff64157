"""Clients installed and removed by the site server, and the keys by which they install themselves at logon."""

from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.operations.push_asking import Asked, ask, push_accounts, withdraw
from keyturn.operations.push_records import PushRequest, Work
from keyturn.operations.recovery import LASTS_S, issue, revoke
from keyturn.operations.recovery_records import LogonKey
from keyturn.server.rest.security import VIEWER, Operator, Site

router = APIRouter(tags=["push"])


@dataclass(frozen=True, slots=True)
class Wanted:
    """`accounts` as `REALM\\name`, in the order to be tried; none: every one that the site has for it. `host` and
    `port` are of the one machine named."""

    names: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    work: Work = Work.INSTALL
    host: str | None = None
    port: int | None = None
    try_refused: bool = False


@dataclass(frozen=True, slots=True)
class PushAccount:
    account: str
    generation: int | None


@dataclass(frozen=True, slots=True)
class KeyWanted:
    name: str
    lasts_s: float = LASTS_S


@dataclass(frozen=True, slots=True)
class KeyIssued:
    """`key` is shown here and nowhere again."""

    name: str
    key: str = field(repr=False)
    lasts_s: float


@router.post("/push", status_code=202)
def push(parts: Site, person: Operator, wanted: Wanted) -> list[PushRequest]:
    """Have clients installed on machines, or removed from them."""
    asked = Asked(
        names=wanted.names,
        groups=wanted.groups,
        accounts=wanted.accounts,
        address=None if wanted.host is None else (wanted.host, wanted.port),
        work=wanted.work,
        try_refused=wanted.try_refused,
    )
    return ask(parts, asked, by=person.name)


@router.get("/push", dependencies=[VIEWER])
def requests(parts: Site) -> list[PushRequest]:
    """Each machine's last request, by its name."""
    return list(parts.store.push_requests())


@router.get("/push/accounts", dependencies=[VIEWER])
def accounts(parts: Site) -> list[PushAccount]:
    """The accounts that are tried, in their order."""
    return [PushAccount(str(managed.account), managed.generation) for managed in push_accounts(parts)]


@router.delete("/push/{name}", status_code=204)
def give_up(parts: Site, person: Operator, name: str) -> None:
    """Withdraw a machine's request."""
    withdraw(parts, name, by=person.name)


@router.post("/logon-keys", status_code=201)
def issue_key(parts: Site, person: Operator, wanted: KeyWanted) -> KeyIssued:
    """A key that enrols machines of the estate which have no living client."""
    key = issue(parts, wanted.name, lasts_s=wanted.lasts_s, by=person.name)
    return KeyIssued(wanted.name, key.reveal(), wanted.lasts_s)


@router.get("/logon-keys", dependencies=[VIEWER])
def keys(parts: Site) -> list[LogonKey]:
    return list(parts.store.logon_keys())


@router.delete("/logon-keys/{name}", status_code=204)
def revoke_key(parts: Site, person: Operator, name: str) -> None:
    revoke(parts, name, by=person.name)
