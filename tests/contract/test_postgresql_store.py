"""The store over a real PostgreSQL server: the whole contract, and what only a server can show."""

import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from keyturn.adapters.store.errors import NotAStore, Unavailable
from keyturn.adapters.store.login import StoreLogin, StoreLogins
from keyturn.adapters.store.store import SqlStore, open_store
from keyturn.model.errors import KeyturnError
from keyturn.model.secret import Secret
from keyturn.operations.audit_log import AuditLog, verify
from tests import postgresql
from tests.contract.store.setting import KEY, paper
from tests.contract.store.threads import at_once
from tests.contract.store.world import SVC, Clock, in_place, running
from tests.contract.store_contract import StoreContract
from tests.postgresql import OWNER, Server

TRUSTED = Secret("any: the socket trusts")


def as_whoever(logins: StoreLogins, url: str) -> SqlStore:
    return open_store(url, seal_key=KEY, envelope=paper, now=Clock(), new_id=lambda: "id", logins=logins)


def opened(url: str) -> SqlStore:
    numbers = count()
    return open_store(url, seal_key=KEY, envelope=paper, now=Clock(), new_id=lambda: f"id-{next(numbers)}")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql.running() as server:
        yield server


@pytest.fixture(scope="module")
def made_once(server: Server) -> str:
    """An empty store: copying it is faster than making it for each test."""
    name = server.database()
    opened(server.url(name)).close()
    return name


@pytest.fixture
def database(server: Server, made_once: str) -> Iterator[str]:
    name = server.database(like=made_once)
    yield name
    server.drop(name)


class TestPostgresqlStore(StoreContract):
    @pytest.fixture
    def url(self, server: Server, database: str) -> str:
        return server.url(database)

    # Several processes.

    def test_the_lines_of_many_writers_make_one_chain(self, open_again: Callable[[], SqlStore]) -> None:
        stores = [open_again() for _ in range(3)]

        def tell(store: SqlStore) -> None:
            for n in range(20):
                store.tell("ann", "kind", f"{n}")

        assert at_once(*(lambda s=s: tell(s) for s in stores)) == [None, None, None]
        verdict = verify(AuditLog("PHX", stores[0]))
        assert (verdict.fault, verdict.events) == (None, 60)

    def test_one_of_two_workers_gets_a_plan(self, store: SqlStore, open_again: Callable[[], SqlStore]) -> None:
        other = open_again()
        running(store, in_place(SVC)).finish(store.plan("plan-1").state)
        leases = at_once(*(lambda s=s, w=w: s.lease("plan-1", w, 60) for s, w in ((store, "one"), (other, "two"))))
        assert len([lease for lease in leases if lease is not None]) == 1

    # The server.

    def test_a_server_that_was_restarted_is_found_again(self, store: SqlStore, server: Server) -> None:
        server.stop()
        with pytest.raises(Unavailable, match="the store failed"):
            store.tell("ann", "kind", "while it was away")
        server.start()
        store.tell("ann", "kind", "subject")
        assert [event.subject for event in store.since()] == ["subject"]

    def test_what_an_error_says_quotes_no_row(self, store: SqlStore, server: Server, database: str) -> None:
        with server.administer(database) as connection:
            connection.execute("ALTER TABLE events ADD CONSTRAINT no_bob CHECK (actor <> 'bob')")
        with pytest.raises(Unavailable, match="no_bob") as failure:
            store.tell("bob", "kind", "the-subject")
        assert "the-subject" not in str(failure.value)

    def test_no_password_is_in_a_row_in_clear(self, store: SqlStore, server: Server, database: str) -> None:
        running(store, in_place(SVC), given=Secret("Given-1"))
        with server.administer(database) as connection:
            [tables] = connection.execute("SELECT array_agg(tablename) FROM pg_tables WHERE schemaname = 'public'")
            for table in tables[0]:  # type: ignore[index,attr-defined]
                rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()
                assert not [row for row in rows if "Given-1" in str(row) or b"Given-1".hex() in str(row)]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://keyturn:Hunter-2@/site?host={socket}", "holds a password"),
        ("postgresql://keyturn@/site?host={socket}&password=Hunter-2", "holds a password"),
        ("postgresql://keyturn@db.example/site", "without proof"),
        ("postgresql://keyturn@192.0.2.1/site?sslmode=require", "without proof"),
    ],
)
def test_an_unsafe_address_is_refused_before_anything_is_sent(url: str, why: str) -> None:
    with pytest.raises(NotAStore, match=why) as refused:
        opened(url)
    assert "Hunter" not in f"{refused.value} {refused.value.hint}"


