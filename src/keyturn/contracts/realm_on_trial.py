"""What the suite of an authority stands on: passwords, verbs, accounts, and what a subclass says of its realm."""

import secrets
from collections.abc import Callable, Iterator

import pytest

from keyturn.contracts.promises import not_promised
from keyturn.lifecycle.ports import Authority, Rights
from keyturn.model.accounts import Account, AccountToBe, RealmName
from keyturn.model.logon import LogonProtocol
from keyturn.model.secret import Secret

FIRST = Secret("Turn-the-key-0001")
SECOND = Secret("Turn-the-key-0002")
WRONG = Secret("Never-was-a-key-0")
GROUPS = Rights(groups=frozenset({"Keyturn Contract"}))

VERBS: dict[str, Callable[[Authority, Account], object]] = {
    "describe": lambda authority, account: authority.describe(account),
    "set_password": lambda authority, account: authority.set_password(account, SECOND),
    "try_logon": lambda authority, account: authority.try_logon(account, SECOND, protocol=LogonProtocol.LDAP),
    "unlock": lambda authority, account: authority.unlock(account),
    "disable": lambda authority, account: authority.disable(account),
    "enable": lambda authority, account: authority.enable(account),
    "rights": lambda authority, account: authority.rights(account),
    "grant": lambda authority, account: authority.grant(account, GROUPS),
}
"""The verbs that need the account to be there."""

ALL_VERBS: dict[str, Callable[[Authority, Account], object]] = VERBS | {
    "find": lambda authority, account: authority.find(account.name),
    "create": lambda authority, account: authority.create(AccountToBe(account.realm, account.name), FIRST),
    "delete": lambda authority, account: authority.delete(account),
}


class RealmOnTrial:
    protocol = LogonProtocol.LDAP
    folds_names = True
    """Whether names differing in case or outer space are one name."""
    tells_namesakes_apart = True
    """Whether an account whose name was another's before is another identity."""
    counts = True
    """Whether the realm counts wrong passwords, and shows how many."""
    keeps_rights = True
    """Whether accounts have groups that can be read and granted."""
    versions_count = True
    """Whether the mark is one more after every set; else it only rises with each, and stays otherwise."""
    versions_rise = True
    """Whether a later mark is the larger one; else it only differs from every earlier one."""
    counts_travel = False
    """Whether wrong passwords counted on one replica may show on another."""
    tells_disabled = True
    """Whether the right password of a disabled account is told from a wrong one; else both are LOCKED."""
    refused: Secret | None = Secret("Zq-1")

    @pytest.fixture
    def authority(self) -> Authority:
        raise NotImplementedError

    @pytest.fixture
    def realm_name(self) -> RealmName:
        raise NotImplementedError

    @pytest.fixture
    def converge(self) -> Callable[[], None]:
        return lambda: None

    @pytest.fixture
    def unreachable(self) -> Authority:
        pytest.skip("this realm cannot be made unreachable here")

    @pytest.fixture
    def planned(self, authority: Authority, realm_name: RealmName) -> Iterator[AccountToBe]:
        yield from _for_a_test(authority, realm_name)

    @pytest.fixture
    def account(self, authority: Authority, planned: AccountToBe, converge: Callable[[], None]) -> Account:
        """With the first password, on every replica."""
        account = authority.create(planned, FIRST)
        converge()
        return account

    @pytest.fixture
    def second(self, authority: Authority, realm_name: RealmName) -> Iterator[AccountToBe]:
        yield from _for_a_test(authority, realm_name)

    @pytest.fixture
    def gone(self, authority: Authority, second: AccountToBe, converge: Callable[[], None]) -> Account:
        """An account that existed."""
        account = authority.create(second, FIRST)
        authority.delete(account)
        converge()
        return account

    def _needs_counts(self) -> None:
        if not self.counts:
            not_promised("this realm does not count wrong passwords")

    def _lock(self, authority: Authority, account: Account, replica: str | None = None) -> None:
        self._needs_counts()
        threshold = authority.describe(account).policy.lockout_threshold
        if threshold == 0:
            not_promised("this realm never locks")
        for _ in range(threshold):
            authority.try_logon(account, WRONG, protocol=self.protocol, replica=replica)


def _for_a_test(authority: Authority, realm_name: RealmName) -> Iterator[AccountToBe]:
    """A name that nobody has; the account is deleted afterwards, where it was made and is left."""
    name = f"kt-{secrets.token_hex(4)}"
    yield AccountToBe(realm_name, name)
    left = authority.find(name)
    if left:
        authority.delete(left)
