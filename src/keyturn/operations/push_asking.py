"""What people ask of client push: machines to install the client on or to remove it from, and with which accounts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keyturn.model.accounts import Account, same_name
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import Estate, ManagedAccount
from keyturn.operations.parts import Parts
from keyturn.operations.push_records import PushRequest, PushState, Work
from keyturn.operations.secondary import refuse_at_secondary

ROLE = "client-push-installation"


@dataclass(frozen=True, slots=True)
class Asked:
    """`groups` are of the estate; `accounts` as `REALM\\name`; `address` `HOST[:PORT]` of the one machine named."""

    names: Sequence[str] = ()
    groups: Sequence[str] = ()
    accounts: Sequence[str] = ()
    address: tuple[str, int | None] | None = None
    work: Work = Work.INSTALL
    try_refused: bool = False
    """A person has looked: what these machines refused before may be presented to them once more."""


def ask(parts: Parts, asked: Asked, *, by: str) -> list[PushRequest]:
    """Keep a request for each machine. Refused where nothing could come of it."""
    if parts.pusher is None:
        raise Refused("this server installs no clients")
    refuse_at_secondary(parts, "Client Push Installation account", "keyturn client push")
    machines = _machines(parts.store.estate(), asked)
    if asked.address and len(machines) != 1:
        raise Refused("an address is that of one machine", hint="name one machine with it")
    for name in asked.accounts:
        parts.store.named(name)
    _refuse_without_account(push_accounts(parts, asked.accounts))
    requests = [_request(parts, asked, name, by) for name in machines]
    with parts.store.whole():
        for request in requests:
            parts.store.request_push(request)
            parts.store.tell(by, f"client-{request.work}-asked", request.name)
            if asked.try_refused:
                parts.store.forget_push_refusals(request.name)
    parts.wake()
    return requests


def withdraw(parts: Parts, name: str, *, by: str) -> None:
    request = parts.store.push_request(name)
    if not request.state.open:
        raise Refused(f"nothing is under way for {name}", hint="keyturn client requests")
    with parts.store.whole():
        parts.store.request_push(replace(request, state=PushState.WITHDRAWN, note=f"withdrawn by {by}"))
        parts.store.tell(by, f"client-{request.work}-withdrawn", request.name)


def push_accounts(parts: Parts, only: Sequence[str] = ()) -> list[ManagedAccount]:
    """In the order in which they are tried: as they were named, or the one that the site names for repairs first."""
    estate = parts.store.estate()
    if only:
        return [estate.managed(name) for name in only]
    site = next((site for site in estate.sites if same_name(site.code, parts.settings.site)), None)
    first = site.recovery_account if site else None
    mine = [
        managed
        for managed in estate.accounts
        if managed.role.endswith(f"/{ROLE}")
        and (not managed.sites or any(same_name(code, parts.settings.site) for code in managed.sites))
    ]
    return sorted(mine, key=lambda managed: first is None or managed != estate.managed(first))


def _machines(estate: Estate, asked: Asked) -> list[str]:
    known = {holder.name: holder.name for holder in estate.all_clients()}
    groups = {group.name: group for group in estate.groups}
    names = list(asked.names)
    for group in asked.groups:
        if group not in groups:
            raise NotFound(f"no client group {group} in the estate", hint="keyturn estate show")
        names += [member.name for member in groups[group].members()]
    for name in names:
        if name not in known:
            raise NotFound(f"no client {name} in the estate", hint="keyturn estate show")
    if not names:
        raise Refused("no machine is named", hint="name machines, or a group")
    return list(dict.fromkeys(names))


def _refuse_without_account(accounts: Sequence[ManagedAccount]) -> None:
    if any(isinstance(managed.account, Account) and managed.generation is not None for managed in accounts):
        return
    raise Refused(
        "no Client Push Installation account has a password here",
        hint=f"an account with the role {ROLE} in the estate file, then keyturn account adopt",
    )


def _request(parts: Parts, asked: Asked, name: str, by: str) -> PushRequest:
    """At the address where the machine was reached last, unless it is named."""
    before = next((request for request in parts.store.push_requests() if request.name == name), None)
    host, port = asked.address or ((before.host, before.port) if before else (name, None))
    now = parts.now()
    return PushRequest(name, asked.work, host, port, tuple(asked.accounts), by, asked_at=now, next_at=now)
