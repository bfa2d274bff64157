"""What the contract asks of the site control file: every delta and document kept, in order, as it was."""

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.model.estate import SiteCode
from keyturn.site.control.catalogue import Section
from keyturn.site.control.deltas import Delta, DeltaStatus, RemoveItem, Set
from keyturn.site.control.document import Item, Path, Sealed, SiteControl
from tests.contract.store.setting import Setting

PHX = SiteCode("PHX")
SECRET = Path(Section.ADDRESS, "NYC", "password")
FIRST = SiteControl(PHX, 0, (Item(Section.SITE, "PHX", (("server", "SRV-PHX"),)),))
SECOND = SiteControl(PHX, 1, (*FIRST.items, Item(Section.ADDRESS, "NYC", (("password", Sealed(b"\x00\xff")),))))
ADDED = Delta(PHX, "olga", 0, (Set(SECRET, Sealed(b"\x00\xff")),))
REMOVED = Delta(PHX, "paul", 0, (RemoveItem(Section.ADDRESS, "NYC"),))


class SiteControlContract(Setting):
    @pytest.fixture
    def with_two(self, empty: SqlStore) -> SqlStore:
        empty.keep_delta(Delta(PHX, "setup", 0, ()), DeltaStatus.APPLIED, FIRST)
        empty.keep_delta(REMOVED, DeltaStatus.UNKNOWN, None, "there is no address.NYC", "look")
        empty.keep_delta(ADDED, DeltaStatus.APPLIED, SECOND)
        return empty

    def test_a_new_store_has_no_control_file(self, empty: SqlStore) -> None:
        assert (empty.control(), empty.control_history(), empty.control_text()) == (None, (), None)

    def test_each_document_is_kept_under_its_serial_and_the_newest_is_current(self, with_two: SqlStore) -> None:
        assert with_two.control() == SECOND
        assert (with_two.control(0), with_two.control(1), with_two.control(2)) == (FIRST, SECOND, None)

    def test_the_history_has_every_delta_in_its_order_with_what_became_of_it(self, with_two: SqlStore) -> None:
        first, refused, applied = with_two.control_history()
        assert (first.number, first.delta.author, first.serial) == (1, "setup", 0)
        assert (refused.delta, refused.status, refused.serial) == (REMOVED, DeltaStatus.UNKNOWN, None)
        assert (refused.said, refused.hint) == ("there is no address.NYC", "look")
        assert (applied.delta, applied.status, applied.serial) == (ADDED, DeltaStatus.APPLIED, 1)

    def test_no_serial_is_given_twice(self, with_two: SqlStore) -> None:
        with pytest.raises(Exception, match="serial"):
            with_two.keep_delta(ADDED, DeltaStatus.APPLIED, SECOND)
        assert len(with_two.control_history()) == 3

    def test_of_another_site_the_newest_document_is_kept(self, empty: SqlStore) -> None:
        assert empty.control_copy(PHX) is None
        empty.keep_control_copy(FIRST)
        empty.keep_control_copy(SECOND)
        assert empty.control_copy(SiteCode("phx")) == SECOND
        assert empty.control_copy(SiteCode("LAX")) is None
        assert empty.control() is None

    def test_of_texts_the_last_one_counts_byte_for_byte(self, empty: SqlStore) -> None:
        empty.keep_control_text(b"first\r\n", 1, "olga")
        empty.keep_control_text(b"\xff\xfe\x00second", 2, "olga")
        assert empty.control_text() == (2, b"\xff\xfe\x00second")
