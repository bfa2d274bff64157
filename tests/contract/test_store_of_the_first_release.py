"""A store of the first release, whose events were not chained: chained when it is opened, under the right key alone."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from keyturn.adapters.store.cipher import Cipher, Place, Purpose
from keyturn.adapters.store.engine import open_engines
from keyturn.adapters.store.errors import WrongSealKey
from keyturn.adapters.store.seal_key import SealKey
from keyturn.model.secret import Secret
from keyturn.operations.audit_log import verify
from tests.contract.store.files import Opened, by_hand, opening
from tests.contract.store.setting import KEY


@pytest.fixture
def opened() -> Iterator[Opened]:
    with opening() as opened:
        yield opened


def of_schema_0001(path: Path, events: int, *, key: SealKey = KEY, canary: bool = True) -> Path:
    """A store as the first release left it."""
    config = Config()
    config.set_main_option("script_location", "keyturn.adapters.store:migrations")
    engines = open_engines(f"sqlite:///{path}")
    with engines.writing.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        if canary:
            sealed = Cipher(key).seal(Place(Purpose.CANARY), Secret("keyturn"))
            connection.exec_driver_sql("INSERT INTO canary VALUES (1, ?)", (sealed,))
        for n in range(events):
            line = (1000.5 + n, "ann", "kind", f"{n}", "")
            connection.exec_driver_sql(
                "INSERT INTO events (at, actor, kind, subject, detail) VALUES (?, ?, ?, ?, ?)", line
            )
    engines.dispose()
    return path


def test_a_store_of_the_first_release_is_chained_and_says_so(tmp_path: Path, opened: Opened) -> None:
    path = of_schema_0001(tmp_path / "old.db", 5)
    log = opened(path)
    assert (verify(log).fault, verify(log).events) == (None, 6)
    *old, begun = log.events.since()
    assert [event.subject for event in old] == ["0", "1", "2", "3", "4"]
    assert (begun.actor, begun.kind) == ("keyturn", "audit-log-begun")
    assert begun.detail == "5 events that were here before were chained as they stood"
    log.events.tell("ann", "kind", "subject")
    assert verify(opened(path)).events == 7
    by_hand(path, "UPDATE events SET detail = 'x' WHERE number = 2")
    fault = verify(opened(path)).fault
    assert fault is not None
    assert fault.number == 2


def test_more_events_than_a_batch_are_chained(tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    path = of_schema_0001(tmp_path / "old.db", 2501)
    assert verify(opened(path)).events == 2502


@pytest.mark.parametrize("canary", [True, False])
def test_an_empty_store_of_the_first_release_has_nothing_to_say(tmp_path: Path, opened: Opened, canary: bool) -> None:
    log = opened(of_schema_0001(tmp_path / "old.db", 0, canary=canary))
    assert log.events.since() == ()
    log.events.tell("ann", "kind", "subject")
    assert verify(log).fault is None


def test_a_store_of_the_first_release_is_not_chained_under_a_wrong_key(tmp_path: Path, opened: Opened) -> None:
    path = of_schema_0001(tmp_path / "old.db", 5, key=SealKey(bytes(32)))
    copy = shutil.copy(path, tmp_path / "copy.db")
    with pytest.raises(WrongSealKey):
        opened(path)
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(copy)) as other:
        assert list(one.iterdump()) == list(other.iterdump())