def test_a_server_that_cannot_be_reached_is_named_without_a_password(server: Server) -> None:
    with pytest.raises(KeyturnError) as failure:
        open_store(
            "postgresql://keyturn@127.0.0.1:1/site",
            seal_key=KEY,
            envelope=paper,
            now=Clock(),
            new_id=lambda: "id",
            logins=lambda: StoreLogin(Secret("Hunter-2")),
        )
    assert "127.0.0.1" in str(failure.value)
    assert "Hunter" not in str(failure.value)


def test_the_password_is_asked_for_each_connection(server: Server, database: str) -> None:
    """So that the account of the store can be given another one while the site runs."""
    asked: list[float] = []

    def login() -> StoreLogin:
        asked.append(time.monotonic())
        return StoreLogin(TRUSTED)

    for _ in range(2):
        as_whoever(login, server.url(database)).close()
    assert len(asked) >= 2


@pytest.fixture
def second_login(server: Server) -> Iterator[str]:
    name = r"ke y\turn 2"
    with server.administer() as connection:
        connection.execute(f'CREATE ROLE "{name}" LOGIN IN ROLE {OWNER}'.encode())
        yield name
        connection.execute(f'DROP ROLE "{name}"'.encode())


def test_accounts_may_follow_one_another_and_the_store_keeps_its_owner(server: Server, second_login: str) -> None:
    database, now = server.database(), [StoreLogin(TRUSTED, second_login)]
    as_whoever(lambda: now[0], server.url(database)).close()
    with server.administer(database) as connection:
        owners = connection.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert owners == [(OWNER,)]
    now[0] = StoreLogin(TRUSTED)
    as_whoever(lambda: now[0], server.url(database)).close()
    server.drop(database)


def test_a_login_that_may_not_act_as_the_owner_is_refused(server: Server, database: str) -> None:
    with server.administer() as connection:
        connection.execute("CREATE ROLE stranger LOGIN")
        with pytest.raises(KeyturnError, match="role"):
            as_whoever(lambda: StoreLogin(TRUSTED, "stranger"), server.url(database))
        connection.execute("DROP ROLE stranger")


def test_a_login_is_read_from_one_line_or_from_two() -> None:
    assert StoreLogin.from_text("Maple-7\n") == StoreLogin(Secret("Maple-7"))
    assert StoreLogin.from_text("keyturn_2\nMaple-7\n") == StoreLogin(Secret("Maple-7"), "keyturn_2")


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_what_it_acknowledges_is_refused(server: Server, database: str, setting: str) -> None:
    _set(server, setting, "off")
    try:
        with pytest.raises(NotAStore, match="may lose"):
            opened(server.url(database))
    finally:
        _set(server, setting, "on")


def test_a_database_of_something_else_is_refused_and_left_alone(server: Server) -> None:
    name = server.database()
    with server.administer(name) as connection:
        connection.execute("CREATE TABLE accounts (name text)")
    with pytest.raises(NotAStore, match="something else"):
        opened(server.url(name))


def test_a_clock_that_is_another_is_refused(server: Server, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = time.time
    monkeypatch.setattr(time, "time", lambda: here() - 3600)
    with pytest.raises(NotAStore, match="3600 s behind"):
        opened(server.url(database))


def _set(server: Server, name: str, value: str) -> None:
    with server.administer() as connection:
        connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        connection.execute("SELECT pg_reload_conf()")
        while connection.execute(f"SELECT current_setting('{name}')").fetchone() != (value,):
            pass
