"""The lockout budget around an authority: every trial logon is written down before it is spent."""

from collections.abc import Callable
from typing import Protocol

from keyturn.lifecycle.ports import AccountState, Authority, ReplicaState, Rights
from keyturn.lockout.budget import Attempt, Wait, may_attempt
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import BudgetExhausted
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret


class Attempts(Protocol):
    """The ledger of logons spent, durable when a call returns."""

    def recent(self, account: Account, since: float) -> tuple[Attempt, ...]: ...

    def begin(self, account: Account, replica: str, at: float, last_bad_before: float | None) -> int: ...

    def end(self, number: int, answer: Answer) -> None: ...


class Budgeted:
    """An `Authority` whose `try_logon` raises BudgetExhausted instead of endangering the account."""

    def __init__(self, authority: Authority, attempts: Attempts, now: Callable[[], float]) -> None:
        self._authority = authority
        self._attempts = attempts
        self._now = now

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        now = self._now()
        target = room_for_one(self._authority, self._attempts, account, now, replica)
        number = self._attempts.begin(account, target.replica, now, target.last_bad_at)
        answer = self._authority.try_logon(account, secret, protocol=protocol, replica=target.replica)
        self._attempts.end(number, answer)
        return answer

    def find(self, name: str) -> Account | None:
        return self._authority.find(name)

    def describe(self, account: Account) -> AccountState:
        return self._authority.describe(account)

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        return self._authority.create(account, secret, like)

    def set_password(self, account: Account, secret: Secret) -> None:
        self._authority.set_password(account, secret)

    def unlock(self, account: Account) -> None:
        self._authority.unlock(account)

    def disable(self, account: Account) -> None:
        self._authority.disable(account)

    def enable(self, account: Account) -> None:
        self._authority.enable(account)

    def delete(self, account: Account) -> None:
        self._authority.delete(account)

    def rights(self, account: Account) -> Rights:
        return self._authority.rights(account)

    def grant(self, account: Account, rights: Rights) -> None:
        self._authority.grant(account, rights)


def room_for_one(
    authority: Authority, attempts: Attempts, account: Account, now: float, replica: str | None = None
) -> ReplicaState:
    """The replica as it stands before one more logon; the pinned one unless said. BudgetExhausted where that logon
    could help to lock the account. Also for whoever logs on elsewhere than through the authority: they write the
    attempt down as `Budgeted` does."""
    state = authority.describe(account)
    worst = max(state.replicas, key=lambda r: r.bad_count)
    ours = _settled(attempts, account, state, now)
    verdict = may_attempt(ours, worst.bad_count, worst.last_bad_at, state.policy, now)
    if isinstance(verdict, Wait):
        raise BudgetExhausted(f"no logon of {account} now: {verdict.reason}", retry_s=verdict.retry_s)
    return state.at(replica) if replica else state.pinned


def _settled(attempts: Attempts, account: Account, state: AccountState, now: float) -> list[Attempt]:
    """Our recent attempts, without those of unknown end that the replica's own record shows were not bad."""
    recent = attempts.recent(account, now - state.policy.lockout_window_s)
    return [attempt for attempt in recent if attempt.answer is not None or not _was_harmless(attempt, state)]


def _was_harmless(attempt: Attempt, state: AccountState) -> bool:
    replica = state.at(attempt.replica)
    return replica.tells_bad and replica.last_bad_at == attempt.last_bad_before
