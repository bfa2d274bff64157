"""Database servers looked around in, and what Keyturn's login may do there."""

import time
from collections.abc import Iterator

import pytest

from keyturn.model.accounts import Account
from keyturn.operations.delegation import Delegation
from keyturn.operations.discovery_signs import Certainty, weigh
from keyturn.operations.surveys import Candidate, Discovery, Survey
from tests.database_realms import LOGIN, Database, mariadb_realm, postgresql_realm


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Database]:
    with postgresql_realm() as database:
        database.administer("CREATE ROLE billing_app LOGIN CONNECTION LIMIT 7 VALID UNTIL '2001-01-01'")
        database.administer("ALTER ROLE billing_app PASSWORD 'SCRAM-SHA-256$4096:AAAA$AAAA:AAAA'")
        database.administer("COMMENT ON ROLE billing_app IS 'password is Maple7Rain'")
        database.administer("CREATE ROLE peer_only LOGIN SUPERUSER")
        database.administer("CREATE ROLE readers")
        yield database


@pytest.fixture(scope="module")
def mariadb() -> Iterator[Database]:
    with mariadb_realm() as database:
        stored = "*" + "A" * 40
        database.administer(f"CREATE USER 'app'@'10.0.%' IDENTIFIED VIA mysql_native_password USING '{stored}'")
        database.administer("GRANT ALL PRIVILEGES ON *.* TO 'app'@'10.0.%'")
        database.administer("ALTER USER 'app'@'10.0.%' ACCOUNT LOCK")
        yield database


def surveyed(database: Database) -> Survey:
    authority = database.authority()
    assert isinstance(authority, Discovery)
    return authority.survey(time.time())


def candidate(survey: Survey, name: str) -> Candidate:
    return next(candidate for candidate in survey.candidates if candidate.name == name)


def test_roles_of_postgresql_that_log_on_are_seen_with_what_limits_them(postgresql: Database) -> None:
    survey = surveyed(postgresql)
    app = candidate(survey, "billing_app")
    assert weigh(app).certainty is Certainty.LIKELY
    assert app.remarks == ("may have 7 connections at once", "its password is past its end")
    assert "Maple7Rain" not in f"{weigh(app)}{app}"
    assert "is connected now" in candidate(survey, LOGIN.name).remarks
    assert "readers" not in [each.name for each in survey.candidates]
    assert survey.left_out[0].count > 0


def test_a_role_of_postgresql_without_a_password_is_no_candidate(postgresql: Database) -> None:
    peer = candidate(surveyed(postgresql), "peer_only")
    assert weigh(peer).certainty is Certainty.NONE
    assert peer.strong_groups == ("SUPERUSER",)


def test_accounts_of_mariadb_are_seen_without_those_of_the_server(mariadb: Database) -> None:
    survey = surveyed(mariadb)
    app = candidate(survey, "app@10.0.%")
    assert (app.enabled, app.strong_groups) == (False, ("ALL PRIVILEGES",))
    assert app.password_age_s is not None
    assert app.password_age_s < 3600
    assert candidate(survey, LOGIN.name).enabled
    assert not {"mariadb.sys@localhost", "mysql@localhost"} & {each.name for each in survey.candidates}


def rights_missing(database: Database, *names: str) -> list[tuple[str, bool]]:
    return [(right.right, right.vital) for right in missing(database, *names)]


def missing(database: Database, *names: str):  # type: ignore[no-untyped-def]
    authority = database.authority()
    assert isinstance(authority, Delegation)
    return authority.missing_rights([Account(database.realm.name, name, name) for name in names])


@pytest.mark.parametrize(
    ("takes", "right"),
    [
        ("ALTER ROLE keyturn NOCREATEROLE", "change roles"),
        ("REVOKE SELECT ON keyturn.passwords FROM keyturn", "see that a password has changed"),
        ("REVOKE USAGE ON SCHEMA keyturn FROM keyturn", "see that a password has changed"),
    ],
)
def test_a_right_that_is_taken_in_postgresql_is_named_and_its_command_gives_it(
    postgresql: Database, takes: str, right: str
) -> None:
    assert rights_missing(postgresql, "billing_app") == []
    postgresql.administer(takes)
    [found] = missing(postgresql, "billing_app")
    assert (found.right, found.vital) == (right, True)
    for command in found.commands[0].split("; "):
        postgresql.administer(command)
    assert rights_missing(postgresql, "billing_app") == []


def test_a_superuser_is_out_of_reach_and_named(postgresql: Database) -> None:
    [found] = missing(postgresql, "billing_app", "peer_only")
    assert (found.right, found.where) == ("set its password", "peer_only")


@pytest.mark.parametrize(
    ("takes", "right", "vital"),
    [
        ("REVOKE CREATE USER ON *.* FROM keyturn@'%'", "change accounts", True),
        ("REVOKE SELECT ON keyturn.accounts FROM keyturn@'%'", "see that a password has changed", True),
        ("REVOKE EXECUTE ON PROCEDURE keyturn.grants FROM keyturn@'%'", "compare grants", False),
        ("REVOKE EXECUTE ON FUNCTION keyturn.sessions FROM keyturn@'%'", "see who is connected", True),
    ],
)
def test_a_right_that_is_taken_in_mariadb_is_named_and_its_command_gives_it(
    mariadb: Database, takes: str, right: str, vital: bool
) -> None:
    assert rights_missing(mariadb) == []
    mariadb.administer(takes)
    [found] = missing(mariadb)
    assert (found.right, found.vital) == (right, vital)
    mariadb.administer(found.commands[0])
    assert rights_missing(mariadb) == []
