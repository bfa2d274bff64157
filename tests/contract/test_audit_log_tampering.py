"""Whoever has the database file, without the key, and what the log then says. Two processes, and kills."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.adapters.store.errors import WrongSealKey
from keyturn.adapters.store.store import SqlStore
from keyturn.model.errors import Refused
from keyturn.operations.audit_log import AuditLog, Checkpoint, Fault, Verdict, take_checkpoint, verify
from tests.contract.store.files import Opened, by_hand, opening

EVENTS = 9


@pytest.fixture
def opened() -> Iterator[Opened]:
    with opening() as opened:
        yield opened


def written(log: AuditLog, path: Path, events: int = EVENTS) -> Path:
    for n in range(1, events + 1):
        log.events.tell(f"person {n}", f"kind-{n}", f"subject {n}", f"detail {n}")
    assert isinstance(log.events, SqlStore)
    log.events.close()
    return path


@pytest.fixture
def path(tmp_path: Path, opened: Opened) -> Path:
    """A log of nine events, closed."""
    return written(opened(tmp_path / "store.db"), tmp_path / "store.db")


MOVED_UP = ("DELETE FROM events WHERE number = 4", "UPDATE events SET number = number - 1 WHERE number > 4")
ROOM_MADE = (
    "UPDATE events SET number = -number - 1 WHERE number > 4",
    "UPDATE events SET number = -number WHERE number < 0",
)
SWAPPED = (
    "UPDATE events SET number = -3 WHERE number = 3",
    "UPDATE events SET number = 3 WHERE number = 5",
    "UPDATE events SET number = 5 WHERE number = -3",
)
COPIED = "INSERT INTO events SELECT {}, at, actor, kind, subject, detail, link FROM events WHERE number = 9"

ATTACKS = {
    "the first taken out": (1, "it is missing; the log goes on with event 2", ("DELETE FROM events WHERE number = 1",)),
    "one taken out": (4, "it is missing; the log goes on with event 5", ("DELETE FROM events WHERE number = 4",)),
    "some taken out": (
        4,
        "events 4 to 6 are missing; the log goes on with event 7",
        ("DELETE FROM events WHERE number BETWEEN 4 AND 6",),
    ),
    "one taken out, the others moved up": (4, "others were taken out", MOVED_UP),
    "the last but one taken out, the last moved up": (
        8,
        "others were taken out",
        ("DELETE FROM events WHERE number = 8", "UPDATE events SET number = 8 WHERE number = 9"),
    ),
    "an actor": (4, "its content was altered", ("UPDATE events SET actor = 'eve' WHERE number = 4",)),
    "a kind": (4, "its content was altered", ("UPDATE events SET kind = 'x' WHERE number = 4",)),
    "a subject": (4, "its content was altered", ("UPDATE events SET subject = 'x' WHERE number = 4",)),
    "a detail": (4, "its content was altered", ("UPDATE events SET detail = '' WHERE number = 4",)),
    "a moment": (4, "its content was altered", ("UPDATE events SET at = at + 0.001 WHERE number = 4",)),
    "the kind of a value alone": (
        4,
        "its content was altered",
        ("UPDATE events SET detail = CAST(detail AS BLOB) WHERE number = 4",),
    ),
    "bytes that are no text": (
        4,
        "its content was altered",
        ("UPDATE events SET actor = CAST(x'ff' AS TEXT) WHERE number = 4",),
    ),
    "a border between two fields": (
        4,
        "its content was altered",
        ("UPDATE events SET subject = 'subject 4d', detail = 'etail 4' WHERE number = 4",),
    ),
    "a hash": (4, "its hash was altered", ("UPDATE events SET link = zeroblob(32) WHERE number = 4",)),
    "a hash by one that is text": (4, "its hash was altered", ("UPDATE events SET link = 'x' WHERE number = 4",)),
    "content and hash": (
        4,
        "put in the place of another",
        ("UPDATE events SET detail = 'x', link = zeroblob(32) WHERE number = 4",),
    ),
    "the last": (9, "it was altered", ("UPDATE events SET detail = 'x' WHERE number = 9",)),
    "two exchanged": (3, "moved", SWAPPED),
    "two exchanged with their hashes left": (
        3,
        "its content was altered",
        (
            "CREATE TABLE kept AS SELECT * FROM events",
            "UPDATE events SET (at, actor, kind, subject, detail) = (SELECT at, actor, kind, subject, detail "
            "FROM kept WHERE kept.number = 8 - events.number) WHERE number IN (3, 5)",
        ),
    ),
    "one put in between": (5, "inserted", (*ROOM_MADE, COPIED.format(5).replace("= 9", "= 10"))),
    "one put in before the first": (1, "record with the number 0, inserted", (COPIED.format(0),)),
    "one put after the last": (10, "inserted", (COPIED.format(10),)),
    "one put far after the last": (10, "events 10 to 98 are missing", (COPIED.format(99),)),
    "one doubled, in a table remade without keys": (
        5,
        "inserted or moved",
        (
            "CREATE TABLE kept AS SELECT * FROM events",
            "DROP TABLE events",
            "CREATE TABLE events AS SELECT * FROM kept UNION ALL SELECT * FROM kept WHERE number = 4",
        ),
    ),
}


@pytest.mark.parametrize(("number", "wrong", "statements"), ATTACKS.values(), ids=ATTACKS.keys())
def test_the_first_record_that_does_not_fit_is_named(
    path: Path, opened: Opened, number: int, wrong: str, statements: tuple[str, ...]
) -> None:
    by_hand(path, *statements)
    verdict = verify(opened(path))
    assert verdict.fault is not None
    assert verdict.fault.number == number
    assert wrong in verdict.fault.wrong
    assert verdict.events == number - 1


def test_a_broken_log_has_no_checkpoint(path: Path, opened: Opened) -> None:
    by_hand(path, "DELETE FROM events WHERE number = 4")
    with pytest.raises(Refused, match="event 4: it is missing"):
        take_checkpoint(opened(path))


# The end cut off, older copies, other stores.


@pytest.mark.parametrize("left", [8, 1, 0])
def test_a_cut_off_end_shows_against_a_checkpoint_and_not_without(path: Path, opened: Opened, left: int) -> None:
    kept = take_checkpoint(opened(path))
    by_hand(path, f"DELETE FROM events WHERE number > {left}")
    log = opened(path)
    assert verify(log) == Verdict(left, verify(log).last, 0, None)
    fault = verify(log, [kept]).fault
    assert fault == Fault(left + 1, fault.wrong if fault else "")
    assert "cut off" in str(fault)
    assert "checkpoint is of event 9" in str(fault)


def test_a_log_that_went_on_after_its_end_was_cut_off_differs_from_the_checkpoint(path: Path, opened: Opened) -> None:
    kept = take_checkpoint(opened(path))
    by_hand(path, "DELETE FROM events WHERE number > 6")
    log = opened(path)
    for n in range(5):
        log.events.tell("ann", "kind", f"{n}")
    assert verify(log).fault is None
    fault = verify(log, [kept]).fault
    assert fault is not None
    assert fault.number == 9
    assert "older backup" in fault.wrong


def test_a_log_written_anew_with_the_seal_key_shows_against_a_checkpoint(
    path: Path, tmp_path: Path, opened: Opened
) -> None:
    """The limit of the chain: key and file together make a chain that fits. What was kept elsewhere does not."""
    kept = take_checkpoint(opened(path))
    by_hand(path, "DELETE FROM events")
    forged = written(opened(path), path)
    assert verify(opened(forged)).fault is None
    by_hand(path, "DELETE FROM events")
    log = opened(path)
    for n in range(1, EVENTS + 1):
        log.events.tell(f"person {n}", f"kind-{n}", f"subject {n}", "nothing at all" if n == 4 else f"detail {n}")
    assert verify(log).fault is None
    fault = verify(log, [kept]).fault
    assert fault is not None
    assert (fault.number, "written anew" in fault.wrong) == (9, True)


def test_the_earliest_checkpoint_that_does_not_fit_is_told(path: Path, opened: Opened) -> None:
    log = opened(path)
    by_number = {record.event.number: record for record in log.events.chained()}

    def checkpoint(number: int, link: bytes | None = None) -> Checkpoint:
        return Checkpoint("PHX", number, 1.0, link or by_number[number].link)

    verdict = verify(log, [checkpoint(8, bytes(32)), checkpoint(2), checkpoint(5, bytes(32)), checkpoint(2)])
    assert verdict.fault is not None
    assert (verdict.fault.number, verdict.checkpoints, verdict.events) == (5, 2, 4)


def test_logs_of_two_stores_under_one_key_cannot_be_exchanged(tmp_path: Path, path: Path, opened: Opened) -> None:
    other = written(opened(tmp_path / "other.db"), tmp_path / "other.db")
    by_hand(
        path,
        f"ATTACH '{other}' AS other",
        "DELETE FROM events",
        "INSERT INTO events SELECT * FROM other.events",
    )
    assert verify(opened(other)).fault is None
    fault = verify(opened(path)).fault
    assert fault is not None
    assert fault.number == 1


def test_a_store_passed_off_as_one_whose_events_are_still_to_be_chained_is_refused(path: Path, opened: Opened) -> None:
    """Else an altered log would be chained as it stands, by whoever starts the server next."""
    by_hand(
        path,
        "UPDATE events SET detail = 'x' WHERE number = 4",
        "ALTER TABLE events DROP COLUMN link",
        "UPDATE alembic_version SET version_num = '0001'",
    )
    with pytest.raises(WrongSealKey):
        opened(path)
    by_hand(path, "DELETE FROM canary")
    with pytest.raises(WrongSealKey):
        opened(path)


# Processes.

_WRITER = """
import sys
from keyturn.adapters.store.store import open_store
from tests.contract.store.setting import KEY, paper
from tests.contract.store.world import Clock

