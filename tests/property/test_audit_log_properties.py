"""Whatever is done to the table of events is found, at the first place where it differs; a cut at its end by a
checkpoint alone."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyturn.adapters.store.seal_key import SealKey
from keyturn.adapters.store.store import open_store
from keyturn.operations.audit_log import AuditLog, Checkpoint, take_checkpoint, verify

Row: TypeAlias = tuple[Any, ...]
"""number, at, actor, kind, subject, detail, link; of whatever types."""

Rows: TypeAlias = list[Row]
Change: TypeAlias = Callable[[Rows], Rows]

COLUMNS = 7


@contextmanager
def opened(path: Path) -> Iterator[AuditLog]:
    store = open_store(
        f"sqlite:///{path}",
        seal_key=SealKey(bytes(range(32))),
        envelope=lambda *_: b"",
        now=lambda: 1_000_000.25,
        new_id=lambda: "id",
    )
    try:
        yield AuditLog("PHX", store)
    finally:
        store.close()


@dataclass(frozen=True)
class Written:
    path: Path
    rows: Rows
    end: Checkpoint


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Seven events, two of which say the same."""
    path = tmp_path_factory.mktemp("log") / "store.db"
    with opened(path) as log:
        for n in (1, 2, 3, 3, 4, 5, 6):
            log.events.tell("olga", "plan-approved", f"plan-{n}", "" if n == 5 else "CORP\\KtClient")
        end = take_checkpoint(log)
    return Written(path, rows_of(path), end)


def rows_of(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        return connection.execute("SELECT * FROM events ORDER BY number").fetchall()


def put(path: Path, rows: Rows) -> None:
    """Into a table made anew, without keys and types, so that anything can stand in it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE events")
        connection.execute("CREATE TABLE events (number, at, actor, kind, subject, detail, link)")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


places = st.integers(0, 7)
cells = (
    st.none()
    | st.integers(-2, 9)
    | st.floats(allow_nan=False)
    | st.sampled_from([1_000_000.25, "", "olga", "paul", "CORP\\KtClient", b"olga", b"\xff"])
    | st.text(st.characters(codec="utf-8"), max_size=3)
    | st.binary(min_size=32, max_size=32)
)


def drop(place: int, count: int) -> Change:
    return lambda rows: rows[:place] + rows[place + count :]


def cut(left: int) -> Change:
    return lambda rows: rows[:left]


def edit(place: int, column: int, cell: object) -> Change:
    return lambda rows: [
        (*row[:column], cell, *row[column + 1 :]) if at == place else row for at, row in enumerate(rows)
    ]


def swap(one: int, other: int) -> Change:
    """All but their numbers."""

    def change(rows: Rows) -> Rows:
        if max(one, other) >= len(rows):
            return rows
        found = list(rows)
        found[one], found[other] = (rows[one][0], *rows[other][1:]), (rows[other][0], *rows[one][1:])
        return found

    return change


def copy(place: int, to: int) -> Change:
    return lambda rows: rows[:to] + rows[place : place + 1] + rows[to:]


def renumber(rows: Rows) -> Rows:
    return [(number, *row[1:]) for number, row in enumerate(rows, start=1)]


changes = st.one_of(
    st.builds(drop, places, st.integers(1, 3)),
    st.builds(cut, places),
    st.builds(edit, places, st.integers(0, COLUMNS - 1), cells),
    st.builds(swap, places, places),
    st.builds(copy, places, places),
    st.just(renumber),
)


@given(done=st.lists(changes, min_size=1, max_size=4))
@example(done=[cut(3)])
@example(done=[cut(0)])
@example(done=[drop(2, 1), renumber])
@example(done=[swap(2, 3)])
@example(done=[edit(1, 1, 1_000_000)])
@example(done=[edit(1, 2, b"olga")])
def test_every_change_of_the_table_is_found_where_it_begins(
    tmp_path_factory: pytest.TempPathFactory, written: Written, done: list[Change]
) -> None:
    path = Path(shutil.copy(written.path, tmp_path_factory.mktemp("changed") / "store.db"))
    rows = written.rows
    for change in done:
        rows = change(rows)
    put(path, rows)
    left = rows_of(path)
    first = first_difference(left, written.rows)
    with opened(path) as log:
        alone, compared = verify(log).fault, verify(log, [written.end]).fault
    assert (compared.number if compared else None) == first
    cut_off = first is not None and first == len(left) + 1
    assert (alone.number if alone else None) == (None if cut_off else first)


def first_difference(left: Rows, before: Rows) -> int | None:
    """Counted from 1. By `repr`, since 1 is not 1.0 here."""
    for number in range(1, max(len(left), len(before)) + 1):
        if repr(left[number - 1 : number]) != repr(before[number - 1 : number]):
            return number
    return None
