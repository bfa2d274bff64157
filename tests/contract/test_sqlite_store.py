"""The store over SQLite: the whole contract, and what only a file can show."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from keyturn.adapters.store import schema
from keyturn.adapters.store.errors import NewerSchema, NotAStore, Tampered, Unavailable, WrongSealKey
from keyturn.adapters.store.seal_key import SealKey
from keyturn.adapters.store.store import SqlStore, open_store
from keyturn.model.accounts import Credential
from keyturn.model.secret import Secret
from keyturn.operations.ports import Lease
from tests.contract.store.setting import KEY, paper
from tests.contract.store.threads import at_once
from tests.contract.store.world import (
    CONN,
    SVC,
    SVC_NAMED,
    THE_ESTATE,
    Clock,
    in_place,
    make_live,
    proposal,
    running,
    sealed,
)
from tests.contract.store_contract import StoreContract

ByHand: TypeAlias = Callable[..., list[Any]]

OTHER_KEY = SealKey(bytes(32))


def opened(path: Path, key: SealKey = KEY) -> SqlStore:
    numbers = count()
    new_id = lambda: f"id-{next(numbers)}"  # noqa: E731
    return open_store(f"sqlite:///{path}", seal_key=key, envelope=paper, now=Clock(), new_id=new_id)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store: copying it is faster than making it for each test."""
    path = tmp_path_factory.mktemp("store") / "store.db"
    opened(path).close()
    return path


@pytest.fixture
def path(tmp_path: Path, made_once: Path) -> Path:
    return Path(shutil.copy(made_once, tmp_path / "store.db"))


