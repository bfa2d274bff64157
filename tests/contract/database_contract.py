"""What database servers promise besides the contract of every authority.

A subclass gives three fixtures (tests/database_realms.py), of which `database` is a server without TLS, `tls` one that
has it, and `certificates` says by which; and what stands below.
"""

import secrets
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from keyturn.adapters.authorities.reaching import Login
from keyturn.contracts.authority import FIRST, SECOND, WRONG, AuthorityContract
from keyturn.lifecycle.parity import disparity
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe, RealmName
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from tests.database_realms import LOGIN, REALM, Certificates, Database


class DatabaseContract(AuthorityContract):
    folds_names = False
    versions_count = False
    counts = False
    refused = Secret("Turn-the\0key")

    given: ClassVar[tuple[str, ...]]
    """Statements that give rights to `ACCOUNT` which Keyturn can give to another, run by an administrator."""

    @pytest.fixture
    def authority(self, database: Database) -> Authority:
        return database.authority()

    @pytest.fixture
    def realm_name(self) -> RealmName:
        return REALM

    @pytest.fixture
    def unreachable(self, database: Database, tmp_path: Path) -> Authority:
        """Nobody listens there."""
        return database.elsewhere(tmp_path).authority()

    def strip(self, database: Database, name: str) -> None:
        """Take the rights away on account of which it could not be deleted."""

    def open_session(self, database: Database, account: Account, secret: Secret) -> AbstractContextManager[Any]:
        """As the account's own programs do."""
        raise NotImplementedError

    # passwords

    def test_no_password_is_in_anything_the_server_has_written(
        self, database: Database, authority: Authority, account: Account, second: AccountToBe
    ) -> None:
        clear = [Secret(f"Canary-{secrets.token_urlsafe(12)}") for _ in range(4)]
        authority.set_password(account, clear[0])
        other = authority.create(second, clear[1])
        authority.try_logon(account, clear[0], protocol=self.protocol)
        authority.try_logon(other, clear[2], protocol=self.protocol)
        with pytest.raises(AuthorityError):
            authority.create(second, clear[3])
        written = database.written()
        assert account.name.encode() in written
        for secret in (*clear, LOGIN.secret):
            assert secret.reveal().encode() not in written

    def test_keyturns_own_wrong_password_is_tried_once(self, database: Database, account: Account) -> None:
        logins = [Login(LOGIN.name, Secret("Not-Keyturns-password"))]
        authority = database.authority(lambda: logins[-1])
        before = database.refusals()
        for _ in range(4):
            with pytest.raises(AuthorityError, match="not tried again") as raised:
                authority.describe(account)
            assert raised.value.permanent
            assert raised.value.hint == "keyturn account adopt keyturn"
            assert "Not-Keyturns" not in str(raised.value)
        assert database.refusals() == before + 1
        logins.append(LOGIN)
        assert authority.describe(account).enabled

    # logons

    def test_a_wrong_password_of_a_disabled_account_is_told_as_wrong(
        self, authority: Authority, account: Account
    ) -> None:
        authority.disable(account)
        assert authority.try_logon(account, WRONG, protocol=self.protocol) is Answer.WRONG_PASSWORD

    def test_an_account_that_is_logged_on_is_in_use(
        self, database: Database, authority: Authority, account: Account
    ) -> None:
        assert authority.describe(account).pinned.last_logon_at is None
        with self.open_session(database, account, FIRST):
            first = authority.describe(account).pinned.last_logon_at
            again = authority.describe(account).pinned.last_logon_at
        assert first is not None
        assert again is not None
        assert again > first

    # rights

    def test_rights_are_given_to_a_second_account_as_they_are(
        self, database: Database, authority: Authority, account: Account, second: AccountToBe
    ) -> None:
        for statement in self.given:
            database.administer(statement.replace("ACCOUNT", account.name))
        twin = authority.create(second, SECOND, like=account)
        wanted = authority.rights(account)
        assert len(wanted.grants) >= len(self.given)
        assert disparity(wanted, authority.rights(twin))
        authority.grant(twin, wanted)
        assert disparity(wanted, authority.rights(twin)) == ""
        assert authority.rights(account) == wanted
        for name in (account.name, twin.name):
            self.strip(database, name)

    # the way there

    def test_clear_text_is_refused_before_anything_is_sent(self, database: Database) -> None:
        with pytest.raises(Refused, match=r"ledger\.example would be reached in clear text"):
            replace(database, realm=replace(database.realm, replicas=("ledger.example",))).authority()

    def test_a_setting_that_is_unknown_is_refused(self, database: Database) -> None:
        for setting in (("password", "x"), ("port", "many")):
            with pytest.raises(Refused, match=setting[0]):
                replace(database, realm=replace(database.realm, connection=(setting,))).authority()

    def test_a_server_is_proven_by_its_certificate(
        self, tls: Database, certificates: Certificates, planned: AccountToBe
    ) -> None:
        """A server of its own: no cleaning up."""
        account = tls.authority().create(planned, FIRST)
        there = tls.reached_at("localhost", ca=certificates.authority)
        assert there.authority().describe(account).enabled
        assert there.authority().try_logon(account, FIRST, protocol=self.protocol) is Answer.ACCEPTED
        for other in (
            tls.reached_at("localhost", ca=certificates.stranger),
            tls.reached_at("127.0.0.1", ca=certificates.authority),  # the certificate is `localhost`'s
        ):
            with pytest.raises(AuthorityError, match="certificate") as raised:
                other.authority().describe(account)
            assert raised.value.permanent

    def test_a_server_without_tls_gets_no_password(
        self, database: Database, certificates: Certificates, account: Account
    ) -> None:
        bare = database.reached_at("localhost", ca=certificates.authority).authority()
        with pytest.raises(AuthorityError, match=r"TLS|SSL"):
            bare.describe(account)