store = open_store(sys.argv[1], seal_key=KEY, envelope=paper, now=Clock(), new_id=lambda: "id")
for number in range(1, int(sys.argv[3]) + 1):
    store.tell(sys.argv[2], "kind", f"{number}")
    print(number, flush=True)
"""


def writer(path: Path, name: str, events: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _WRITER, f"sqlite:///{path}", name, f"{events}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_two_processes_write_one_chain(path: Path, opened: Opened) -> None:
    writers = [writer(path, name, 50) for name in ("one", "other")]
    for process in writers:
        process.communicate(timeout=60)
        assert process.returncode == 0
    log = opened(path)
    assert (verify(log).fault, verify(log).events) == (None, EVENTS + 100)
    for name in ("one", "other"):
        told = [event.subject for event in log.events.since(EVENTS) if event.actor == name]
        assert told == [f"{n}" for n in range(1, 51)]


@pytest.mark.parametrize("acknowledged", [1, 7, 30])
def test_a_kill_while_writing_leaves_a_whole_chain_with_everything_acknowledged(
    path: Path, opened: Opened, acknowledged: int
) -> None:
    process = writer(path, "one", 100_000)
    assert process.stdout
    for _ in range(acknowledged):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    last = int((process.stdout.read().splitlines() or [f"{acknowledged}"])[-1])
    process.stdout.close()
    process.wait()
    log = opened(path)
    verdict = verify(log)
    assert verdict.fault is None
    assert verdict.events - EVENTS in (last, last + 1)
    log.events.tell("ann", "kind", "subject")
    assert verify(log).fault is None
