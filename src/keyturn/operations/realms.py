"""The built-in realm's own tools: what an administrator does with the operating system in another realm."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from keyturn.model.accounts import Account
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret


@dataclass(frozen=True, slots=True)
class LogonSeen:
    """`account` is empty where the realm has no such name."""

    at: float
    replica: str
    account: str
    source: str
    protocol: LogonProtocol
    answer: Answer


class RealmTools(Protocol):
    """Straight at the realm, past plans, seals and budgets: for the realm's administrator."""

    def accounts(self) -> Sequence[Account]: ...

    def set_password(self, account: Account, secret: Secret) -> None: ...

    def set_policy(self, policy: RealmPolicy) -> None: ...

    def cut(self, replica: str) -> None: ...

    def heal(self, replica: str) -> None: ...

    def logons(self, since: float) -> Sequence[LogonSeen]: ...
