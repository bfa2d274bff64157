"""Client push: the site server installs the agent on machines, or removes it, with a Client Push Installation account.

A request is kept until the agent was heard (facts of SMS: `ccr.box`, then `ccrretry.box` until the client is seen). An
account is tried once; a password that a machine refused is presented nowhere again, unless another machine has let it
in since: then only there it is not.
"""

from collections.abc import Sequence
from dataclasses import replace

from keyturn.lifecycle.budgeted import room_for_one
from keyturn.model.accounts import Account, Credential, same_name
from keyturn.model.errors import AuthorityError, BudgetExhausted, NotFound
from keyturn.model.estate import ManagedAccount
from keyturn.model.logon import Answer
from keyturn.operations.clients import invite
from keyturn.operations.parts import Parts
from keyturn.operations.push_asking import push_accounts
from keyturn.operations.push_records import (
    Done,
    Hindered,
    NotLetIn,
    Pushed,
    Pusher,
    PushLogon,
    PushRequest,
    PushState,
    Target,
    Work,
)
from keyturn.operations.status_messages import report
from keyturn.site.components import ComponentName
from keyturn.site.status_messages import MessageId

BY, COMPONENT = "client push", ComponentName.CLIENT_CONFIG_MANAGER
FIRST_PAUSE_S, LONGEST_PAUSE_S = 60.0, 3600.0
"""Doubled after every try that failed."""
GIVE_UP_S = 7 * 24 * 3600.0
"""As long as SMS 2003 goes on: every hour for a week."""
CLAIM_S = 6 * 60.0
"""Longer than a try takes: afterwards another worker may take the request, for this one has died."""
HEARD_WITHIN_S = 5 * 60.0
"""A started agent contacts its site at once. One that was not heard by then is installed again."""
_ASK_AGAIN = {
    Work.INSTALL: "keyturn client push",
    Work.REMOVE: "keyturn client remove; for a machine that is gone for good: keyturn client forget",
}
LOOK_S = 2.0
IDLE_S = 30.0


def push_due(parts: Parts) -> float:
    """Try the request that has been due for longest. Seconds until the next one is."""
    if parts.pusher is None:
        return IDLE_S
    due = sorted((r for r in parts.store.push_requests() if r.state.open), key=lambda request: request.next_at)
    if due and due[0].next_at <= parts.now():
        try_now(parts, parts.pusher, due[0])
        return 0.0
    return max(0.0, due[0].next_at - parts.now()) if due else IDLE_S


def try_now(parts: Parts, pusher: Pusher, request: PushRequest) -> None:
    """One try, or one look whether the agent has come. Does nothing where another worker has the request."""
    if not parts.store.claim_push(request, parts.now() + CLAIM_S):
        return
    started = request.state is PushState.INSTALLED
    found = _looked_for(parts, request) if started else _tried(parts, pusher, request)
    with parts.store.whole():
        if parts.store.settle_push(found):
            _tell(parts, found, request.tries)


def _tell(parts: Parts, found: PushRequest, tries_before: int) -> None:
    if found.state in (PushState.DONE, PushState.FAILED):
        parts.store.tell(BY, f"client-{found.work}-{found.state}", found.name, found.note)
    if found.state is PushState.DONE and found.work is Work.REMOVE:
        parts.store.forget_client(found.name)
        report(parts, COMPONENT, MessageId.CLIENT_REMOVED, client=found.name)
    elif found.state is PushState.DONE:
        report(parts, COMPONENT, MessageId.CLIENT_INSTALLED, client=found.name)
    elif found.state is PushState.FAILED:
        report(parts, COMPONENT, MessageId.PUSH_FAILED, client=found.name, work=found.work, reason=found.note)
    elif found.state is PushState.WAITING and found.tries > tries_before:
        said = {"tries": found.tries, "work": found.work, "reason": found.note}
        report(parts, COMPONENT, MessageId.PUSH_LATER, client=found.name, **said)


def _looked_for(parts: Parts, request: PushRequest) -> PushRequest:
    """Whether the agent has used the keys that it enrolled with."""
    started = request.installed_at or 0.0
    try:
        client = parts.store.client(request.name)
    except NotFound:
        return _later(parts, request, "it was installed, and is not enrolled any more")
    if client.last_contact_at is not None and client.last_contact_at >= max(started, client.enrolled_at):
        return replace(request, state=PushState.DONE, note=f"heard from; {request.note}".rstrip("; "))
    if parts.now() - started > HEARD_WITHIN_S:
        return _later(parts, request, f"its agent was started, and not heard within {HEARD_WITHIN_S / 60:.0f} min")
    return replace(request, next_at=parts.now() + LOOK_S)


