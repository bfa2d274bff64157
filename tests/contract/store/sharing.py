"""What the contract asks of writers at the same time: they share commits, and nobody is answered before his."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, insert, select, text

from keyturn.adapters.store.engine import Engines, open_engines
from keyturn.adapters.store.errors import Unavailable
from keyturn.adapters.store.schema import client_keys
from keyturn.adapters.store.store import SqlStore
from keyturn.adapters.store.turns import MOST, Turns
from tests.contract.store.setting import Setting

ROOT = Path(__file__).parents[3]
SEEN = 300
"""Acknowledged writes before the kill."""


class Mishap(Exception):
    pass


@dataclass
class Writers:
    """Threads that write one row each, and what became of it."""

    turns: Turns
    engines: Engines
    commits: int = 0
    hands: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2 * MOST))

    def write(self, name: str, then: Callable[[Connection], object] = lambda _: None) -> None:
        with self.turns.take() as connection:
            connection.execute(insert(client_keys).values(verify_key=name.encode(), counter=0))
            then(connection)

    def all_behind_one(
        self,
        *names: str,
        then: dict[str, Callable[[Connection], object]] | None = None,
        first: Callable[[Connection], object] = lambda _: None,
    ) -> dict[str, Exception | None]:
        """`first` has the turn until everybody else waits; then chance says who is next. What each was told."""
        then, go = then or {}, threading.Event()

        def hold(connection: Connection) -> None:
            go.wait()
            first(connection)

        told: dict[str, Future[None]] = {"first": self.hands.submit(self.write, "first", hold)}
        for number, name in enumerate(names, start=1):
            told[name] = self.hands.submit(self.write, name, then.get(name, lambda _: None))
            while len(self.turns.waiting) < number and not told["first"].done():
                pass
        go.set()
        return {name: _exception(answer) for name, answer in told.items()}

    def kept(self) -> set[str]:
        with self.engines.reading.begin() as connection:
            return {key.decode() for key in connection.execute(select(client_keys.c.verify_key)).scalars()}

    def count(self, _connection: Connection) -> None:
        self.commits += 1


def _exception(answer: "Future[None]") -> Exception | None:
    error = answer.exception()
    assert error is None or isinstance(error, Exception)
    return error


def mishap(_connection: Connection) -> None:
    raise Mishap


def lose_the_transaction(connection: Connection) -> None:
    """As SQLite does when its disk is full."""
    connection.exec_driver_sql("ROLLBACK")


class SharingContract(Setting):
    @pytest.fixture
    def writers(self, url: str, empty: SqlStore) -> Iterator[Writers]:
        engines = open_engines(url)
        writers = Writers(Turns(engines.writing, vanished_s=0.05), engines)
        event.listen(engines.writing, "commit", writers.count)
        yield writers
        writers.hands.shutdown()
        engines.dispose()

    def test_writers_that_come_meanwhile_share_one_commit(self, writers: Writers) -> None:
        names = [f"w{number}" for number in range(8)]
        assert set(writers.all_behind_one(*names).values()) == {None}
        assert writers.kept() == {"first", *names}
        assert writers.commits == 1

    def test_a_writer_that_is_alone_commits_at_once(self, writers: Writers) -> None:
        for number in range(3):
            writers.write(f"w{number}")
        assert writers.commits == 3

    def test_a_transaction_takes_only_so_many(self, writers: Writers) -> None:
        names = [f"w{number}" for number in range(MOST)]
        assert set(writers.all_behind_one(*names).values()) == {None}
        assert writers.kept() == {"first", *names}
        assert writers.commits == 2

    def test_a_writer_sees_what_those_before_it_wrote(self, writers: Writers) -> None:
        seen: list[int] = []

        def look(connection: Connection) -> None:
            seen.append(len(connection.execute(select(client_keys)).all()))

        writers.all_behind_one("second", then={"second": look})
        assert seen == [2]

    @pytest.mark.parametrize("clumsy", ["first", "in the middle", "last"])
    def test_a_writer_that_fails_does_its_neighbours_no_harm(self, writers: Writers, clumsy: str) -> None:
        names = ["one", "in the middle", "two", "last"]
        first = mishap if clumsy == "first" else lambda _: None
        told = writers.all_behind_one(*names, then={clumsy: mishap}, first=first)
        assert [name for name, error in told.items() if error] == [clumsy]
        assert isinstance(told[clumsy], Mishap)
        assert writers.kept() == {"first", *names} - {clumsy}
        assert writers.commits == 1

    def test_a_statement_that_fails_does_neighbours_no_harm(self, writers: Writers) -> None:
        def again(connection: Connection) -> None:
            connection.execute(insert(client_keys).values(verify_key=b"first", counter=0))

        told = writers.all_behind_one("second", "third", then={"second": again})
        assert [type(error) for error in told.values()] == [type(None), Unavailable, type(None)]
        assert writers.kept() == {"first", "third"}

    def test_a_commit_that_fails_is_told_to_all_who_share_it(self, writers: Writers) -> None:
        with writers.engines.writing.begin() as connection:
            connection.execute(
                text("CREATE TABLE own (n INT PRIMARY KEY, m INT REFERENCES own DEFERRABLE INITIALLY DEFERRED)")
            )

        def orphan(connection: Connection) -> None:
            connection.execute(text("INSERT INTO own VALUES (1, 2)"))

        told = writers.all_behind_one("second", "third", "fourth", then={"second": orphan, "third": mishap})
        assert {type(error) for error in told.values()} == {Unavailable}
        assert writers.kept() == set()
        writers.write("later")
        assert writers.kept() == {"later"}

    @pytest.mark.parametrize("then", [(), (mishap,)], ids=["and goes on", "and fails"])
    def test_all_are_told_when_the_database_gives_the_transaction_up(
        self, writers: Writers, then: tuple[Callable[[Connection], object], ...]
    ) -> None:
        def lose(connection: Connection) -> None:
            for act in (lose_the_transaction, *then):
                act(connection)

        told = writers.all_behind_one("second", "third", then={"second": lose})
        assert [type(told[name]) for name in ("first", "second")] == [Unavailable, Unavailable]
        assert writers.kept() == {name for name, error in told.items() if error is None}
        writers.write("later")
        assert "later" in writers.kept()

    def test_a_writer_that_vanished_while_it_waited_holds_nobody_up(self, writers: Writers) -> None:
        writers.turns.waiting.add("vanished")
        writers.write("handed on")
        assert writers.kept() == {"handed on"}

    def test_what_was_acknowledged_before_a_kill_is_there(self, writers: Writers, url: str) -> None:
        command = [sys.executable, "-m", "tests.contract.store.busy", url]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            acknowledged = {process.stdout.readline().strip() for _ in range(SEEN)}
            os.kill(process.pid, signal.SIGKILL)
            acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
        assert len(acknowledged) >= SEEN
        assert acknowledged - writers.kept() == set()
