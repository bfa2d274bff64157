"""A real PostgreSQL server keeps the contract of every authority, and that of database servers."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from time import monotonic
from typing import Any

import psycopg
import pytest

from keyturn.contracts.authority import FIRST, GROUPS, SECOND
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from tests.contract.database_contract import DatabaseContract
from tests.database_realms import Certificates, Database, certificates_for, postgresql_realm
from tests.postgresql import ordinary_user


@pytest.fixture(scope="module")
def certificates() -> Iterator[Certificates]:
    with certificates_for(ordinary_user()) as certificates:
        yield certificates


@pytest.fixture(scope="module")
def tls(certificates: Certificates) -> Iterator[Database]:
    with postgresql_realm(certificates) as database:
        yield database


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with postgresql_realm() as database:
        database.administer("ALTER ROLE keyturn SUPERUSER")  # only such a one may give rights on others' objects
        database.administer("CREATE DATABASE billing")
        database.administer("CREATE TABLE public.orders (id int, total int)", "billing")
        yield database


class TestPostgresqlRealm(DatabaseContract):
    versions_rise = False
    given = (
        'ALTER ROLE "ACCOUNT" CREATEDB CONNECTION LIMIT 7',
        "ALTER ROLE \"ACCOUNT\" IN DATABASE postgres SET search_path TO 'it''s, a path'",
        'GRANT "Keyturn Contract" TO "ACCOUNT" WITH ADMIN OPTION',
        'GRANT CREATE ON DATABASE postgres TO "ACCOUNT"',
        'GRANT USAGE ON SCHEMA keyturn TO "ACCOUNT" WITH GRANT OPTION',
        'GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO "ACCOUNT"',
        'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO "ACCOUNT"',
    )

    def strip(self, database: Database, name: str) -> None:
        for place in ("postgres", "billing"):
            database.administer(f'DROP OWNED BY "{name}"', place)

    def open_session(self, database: Database, account: Account, secret: Secret) -> AbstractContextManager[Any]:
        host = database.realm.replicas[0]
        return psycopg.connect(
            host=host, port=database.port, user=account.name, password=secret.reveal(), dbname="postgres"
        )

    def test_rights_in_another_database_are_found_and_given(
        self, database: Database, authority: Authority, account: Account, second: AccountToBe
    ) -> None:
        database.administer(f'GRANT SELECT (id) ON public.orders TO "{account.name}"', "billing")
        wanted = authority.rights(account)
        assert wanted.grants == {"billing: GRANT SELECT (id) ON TABLE public.orders"}
        twin = authority.create(second, SECOND)
        authority.grant(twin, wanted)
        assert authority.rights(twin) == wanted
        for name in (account.name, twin.name):
            self.strip(database, name)

    def test_what_an_account_owns_is_named_and_not_given(
        self, database: Database, authority: Authority, account: Account, second: AccountToBe
    ) -> None:
        database.administer(f'CREATE TABLE public.own (); ALTER TABLE public.own OWNER TO "{account.name}"', "billing")
        wanted = authority.rights(account)
        assert wanted.grants == {"billing: OWNER OF table public.own"}
        twin = authority.create(second, SECOND)
        with pytest.raises(AuthorityError, match=r"OWNER OF table public\.own") as raised:
            authority.grant(twin, wanted)
        assert raised.value.permanent
        with pytest.raises(AuthorityError, match="depend on it") as refused:
            authority.delete(account)
        assert refused.value.permanent
        database.administer("DROP TABLE public.own", "billing")

    def test_a_role_that_may_not_enter_the_database_has_still_proven_its_password(
        self, database: Database, authority: Authority, account: Account
    ) -> None:
        database.administer("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        try:
            assert authority.try_logon(account, FIRST, protocol=self.protocol) is Answer.ACCEPTED
        finally:
            database.administer("GRANT CONNECT ON DATABASE postgres TO PUBLIC")

    def test_a_logon_that_needs_no_password_proves_none(self, authority: Authority) -> None:
        trusted = authority.find("postgres")
        assert trusted
        with pytest.raises(AuthorityError, match="let in by nothing, which proves no password") as raised:
            authority.try_logon(trusted, FIRST, protocol=self.protocol)
        assert raised.value.permanent

    def test_no_logon_is_spent_on_a_password_past_its_end(
        self, database: Database, authority: Authority, account: Account
    ) -> None:
        database.administer(f"ALTER ROLE \"{account.name}\" VALID UNTIL '2001-01-01'")
        with pytest.raises(AuthorityError, match="past its end") as raised:
            authority.try_logon(account, FIRST, protocol=self.protocol)
        assert raised.value.permanent

    def test_keyturn_needs_no_more_than_the_how_to_says(
        self, database: Database, authority: Authority, account: Account
    ) -> None:
        database.administer("ALTER ROLE keyturn NOSUPERUSER")
        try:
            authority.set_password(account, SECOND)
            authority.disable(account)
            authority.enable(account)
            authority.grant(account, GROUPS)
            assert authority.rights(account) == GROUPS
            assert authority.try_logon(account, SECOND, protocol=self.protocol) is Answer.ACCEPTED
            authority.delete(account)
            assert authority.find(account.name) is None
        finally:
            database.administer("ALTER ROLE keyturn SUPERUSER")

    def test_a_standby_shows_whether_it_has_followed(self, database: Database, account: Account) -> None:
        assert database.standby
        with database.standby() as standby, standby.administer() as there:
            replicas = (database.realm.replicas[0], str(standby.socket))
            both = replace(database, realm=replace(database.realm, replicas=replicas)).authority()
            assert _versions(both, account) == 1
            there.execute("SELECT pg_wal_replay_pause()")
            both.set_password(account, SECOND)
            assert _versions(both, account) == 2
            there.execute("SELECT pg_wal_replay_resume()")
            until = monotonic() + 60
            while _versions(both, account) == 2 and monotonic() < until:
                pass
            assert _versions(both, account) == 1
            assert both.try_logon(account, SECOND, protocol=self.protocol, replica=replicas[1]) is Answer.ACCEPTED
            swapped = replace(database, realm=replace(database.realm, replicas=replicas[::-1])).authority()
            with pytest.raises(AuthorityError, match="this server is a standby"):
                swapped.set_password(account, FIRST)


def _versions(authority: Authority, account: Account) -> int:
    """How many different ones its replicas show."""
    return len({replica.version for replica in authority.describe(account).replicas})
