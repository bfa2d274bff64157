"""A real MariaDB server keeps the contract of every authority, and that of database servers."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pymysql
import pytest

from keyturn.contracts.authority import FIRST, SECOND, WRONG
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from tests.contract.database_contract import DatabaseContract
from tests.database_realms import REALM, THRESHOLD, Certificates, Database, certificates_for, mariadb_realm
from tests.mariadb import ordinary_user


@pytest.fixture(scope="module")
def certificates() -> Iterator[Certificates]:
    with certificates_for(ordinary_user()) as certificates:
        yield certificates


@pytest.fixture(scope="module")
def tls(certificates: Certificates) -> Iterator[Database]:
    with mariadb_realm(certificates) as database:
        yield database


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with mariadb_realm() as database:
        database.administer("CREATE DATABASE app")
        database.administer("CREATE TABLE t (a int, b int)", "app")
        database.administer("CREATE PROCEDURE app.p() SELECT 1")
        database.administer("GRANT ALL ON *.* TO keyturn@'%' WITH GRANT OPTION")  # who gives rights holds them
        yield database


class TestMariadbRealm(DatabaseContract):
    tells_namesakes_apart = False
    given = (
        "GRANT SELECT (a), INSERT ON app.t TO `ACCOUNT`",
        "GRANT EXECUTE ON PROCEDURE app.p TO `ACCOUNT`",
        "GRANT SELECT, LOCK TABLES ON app.* TO `ACCOUNT` WITH GRANT OPTION",
        "GRANT PROCESS ON *.* TO `ACCOUNT` WITH MAX_USER_CONNECTIONS 7",
        "GRANT `Keyturn Contract` TO `ACCOUNT` WITH ADMIN OPTION",
        "SET DEFAULT ROLE `Keyturn Contract` FOR `ACCOUNT`",
    )

    def open_session(self, database: Database, account: Account, secret: Secret) -> AbstractContextManager[Any]:
        return pymysql.connect(unix_socket=str(database.socket), user=account.name, password=secret.reveal())

    def test_an_account_that_is_blocked_refuses_the_right_password_until_it_is_unlocked(
        self, authority: Authority, account: Account
    ) -> None:
        """The server shows no counts, so the budget goes by its limit and by our own attempts."""
        assert authority.describe(account).policy.lockout_threshold == THRESHOLD
        for _ in range(THRESHOLD):
            assert authority.try_logon(account, WRONG, protocol=self.protocol) is Answer.WRONG_PASSWORD
        assert authority.try_logon(account, FIRST, protocol=self.protocol) is Answer.LOCKED
        authority.unlock(account)
        assert authority.try_logon(account, FIRST, protocol=self.protocol) is Answer.ACCEPTED

    def test_unlocking_does_not_enable(self, authority: Authority, account: Account) -> None:
        authority.disable(account)
        authority.unlock(account)
        assert not authority.describe(account).enabled

    def test_a_new_password_ends_a_block(self, authority: Authority, account: Account) -> None:
        for _ in range(THRESHOLD):
            authority.try_logon(account, WRONG, protocol=self.protocol)
        authority.set_password(account, SECOND)
        assert authority.try_logon(account, SECOND, protocol=self.protocol) is Answer.ACCEPTED

    def test_an_account_from_anywhere_is_found_by_both_its_names(self, authority: Authority, account: Account) -> None:
        assert authority.find(f"{account.name}@%") == account
        assert authority.find(f"{account.name}@10.%") is None

    def test_no_logon_is_spent_where_the_server_would_try_another_account(
        self, authority: Authority, account: Account
    ) -> None:
        nearer = authority.create(AccountToBe(REALM, f"{account.name}@localhost"), SECOND)
        try:
            with pytest.raises(AuthorityError, match="would take a logon") as raised:
                authority.try_logon(account, FIRST, protocol=self.protocol)
            assert raised.value.permanent
        finally:
            authority.delete(nearer)

    def test_an_account_that_is_not_let_in_from_here_is_not_tried(self, authority: Authority) -> None:
        distant = authority.create(AccountToBe(REALM, "kt-distant@10.%"), FIRST)
        try:
            with pytest.raises(AuthorityError, match="for nobody"):
                authority.try_logon(distant, FIRST, protocol=self.protocol)
        finally:
            authority.delete(distant)

    def test_a_password_past_its_end_is_told_to_the_right_one(
        self, database: Database, authority: Authority, account: Account
    ) -> None:
        database.administer(f"ALTER USER `{account.name}` PASSWORD EXPIRE")
        assert authority.try_logon(account, FIRST, protocol=self.protocol) is Answer.PASSWORD_EXPIRED
        assert authority.try_logon(account, WRONG, protocol=self.protocol) is Answer.WRONG_PASSWORD