def _tried(parts: Parts, pusher: Pusher, request: PushRequest) -> PushRequest:
    """Each account in turn, until one is let in."""
    reasons, soonest = [], None
    for managed in push_accounts(parts, request.accounts):
        try:
            pushed = _by_account(parts, pusher, request, managed)
        except BudgetExhausted as error:
            reasons.append(error.message)
            soonest = min(error.retry_s, soonest or error.retry_s)
            continue
        except AuthorityError as error:
            reasons.append(error.message)
            soonest = min(FIRST_PAUSE_S, soonest or FIRST_PAUSE_S)
            continue
        match pushed:
            case Done(note) if request.work is Work.REMOVE:
                return replace(request, state=PushState.DONE, tries=request.tries + 1, note=note)
            case Done(note):
                return _installed(parts, request, note)
            case Hindered(message, permanent, hint):
                return _failed(request, message, hint) if permanent else _later(parts, request, message)
            case str():
                reasons.append(pushed)
            case NotLetIn():
                reasons.append(f"{managed.account} was not let in")
    why = "; ".join(reasons) or "no account is there for it"
    if soonest is not None:
        return _later(parts, request, why, at_least_s=soonest)
    return _failed(request, why, "put the password or the machine right, then keyturn client push --try-refused")


def _by_account(parts: Parts, pusher: Pusher, request: PushRequest, managed: ManagedAccount) -> Pushed | str:
    """A text says why the account is not even tried."""
    account = managed.account
    if not isinstance(account, Account) or managed.generation is None or not managed.usable:
        return f"{account} has no password here"
    if parts.store.changing(account):
        raise BudgetExhausted(f"{account} is being changed", retry_s=FIRST_PAUSE_S)
    credential = Credential(account, managed.generation)
    if _known_wrong(parts.store.push_logons(account), credential, request.name):
        return f"{credential} was refused before"
    ledger = _Spending(parts, request.name, credential)
    target = Target(request.name, request.host, request.port)
    password = parts.store.secret(credential)
    if request.work is Work.REMOVE:
        return pusher.remove(target, account.name, password, ledger)
    return pusher.install(
        target, account.name, password, ledger, lambda: invite(parts, request.name, by=request.asked_by)
    )


class _Spending:
    """A `Ledger` over the attempts of the store: written down before the password goes out."""

    def __init__(self, parts: Parts, machine: str, credential: Credential) -> None:
        self._parts = parts
        self._machine = machine
        self._credential = credential
        self._number: int | None = None

    def begin(self) -> None:
        account, now = self._credential.account, self._parts.now()
        assert isinstance(account, Account)
        target = room_for_one(self._parts.authorities(account.realm), self._parts.store, account, now)
        self._number = self._parts.store.begin(account, target.replica, now, target.last_bad_at)

    def end(self, answer: Answer) -> None:
        assert self._number is not None
        self._parts.store.end(self._number, answer)
        self._parts.store.note_push_logon(PushLogon(self._machine, self._credential, answer, self._parts.now()))


def _known_wrong(logons: Sequence[PushLogon], credential: Credential, machine: str) -> bool:
    mine = [logon for logon in logons if logon.credential.generation == credential.generation]
    refused = [logon for logon in mine if logon.answer is not Answer.ACCEPTED]
    if any(same_name(logon.machine, machine) for logon in refused):
        return True
    return bool(refused) and not any(logon.answer is Answer.ACCEPTED for logon in mine)


def _installed(parts: Parts, request: PushRequest, note: str) -> PushRequest:
    now = parts.now()
    return replace(
        request,
        state=PushState.INSTALLED,
        tries=request.tries + 1,
        installed_at=now,
        next_at=now + LOOK_S,
        note=note,
        hint="",
    )


def _failed(request: PushRequest, note: str, hint: str) -> PushRequest:
    return replace(request, state=PushState.FAILED, tries=request.tries + 1, note=note, hint=hint)


def _later(parts: Parts, request: PushRequest, note: str, *, at_least_s: float = 0) -> PushRequest:
    if parts.now() - request.asked_at > GIVE_UP_S:
        return _failed(request, f"given up after {GIVE_UP_S / 86400:.0f} days: {note}", _ASK_AGAIN[request.work])
    pause = max(at_least_s, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(request.tries, 16)))
    return replace(
        request, state=PushState.WAITING, tries=request.tries + 1, next_at=parts.now() + pause, note=note, hint=""
    )
