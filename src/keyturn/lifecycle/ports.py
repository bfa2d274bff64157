"""What carrying out a plan needs from outside: realms, sealed generations, and who holds what.

Every verb is safe to repeat: after a crash the same call is made again. Moments are seconds since the epoch.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from keyturn.model.accounts import Account, AccountToBe, AnyAccount, Credential, RealmName
from keyturn.model.estate import AccountLife, SiteCode
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """What one replica knows of an account. Counts are its own: they are never replicated.

    `version` is the realm's own mark of the password. `counted`: one more after every set (`msDS-KeyVersionNumber`);
    else only another one than before. `tells_bad`: the realm says when the last bad attempt was.
    """

    replica: str
    version: int
    password_set_at: float
    bad_count: int = 0
    last_bad_at: float | None = None
    locked: bool = False
    last_logon_at: float | None = None
    counted: bool = True
    tells_bad: bool = True


@dataclass(frozen=True, slots=True)
class AccountState:
    """`replicas` starts with the one on which changes are made."""

    account: Account
    enabled: bool
    policy: RealmPolicy
    replicas: tuple[ReplicaState, ...]

    @property
    def pinned(self) -> ReplicaState:
        return self.replicas[0]

    @property
    def locked(self) -> bool:
        return any(replica.locked for replica in self.replicas)

    def at(self, name: str) -> ReplicaState:
        return next(replica for replica in self.replicas if replica.replica == name)


@dataclass(frozen=True, slots=True)
class Rights:
    """What an account may do, as comparable names: groups, grants, service principal names."""

    groups: frozenset[str] = frozenset()
    grants: frozenset[str] = frozenset()


class Authority(Protocol):
    """The port to a realm. `NotFound` for an account it does not have; `AuthorityError` when it cannot answer.

    An AuthorityError of `create` or `set_password` says nothing about whether the change landed: the caller
    finds out by `find` and `describe`.
    """

    def find(self, name: str) -> Account | None:
        """The identity that bears this name now, compared as the realm compares names."""

    def describe(self, account: Account) -> AccountState: ...

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        """Make the account, enabled, in the groups of `like`. An existing name is an AuthorityError, permanent."""

    def set_password(self, account: Account, secret: Secret) -> None:
        """Set on the pinned replica, as an administrator: neither history nor minimum age apply."""

    def try_logon(
        self, account: Account, secret: Secret, *, protocol: LogonProtocol, replica: str | None = None
    ) -> Answer:
        """One logon, on the pinned replica unless said. A wrong password costs one bad attempt: only through
        the budget (`lifecycle.budgeted`)."""

    def unlock(self, account: Account) -> None:
        """On every replica, with its count: a replica that keeps its count locks again at the next mistake."""

    def disable(self, account: Account) -> None: ...

    def enable(self, account: Account) -> None: ...

    def delete(self, account: Account) -> None:
        """Deleting what is gone already is no error."""

    def rights(self, account: Account) -> Rights: ...

    def grant(self, account: Account, rights: Rights) -> None:
        """Add what is missing; nothing is taken away."""


class Authorities(Protocol):
    def __call__(self, realm: RealmName) -> Authority:
        """The authority of a realm; NotFound when none is configured for it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What stands beside a sealed candidate: enough to learn, after any crash, whether it landed."""

    credential: Credential
    replica: str
    version_before: int
    promoted: bool = False
    """Whether the candidate has been proven live."""
    version: int | None = None
    """The mark it was proven live under; another one since means that somebody else has changed the password."""


class Vault(Protocol):
    """Generations and their passwords, durable when a call returns."""

    def given(self, credential: Credential) -> Secret | None:
        """The password a person handed in with the plan, if one did."""

    def seal(self, sealed: Sealed, secret: Secret) -> None:
        """Keep candidate, marks and envelope in one commit. Sealing the same credential again keeps the first
        candidate. Refused while another candidate of the account is undecided."""

    def sealed(self, credential: Credential) -> Sealed | None: ...

    def open(self, credential: Credential) -> Secret: ...

    def promote(self, credential: Credential, account: Account, version: int) -> None:
        """The candidate is proven live under the realm's mark `version`: it becomes the account's generation, the one
        before it is kept."""

    def settle(self, planned: AccountToBe, account: Account) -> None:
        """Remember the identity that a planned account was given, and whom it succeeds by its plan."""

    def forget(self, account: Account) -> None:
        """The realm has this identity no longer. The name is free for another one; what the old one was is kept."""

    def identity(self, account: AnyAccount) -> Account | None:
        """The identity of a planned account, once it is settled; an `Account` is its own."""

    def record(self, credential: Credential, remark: str) -> None:
        """Keep for people what was learned on the way: an extra set, somebody else's change."""


@dataclass(frozen=True, slots=True)
class Uptake:
    """Where a published credential stands. `refused` holders tried it and the realm said no."""

    proven: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()


class Holdings(Protocol):
    """Who is offered what, who has proven it, and what has become of accounts."""

    def publish(self, credential: Credential, holders: Collection[str], at_once: int) -> None:
        """Offer it to the holders; at most `at_once` of all its holders may have taken it and not proven it yet."""

    def uptake(self, credential: Credential) -> Uptake: ...

    def holders(self, account: AnyAccount) -> frozenset[str]:
        """Everybody who was ever offered the account and has not been seen to drop it, and whoever was seen using it
        and was never offered it."""

    def reclaim(self, credential: Credential, *, offered_before: float) -> None:
        """Free the places of holders that took the credential before that moment and were not heard of since."""

    def released(self) -> frozenset[str]:
        """Holders that an approver has given up for this plan."""

    def become(self, account: AnyAccount, life: AccountLife) -> None:
        """Withdrawing tells the holders, at their next contact, to forget the account."""


class SiteWorks(Protocol):
    """What a site reset does to the site beside its accounts. Refused where the site is not run from here."""

    def stop_components(self, site: SiteCode) -> tuple[str, ...]:
        """All but the one that carries out plans. Those that still run: they stop within seconds."""

    def write_control_file(self, site: SiteCode) -> None:
        """The master one, from what the estate says now."""

    def reinstall_components(self, site: SiteCode) -> None:
        """Anew and running, whatever state each was in."""

    def recreate_access_point(self, system: str) -> str | None:
        """Its content from nothing. None once it is there; else why it is not reached."""

    def leave_out(self, system: str) -> None:
        """Nothing is handed out through it before it is assigned again."""
