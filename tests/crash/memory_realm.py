"""A realm in memory, small and quick to copy. Passwords replicate late, everything else at once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from keyturn.lifecycle.ports import AccountState, ReplicaState, Rights
from keyturn.lockout.policy import Standing, judge
from keyturn.model.accounts import Account, AccountToBe, RealmName, canonical
from keyturn.model.errors import AuthorityError, NotFound
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.operations.access import Logon

OURSELVES = "keyturn"


@dataclass(frozen=True, slots=True)
class Change:
    """One password of an account. How many changes a replica shows is its version."""

    at: float
    secret: Secret


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    changes: tuple[Change, ...]
    rights: Rights = Rights()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Tally:
    """What one replica keeps of an account for itself."""

    bad_count: int = 0
    last_bad_at: float | None = None
    locked_at: float | None = None
    last_logon_at: float | None = None


_UNTRIED = Tally()


@dataclass(frozen=True, slots=True)
class Tried:
    """A logon as the realm's log has it. `locking`: it is the one that locked the account."""

    at: float
    name: str
    source: str
    answer: Answer
    locking: bool


@dataclass
class MemoryRealm:
    """An `Authority`, and an `AccessRealm` for machines. Other replicas show a password `lag_s` after it was set."""

    name: RealmName
    policy: RealmPolicy
    replicas: tuple[str, ...]
    lag_s: float
    now: Callable[[], float] = field(compare=False)
    entries: dict[str, Entry] = field(default_factory=dict)
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    log: list[Tried] = field(default_factory=list)
    next_sid: int = 1

    def copy(self, now: Callable[[], float]) -> "MemoryRealm":
        return replace(self, now=now, entries=dict(self.entries), tallies=dict(self.tallies), log=list(self.log))

    def find(self, name: str) -> Account | None:
        wanted = canonical(name)
        for sid, entry in self.entries.items():
            if canonical(entry.name) == wanted:
                return Account(self.name, sid, entry.name)
        return None

    def describe(self, account: Account) -> AccountState:
        entry = self._entry(account)
        replicas = tuple(self._replica_state(account.sid, entry, replica) for replica in self.replicas)
        return AccountState(Account(self.name, account.sid, entry.name), entry.enabled, self.policy, replicas)

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        if self.find(account.name):
            raise AuthorityError(f"{account} exists already", permanent=True)
        self._refuse_unfit(secret)
        groups = self._entry(like).rights.groups if like else frozenset()
        made = Account(self.name, f"S-1-5-21-{self.next_sid}", account.name)
        self.next_sid += 1
        self.entries[made.sid] = Entry(account.name, (Change(self.now(), secret),), Rights(groups))
        return made

    def set_password(self, account: Account, secret: Secret) -> None:
        entry = self._entry(account)
        self._refuse_unfit(secret)
        self.entries[account.sid] = replace(entry, changes=(*entry.changes, Change(self.now(), secret)))

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        self._entry(account)
        return self._judge(account.sid, secret, protocol, replica or self.replicas[0], OURSELVES)

    def logon(
        self, name: str, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None, source: str
    ) -> Logon:
        account = self.find(name)
        if account is None:
            return Logon(Answer.UNKNOWN_ACCOUNT)
        answer = self._judge(account.sid, secret, protocol, replica or self.replicas[0], source)
        return Logon(answer, current=secret == self.live_password(account))

    def unlock(self, account: Account) -> None:
        self._entry(account)
        for replica in self.replicas:
            tally = self._tally(account.sid, replica)
            self.tallies[account.sid, replica] = replace(tally, bad_count=0, locked_at=None)

    def disable(self, account: Account) -> None:
        self.entries[account.sid] = replace(self._entry(account), enabled=False)

    def enable(self, account: Account) -> None:
        self.entries[account.sid] = replace(self._entry(account), enabled=True)

    def delete(self, account: Account) -> None:
        self.entries.pop(account.sid, None)

    def rights(self, account: Account) -> Rights:
        return self._entry(account).rights

    def grant(self, account: Account, rights: Rights) -> None:
        entry = self._entry(account)
        wider = Rights(entry.rights.groups | rights.groups, entry.rights.grants | rights.grants)
        self.entries[account.sid] = replace(entry, rights=wider)

    def live_password(self, account: Account) -> Secret:
        """What no real realm tells: for the examiner alone."""
        return self._entry(account).changes[-1].secret

    def _judge(self, sid: str, secret: Secret, protocol: LogonProtocol, replica: str, source: str) -> Answer:
        entry, tally, now = self.entries[sid], self._tally(sid, replica), self.now()
        shown = self._shown(entry, replica)
        known = [change.secret for change in reversed(shown)][: max(1, self.policy.history)]
        behind = next((age for age, one in enumerate(known) if one == secret), None)
        before = Standing(
            tally.bad_count,
            tally.last_bad_at,
            tally.locked_at,
            password_set_at=shown[-1].at if shown else 0,
            disabled=not entry.enabled,
        )
        answer, after = judge(before, behind, protocol, self.policy, now)
        admitted = now if answer is Answer.ACCEPTED else tally.last_logon_at
        self.tallies[sid, replica] = Tally(after.bad_count, after.last_bad_at, after.locked_at, admitted)
        locking = after.locked_at is not None and after.locked_at != before.locked_at
        self.log.append(Tried(now, entry.name, source, answer, locking))
        return answer

    def _replica_state(self, sid: str, entry: Entry, replica: str) -> ReplicaState:
        shown, tally = self._shown(entry, replica), self._tally(sid, replica)
        return ReplicaState(
            replica=replica,
            version=len(shown),
            password_set_at=shown[-1].at if shown else 0,
            bad_count=tally.bad_count,
            last_bad_at=tally.last_bad_at,
            locked=Standing(locked_at=tally.locked_at).locked(self.policy, self.now()),
            last_logon_at=tally.last_logon_at,
        )

    def _shown(self, entry: Entry, replica: str) -> tuple[Change, ...]:
        if replica == self.replicas[0]:
            return entry.changes
        return tuple(change for change in entry.changes if change.at + self.lag_s <= self.now())

    def _refuse_unfit(self, secret: Secret) -> None:
        if len(secret.reveal()) < self.policy.min_length:
            raise AuthorityError("this password is too short", permanent=True)

    def _tally(self, sid: str, replica: str) -> Tally:
        return self.tallies.get((sid, replica), _UNTRIED)

    def _entry(self, account: Account) -> Entry:
        if account.sid not in self.entries:
            raise NotFound(f"no account {account} with the identity {account.sid}")
        return self.entries[account.sid]
