"""SQL Server's logins keep the contract of every authority, and that of database servers: against a fake of ours."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest

from keyturn.adapters.authorities.reaching import Login
from keyturn.adapters.authorities.sql_server.servers import server_of
from keyturn.cli.demo.stage import free_port
from keyturn.contracts.authority import FIRST, GROUPS, SECOND, WRONG
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from tests.contract.database_contract import DatabaseContract
from tests.database_realms import REALM, Certificates, Database, certificates_for
from tests.tds_fake.realm import THRESHOLD, faked, granted, realm_of, withheld
from tests.tds_fake.server import Fake
from tests.tds_fake.wire import done, routed


@pytest.fixture(scope="module")
def certificates() -> Iterator[Certificates]:
    with certificates_for(None) as certificates:
        yield certificates


@pytest.fixture(scope="module")
def fake(certificates: Certificates) -> Iterator[Fake]:
    with faked(certificates) as fake:
        yield fake


@pytest.fixture(scope="module")
def tls(fake: Fake, certificates: Certificates) -> Database:
    return realm_of(fake, certificates)


@pytest.fixture
def database(tls: Database) -> Database:
    """It has TLS too: without, nothing is sent."""
    return tls


@pytest.fixture
def mighty(fake: Fake) -> Iterator[None]:
    """Keyturn with CONTROL SERVER."""
    with granted(fake, "CONTROL SERVER"):
        yield


class TestSqlServerRealm(DatabaseContract):
    versions_rise = False
    counts = True
    given = (
        "USE [master];GRANT VIEW SERVER STATE TO [ACCOUNT] WITH GRANT OPTION",
        "DENY VIEW ANY DEFINITION TO [ACCOUNT]",
        "GRANT IMPERSONATE ON LOGIN::[sa] TO [ACCOUNT]",
        "USE [billing];CREATE USER [ACCOUNT] FOR LOGIN [ACCOUNT] WITH DEFAULT_SCHEMA = [dbo];"
        "ALTER ROLE [db_datareader] ADD MEMBER [ACCOUNT]",
        "USE [billing];GRANT UPDATE ON OBJECT::[dbo].[or]]ders] ([total]) TO [ACCOUNT]",
        "USE [billing];DENY DELETE ON SCHEMA::[dbo] TO [ACCOUNT]",
        "USE [a]]b];CREATE USER [ACCOUNT] FOR LOGIN [ACCOUNT];GRANT SHOWPLAN TO [ACCOUNT]",
    )

    @pytest.fixture
    def unreachable(self, database: Database, certificates: Certificates) -> Authority:
        nobody = replace(database, port=free_port())
        return nobody.reached_at("localhost", ca=certificates.authority).authority()

    def open_session(self, database: Database, account: Account, secret: Secret) -> AbstractContextManager[Any]:
        return server_of(database.realm).connect(Login(account.name, secret))

    # what other databases promise and this one cannot in their words

    def test_clear_text_is_refused_before_anything_is_sent(self, database: Database) -> None:
        for host, why in (("ledger.example", "in clear text"), ("localhost", "without proof"), ("/run/sql", "without")):
            with pytest.raises(Refused, match=why):
                replace(database, realm=replace(database.realm, replicas=(host,), connection=())).authority()

    def test_a_server_without_tls_gets_no_password(
        self, database: Database, certificates: Certificates, account: Account, fake: Fake
    ) -> None:
        fake.encrypts, before = False, fake.logons
        try:
            with pytest.raises(AuthorityError, match="no TLS") as raised:
                database.authority().describe(account)
        finally:
            fake.encrypts = True
        assert raised.value.permanent
        assert fake.logons == before

    @pytest.mark.usefixtures("mighty")
    def test_rights_are_given_to_a_second_account_as_they_are(
        self, database: Database, authority: Authority, account: Account, second: AccountToBe
    ) -> None:
        super().test_rights_are_given_to_a_second_account_as_they_are(database, authority, account, second)

    # passwords

    @pytest.mark.parametrize(("policy", "expiration"), [(True, True), (True, False), (False, False)])
    def test_a_login_is_checked_after_a_set_as_before(
        self, fake: Fake, authority: Authority, account: Account, policy: bool, expiration: bool
    ) -> None:
        kept = fake.instance.logins[account.name]
        kept.policy, kept.expiration = policy, expiration
        authority.set_password(account, SECOND)
        assert (kept.policy, kept.expiration) == (policy, expiration)
        assert authority.try_logon(account, SECOND, protocol=self.protocol) is Answer.ACCEPTED
        assert authority.describe(account).policy.lockout_threshold == (THRESHOLD if policy else 0)

    def test_a_new_login_is_checked_like_the_one_it_is_made_like(
        self, fake: Fake, authority: Authority, account: Account, second: AccountToBe
    ) -> None:
        first = fake.instance.logins[account.name]
        assert first.policy
        first.expiration, first.database, first.language = True, "billing", "Deutsch"
        authority.create(second, SECOND, like=account)
        twin = fake.instance.logins[second.name]
        assert (twin.policy, twin.expiration, twin.database, twin.language) == (True, True, "billing", "Deutsch")

    def test_a_set_ends_a_lock(self, authority: Authority, account: Account) -> None:
        self._lock(authority, account)
        authority.set_password(account, SECOND)
        assert not authority.describe(account).locked
        assert authority.try_logon(account, SECOND, protocol=self.protocol) is Answer.ACCEPTED

    def test_a_login_that_must_change_its_password_stays_as_it_was(
        self, fake: Fake, authority: Authority, account: Account
    ) -> None:
        kept = fake.instance.logins[account.name]
        kept.must_change, before = True, kept.hash
        assert authority.try_logon(account, FIRST, protocol=self.protocol) is Answer.MUST_CHANGE
        with pytest.raises(AuthorityError, match="15128") as raised:
            authority.set_password(account, SECOND)
        assert raised.value.permanent
        assert "MUST_CHANGE" in raised.value.hint
        assert (fake.instance.logins[account.name].hash, fake.instance.logins[account.name].policy) == (before, True)
        fake.instance.logins[account.name].must_change = False

    def test_a_set_that_fails_half_way_leaves_the_login_as_it_was(
        self, fake: Fake, authority: Authority, account: Account
    ) -> None:
        before = authority.describe(account)
        fake.out_of_memory_at = "CHECK_POLICY = ON"
        try:
            with pytest.raises(AuthorityError, match="701") as raised:
                authority.set_password(account, SECOND)
        finally:
            fake.out_of_memory_at = "nothing"
        assert not raised.value.permanent
        assert authority.describe(account) == before
        assert fake.instance.logins[account.name].policy

    def test_a_set_whose_answer_is_lost_is_seen_in_the_mark(
        self, fake: Fake, authority: Authority, account: Account
    ) -> None:
        before = authority.describe(account).pinned.version
        fake.after = lambda batch: "HASHED" not in batch
        try:
            with pytest.raises(AuthorityError, match="hung up") as raised:
                authority.set_password(account, SECOND)
        finally:
            fake.after = lambda batch: True
        assert not raised.value.permanent
        assert authority.describe(account).pinned.version != before
        assert authority.try_logon(account, SECOND, protocol=self.protocol) is Answer.ACCEPTED

    # logons

    def test_a_password_past_its_end_is_told_to_the_right_one(
        self, fake: Fake, authority: Authority, account: Account
    ) -> None:
        fake.instance.logins[account.name].expired = True
        assert authority.try_logon(account, FIRST, protocol=self.protocol) is Answer.PASSWORD_EXPIRED
        assert authority.try_logon(account, WRONG, protocol=self.protocol) is Answer.WRONG_PASSWORD

    def test_every_trial_is_exactly_one_logon(self, fake: Fake, authority: Authority, account: Account) -> None:
        authority.describe(account)
        for secret in (FIRST, WRONG):
            before = fake.logons
            authority.try_logon(account, secret, protocol=self.protocol)
            assert fake.logons == before + 2  # Keyturn's own, and the one

    def test_no_logon_is_spent_on_a_login_that_is_denied_to_connect(
        self, fake: Fake, authority: Authority, account: Account
    ) -> None:
        denied = granted(fake, "CONNECT SQL", account.name, "DENY")
        with denied, pytest.raises(AuthorityError, match="denied CONNECT SQL") as raised:
            authority.try_logon(account, FIRST, protocol=self.protocol)
        assert raised.value.permanent

    def test_a_password_is_sent_to_no_other_server(self, fake: Fake, authority: Authority, account: Account) -> None:
        fake.instead = routed("elsewhere.example") + done()
        try:
            with pytest.raises(AuthorityError, match="elsewhere"):
                authority.describe(account)
        finally:
            fake.instead = b""

    # rights

    def test_without_control_server_keyturn_says_what_it_may_not_give(
        self, database: Database, authority: Authority, account: Account, second: AccountToBe
    ) -> None:
        database.administer(f"GRANT VIEW SERVER STATE TO [{account.name}]")
        twin = authority.create(second, SECOND, like=account)
        with pytest.raises(AuthorityError, match="15247") as raised:
            authority.grant(twin, authority.rights(account))
        assert raised.value.permanent

    @pytest.mark.parametrize("permission", ["VIEW ANY DEFINITION", "CONNECT ANY DATABASE"])
    def test_rights_that_keyturn_cannot_see_whole_are_not_compared(
        self, fake: Fake, authority: Authority, account: Account, permission: str
    ) -> None:
        with withheld(fake, permission), pytest.raises(AuthorityError) as raised:
            authority.rights(account)
        assert permission in raised.value.hint

    @pytest.mark.usefixtures("mighty")
    def test_what_an_account_owns_is_named_and_not_given(
        self, fake: Fake, authority: Authority, account: Account, second: AccountToBe
    ) -> None:
        sid = fake.instance.logins[account.name].sid
        fake.instance.databases["billing"].owner = sid
        try:
            wanted = authority.rights(account)
            twin = authority.create(second, SECOND)
            with pytest.raises(AuthorityError, match=r"OWNER OF DATABASE::\[billing\]"):
                authority.grant(twin, wanted)
            with pytest.raises(AuthorityError, match="15174") as raised:
                authority.delete(account)
            assert raised.value.permanent
        finally:
            fake.instance.databases["billing"].owner = b"\x01"

    @pytest.mark.usefixtures("mighty")
    def test_a_user_of_another_name_gets_the_rights_of_its_login(
        self, fake: Fake, authority: Authority, account: Account, second: AccountToBe
    ) -> None:
        twin = authority.create(second, SECOND)
        fake.administer(f"USE [billing];CREATE USER [{account.name}] FOR LOGIN [{account.name}]")
        fake.administer(f"USE [billing];CREATE USER [{twin.name}] FOR LOGIN [{twin.name}]")
        users = fake.instance.databases["billing"].users
        users["alias"] = users.pop(twin.name)
        users["alias"].name = "alias"
        fake.administer(f"USE [billing];GRANT EXECUTE TO [{account.name}]")
        authority.grant(twin, authority.rights(account))
        assert authority.rights(twin) == authority.rights(account)

    def test_an_account_that_is_logged_on_is_not_deleted_yet(
        self, database: Database, authority: Authority, account: Account
    ) -> None:
        with self.open_session(database, account, FIRST), pytest.raises(AuthorityError, match="logged in") as raised:
            authority.delete(account)
        assert not raised.value.permanent

    # the login of Keyturn's own

    def test_a_mighty_login_is_left_alone_by_a_keyturn_that_is_not(self, fake: Fake, authority: Authority) -> None:
        sa = authority.find("sa")
        assert sa
        with pytest.raises(AuthorityError, match="15151"):
            authority.set_password(sa, SECOND)
        with granted(fake, "CONTROL SERVER"):
            authority.set_password(sa, SECOND)
        assert authority.try_logon(sa, SECOND, protocol=self.protocol) is Answer.ACCEPTED

    def test_a_server_that_hides_whether_a_password_has_changed_is_not_trusted(
        self, fake: Fake, authority: Authority, account: Account
    ) -> None:
        hidden = withheld(fake, "VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION")
        with hidden, pytest.raises(AuthorityError, match="does not show") as raised:
            authority.describe(account)
        assert raised.value.permanent

    def test_two_instances_are_no_realm(self, database: Database) -> None:
        with pytest.raises(Refused, match="do not share their logins"):
            replace(database, realm=replace(database.realm, replicas=("localhost", "127.0.0.1"))).authority()


def test_names_are_quoted_whole(tls: Database, fake: Fake) -> None:
    authority = tls.authority()
    name = "kt-]; DROP LOGIN [sa]; --'"
    made = authority.create(AccountToBe(REALM, name), FIRST)
    assert authority.find(name) == made
    authority.grant(made, GROUPS)
    authority.disable(made)
    authority.delete(made)
    assert authority.find(name) is None
    assert fake.instance.login("sa")
