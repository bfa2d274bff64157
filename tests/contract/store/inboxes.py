"""Files of clients: taken in once, read once, kept whole; and what is remembered of access points."""

from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.model.errors import NotFound
from keyturn.operations.inbox_ports import FileState, InboxCount, Inboxes, InboxFile, PointRecord, SeenClient
from tests.contract.store.setting import Setting

FILE = InboxFile("statmgr", "statmsgs.box", "1.svf", "FS1", False, "receipt-1", 10.0, b"\0\xff")


class InboxesContract(Setting):
    def test_a_file_is_taken_in_once_whatever_became_of_it(self, empty: SqlStore) -> None:
        store: Inboxes = empty
        assert [store.take_in(FILE), store.take_in(FILE)] == [True, False]
        (kept,) = store.waiting("statmgr", 10)
        assert kept == replace(FILE, number=kept.number)
        store.settle_file(kept.number, FileState.DONE)
        assert (store.take_in(FILE), store.waiting("statmgr", 10), store.inbox_files()) == (False, (), ())
        with pytest.raises(NotFound):
            store.inbox_file(kept.number)

    def test_a_receipt_is_forgotten_in_time_and_a_file_that_waits_never(self, empty: SqlStore) -> None:
        store: Inboxes = empty
        store.take_in(FILE)
        store.take_in(replace(FILE, receipt="receipt-2"))
        store.settle_file(store.waiting("statmgr", 1)[0].number, FileState.DONE)
        assert (store.forget_receipts(10.0), store.forget_receipts(10.5), store.forget_receipts(99.0)) == (0, 1, 0)
        assert len(store.waiting("statmgr", 10)) == 1

    def test_a_bad_file_is_kept_whole_with_the_reason(self, empty: SqlStore) -> None:
        store: Inboxes = empty
        store.take_in(FILE)
        (number,) = (file.number for file in store.waiting("statmgr", 1))
        store.settle_file(number, FileState.BAD, "it is no status message")
        assert store.waiting("statmgr", 10) == ()
        assert store.inbox_file(number).content == b"\0\xff"
        (shown,) = store.inbox_files("statmgr")
        assert (shown.state, shown.note, shown.content) == (FileState.BAD, "it is no status message", b"")

    def test_inboxes_are_counted_by_what_waits_and_what_is_bad(self, empty: SqlStore) -> None:
        store: Inboxes = empty
        for number, arrived_at in enumerate((30.0, 20.0, 10.0)):
            store.take_in(replace(FILE, receipt=f"{number}", arrived_at=arrived_at))
        store.take_in(replace(FILE, receipt="other", inbox="sinv", source="PC-0001"))
        store.settle_file(store.waiting("statmgr", 3)[2].number, FileState.BAD, "bad")
        assert store.inbox_counts() == (InboxCount("sinv", 1, 0, 10.0), InboxCount("statmgr", 2, 1, 20.0))
        assert (store.waiting_from("PC-0001"), store.waiting_from("FS1")) == (1, 2)

    def test_what_is_known_of_an_access_point_is_replaced_whole(self, empty: SqlStore) -> None:
        store: Inboxes = empty
        assert store.point("FS1") == PointRecord("FS1")
        down = PointRecord("FS1", 1.0, None, "down", "go and look", "S-1 generation 1", {"ddr.box": 3})
        store.note_point(down)
        assert store.point("fs1") == replace(down, system="fs1")
        store.note_point(PointRecord("FS1", 2.0, 2.0))
        assert store.point("FS1") == PointRecord("FS1", 2.0, 2.0)

    def test_marks_identities_and_clients_are_added_to_and_replaced_one_by_one(self, empty: SqlStore) -> None:
        store: Inboxes = empty
        store.note_published("FS1", {"a": "1", "b": "1"})
        store.note_published("FS1", {"b": "2"})
        assert (store.published_marks("FS1"), store.published_marks("FS2")) == ({"a": "1", "b": "2"}, {})
        store.note_granted("FS1", {"S-1": r"CORP\one"})
        store.note_granted("FS1", {"S-2": r"CORP\one"})
        assert store.granted("FS1") == {"S-1": r"CORP\one", "S-2": r"CORP\one"}
        first = SeenClient("PC-0001", "keyturn-agent", (r"CORP\one",), "FS1", False, 1.0)
        store.see_client(first)
        store.see_client(replace(first, name="pc-0001", signed=True, seen_at=2.0))
        assert store.seen_clients() == (replace(first, name="pc-0001", signed=True, seen_at=2.0),)