@pytest.fixture
def by_hand(path: Path) -> ByHand:
    """Whoever has the file, without the key."""

    def execute(statement: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    return execute


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def url(self, path: Path) -> str:
        return f"sqlite:///{path}"

    # Records altered, moved or put back.

    @pytest.fixture
    def two_generations(self, store: SqlStore) -> Lease:
        lease = running(store, in_place(SVC), given=Secret("Given-1"))
        make_live(lease, SVC, 1, "Turn-1")
        make_live(lease, SVC, 2, "Turn-2")
        return lease

    def test_every_flipped_byte_is_found(self, store: SqlStore, two_generations: Lease, by_hand: ByHand) -> None:
        [(record,)] = by_hand("SELECT sealed FROM generations WHERE generation = 2")
        for place in range(len(record)):
            flipped = record[:place] + bytes([record[place] ^ 1]) + record[place + 1 :]
            by_hand("UPDATE generations SET sealed = ? WHERE generation = 2", flipped)
            with pytest.raises(Tampered, match=r"CORP\\SMSService generation 2"):
                store.secret(Credential(SVC, 2))
        by_hand("UPDATE generations SET sealed = ? WHERE generation = 2", record)
        assert store.secret(Credential(SVC, 2)) == Secret("Turn-2")

    @pytest.mark.parametrize("left", [0, 1, 12, 13, 28, -1])
    def test_a_record_cut_short_is_found(
        self, store: SqlStore, two_generations: Lease, by_hand: ByHand, left: int
    ) -> None:
        [(record,)] = by_hand("SELECT sealed FROM generations WHERE generation = 2")
        by_hand("UPDATE generations SET sealed = ? WHERE generation = 2", record[:left])
        with pytest.raises(Tampered):
            store.secret(Credential(SVC, 2))

    def test_an_older_record_put_in_the_place_of_a_newer_is_found(
        self, store: SqlStore, two_generations: Lease, by_hand: ByHand
    ) -> None:
        by_hand(
            "UPDATE generations SET sealed = (SELECT sealed FROM generations WHERE generation = 1) WHERE generation = 2"
        )
        with pytest.raises(Tampered, match="generation 2"):
            store.secret(Credential(SVC, 2))

    def test_records_of_two_accounts_swapped_are_found(self, store: SqlStore, by_hand: ByHand) -> None:
        store.adopt(sealed(SVC), SVC, Secret("Live-1"))
        store.adopt(sealed(CONN), CONN, Secret("Live-2"))
        (one, first), (other, second) = by_hand("SELECT account_id, sealed FROM generations")
        by_hand("UPDATE generations SET sealed = ? WHERE account_id = ?", first, other)
        by_hand("UPDATE generations SET sealed = ? WHERE account_id = ?", second, one)
        for account in (SVC, CONN):
            with pytest.raises(Tampered, match=f"{account.name} generation 1"):
                store.secret(Credential(account, 1))

    def test_a_record_passed_off_as_that_of_another_plan_is_found(
        self, store: SqlStore, two_generations: Lease, by_hand: ByHand
    ) -> None:
        by_hand("UPDATE generations SET plan_id = NULL WHERE generation = 2")
        with pytest.raises(Tampered):
            store.secret(Credential(SVC, 2))

    def test_a_generation_put_where_a_password_was_handed_in_is_found(
        self, two_generations: Lease, by_hand: ByHand
    ) -> None:
        by_hand("UPDATE given SET sealed = (SELECT sealed FROM generations WHERE generation = 1)")
        with pytest.raises(Tampered, match="as handed in"):
            two_generations.given(Credential(SVC, 1))

    def test_a_damaged_live_record_is_repaired_by_adopting_the_live_password(
        self, store: SqlStore, by_hand: ByHand
    ) -> None:
        store.adopt(sealed(SVC), SVC, Secret("Live-1"))
        by_hand("UPDATE generations SET sealed = x'01'")
        store.adopt(sealed(SVC, 2), SVC, Secret("Live-1"))
        assert store.secret(Credential(SVC, 2)) == Secret("Live-1")

    def test_generations_follow_each_other_from_undecided_to_previous(
        self, store: SqlStore, two_generations: Lease, by_hand: ByHand
    ) -> None:
        two_generations.seal(sealed(SVC, 3), Secret("Turn-3"))
        states = by_hand("SELECT state FROM generations ORDER BY generation")
        assert states == [("previous",), ("live",), ("undecided",)]

    # What the schema itself forbids.

    @pytest.mark.parametrize("state", ["live", "undecided"])
    def test_no_writer_at_all_gives_an_account_two_generations_in_that_state(
        self, two_generations: Lease, by_hand: ByHand, state: str
    ) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="account_id"):
            by_hand("UPDATE generations SET state = ?", state)

    # The file.

    def test_no_password_is_in_the_file_in_clear(self, store: SqlStore, two_generations: Lease, path: Path) -> None:
        files = list(path.parent.glob("store.db*"))
        assert len(files) > 1, "the write-ahead log is part of the store"
        for file in files:
            content = file.read_bytes()
            assert not [word for word in (b"Turn-1", b"Turn-2", b"Given-1") if word in content]

    def test_commits_are_durable_and_references_checked(self, store: SqlStore) -> None:
        settings = {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}
        for transaction in (store._database.reading, store._database.writing):
            with transaction() as connection:
                for name, value in settings.items():
                    assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value

    def test_a_write_that_fails_half_way_leaves_nothing(self, store: SqlStore, by_hand: ByHand) -> None:
        by_hand("CREATE TRIGGER full BEFORE INSERT ON claims BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        with pytest.raises(Unavailable, match="disk full"):
            store.propose(proposal(in_place(SVC)), None)
        assert store.plans() == ()

    def test_an_error_of_the_database_does_not_quote_values(self, store: SqlStore, by_hand: ByHand) -> None:
        by_hand("DROP TABLE people")
        with pytest.raises(Unavailable) as failure:
            store.people.password_hash("ann-the-name")
        assert "ann-the-name" not in f"{failure.value} {failure.value.__cause__}"

    def test_what_was_acknowledged_survives_a_kill(self, store: SqlStore, url: str) -> None:
        running(store, in_place(SVC))
        store.close()
        worker = subprocess.Popen(
            [sys.executable, "-c", _WORKER, url], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        assert worker.stdout
        acknowledged = [worker.stdout.readline() for _ in range(5)][-1]
        worker.send_signal(signal.SIGKILL)
        acknowledged = (worker.stdout.read().splitlines() or [acknowledged])[-1]
        worker.stdout.close()
        worker.wait()
        again = open_store(url, seal_key=KEY, envelope=paper, now=Clock(), new_id=lambda: "id")
        newest = int(acknowledged)
        assert again.account(SVC).generation in (newest, newest + 1)
        for generation in range(1, newest + 1):
            assert again.secret(Credential(SVC, generation)) == Secret(f"Turn-{generation}")
            assert again.envelope(SVC, generation)
        again.close()


_WORKER = """
import sys
from keyturn.adapters.store.store import open_store
from tests.contract.store.setting import KEY, paper
from tests.contract.store.world import SVC, Clock, make_live

store = open_store(sys.argv[1], seal_key=KEY, envelope=paper, now=Clock(), new_id=lambda: "id")
lease = store.lease("plan-1", "worker-1", 60.0)
for generation in range(1, 100_000):
    make_live(lease, SVC, generation, f"Turn-{generation}")
    print(generation, flush=True)
"""


# Opening.


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = opened(tmp_path / "new.db")
    store.tell("ann", "kind", "subject")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    store.close()
    assert set(modes) >= {"new.db", "new.db-wal"}
    assert set(modes.values()) == {0o600}


def test_threads_that_open_a_new_file_at_once_share_one_store(tmp_path: Path) -> None:
    stores = at_once(*[lambda: opened(tmp_path / "new.db")] * 4)
    assert [store for store in stores if not isinstance(store, SqlStore)] == []
    for store in stores:
        assert isinstance(store, SqlStore)
        store.close()


def test_the_migrations_make_the_tables_that_the_code_knows(path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.METADATA) == []
    engine.dispose()
    config = Config()
    config.set_main_option("script_location", "keyturn.adapters.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == schema.REVISION


def test_a_store_of_a_later_release_is_refused_and_left_alone(path: Path, by_hand: ByHand) -> None:
    by_hand("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(NewerSchema, match="9999"):
        opened(path)
    assert path.read_bytes() == before


def test_another_key_is_refused_at_the_door(path: Path) -> None:
    with pytest.raises(WrongSealKey):
        opened(path, OTHER_KEY)
    opened(path).close()


def test_a_store_whose_key_check_was_taken_out_does_not_believe_the_next_key(path: Path, by_hand: ByHand) -> None:
    store = opened(path)
    store.replace("", THE_ESTATE, by="ann")
    store.adopt(sealed(SVC_NAMED), SVC, Secret("Live-1"))
    store.close()
    by_hand("DELETE FROM canary")
    for key in (OTHER_KEY, KEY):
        with pytest.raises(WrongSealKey):
            opened(path, key)


def test_a_store_that_is_opened_twice_in_a_process_stays_locked_against_others(path: Path) -> None:
    """Without its lock another process takes itself for the last one, and removes the log that commits are in."""
    first = opened(path)
    held = locks_of(path)
    assert held
    second = opened(path)
    assert locks_of(path) == held
    for store in (second, first):
        store.close()


def locks_of(path: Path) -> list[str]:
    """Of this process, on the file: proc_locks(5)."""
    of_file = f":{path.stat().st_ino} "
    rows = [line.split(maxsplit=1)[1] for line in Path("/proc/locks").read_text().splitlines()]
    return sorted(row for row in rows if of_file in row and f" {os.getpid()} " in row)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:////nowhere/at/all.db", "mysql://host/name", "no url"]
)
def test_where_no_store_can_be_kept_it_is_said(url: str) -> None:
    with pytest.raises(NotAStore):
        open_store(url, seal_key=KEY, envelope=paper, now=Clock(), new_id=lambda: "id")


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE accounts (name)")
    with pytest.raises(NotAStore, match="something else"):
        opened(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("just text, and long enough to be looked at " * 20)
    with pytest.raises((NotAStore, Unavailable)):
        opened(path)
