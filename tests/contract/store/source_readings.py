"""What the contract asks of readings of package sources."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.operations.source_records import KnownFile, SourceReading
from tests.contract.store.setting import Setting
from tests.contract.store.software import OTHER, PACKAGE, fill

READING = SourceReading(PACKAGE.package_id, "one", "olga", 5.25, 6.5, 1, 3, 2**40, 2**41, 7)
A, B, C = (KnownFile(letter * 64, letter.upper() * 64) for letter in "abc")


class SourceReadingsContract(Setting):
    @pytest.fixture
    def authored(self, empty: SqlStore) -> SqlStore:
        fill(empty)
        return empty

    def test_how_far_it_is_and_what_it_has_learnt_outlives_the_process(
        self, authored: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        authored.begin_reading(replace(READING, files=0))
        assert authored.tell_reading(READING, {"a": A, "d/b ü": B})
        store = open_again()
        assert store.source_reading(PACKAGE.package_id) == READING
        assert store.known_files(PACKAGE.package_id) == {"a": A, "d/b ü": B}
        assert store.source_reading(OTHER.package_id) is None
        assert store.known_files(OTHER.package_id) == {}

    def test_an_earlier_reading_learns_by_its_next_word_that_there_is_another(self, authored: SqlStore) -> None:
        later = replace(READING, reading_id="two", by="paul")
        authored.begin_reading(READING)
        authored.begin_reading(later)
        assert not authored.tell_reading(READING, {"a": A})
        authored.end_reading(READING, {"a": A}, ())
        assert authored.source_reading(PACKAGE.package_id) == later
        assert authored.known_files(PACKAGE.package_id) == {}

    def test_what_is_learnt_anew_takes_the_place_of_what_was_known(self, authored: SqlStore) -> None:
        authored.begin_reading(READING)
        authored.tell_reading(READING, {"a": A, "b": B})
        authored.tell_reading(READING, {"a": C})
        assert authored.known_files(PACKAGE.package_id) == {"a": C, "b": B}

    def test_a_reading_that_has_ended_leaves_what_it_learnt_without_what_is_gone(self, authored: SqlStore) -> None:
        authored.begin_reading(READING)
        authored.tell_reading(READING, {"a": A, "b": B})
        authored.end_reading(READING, {"c": C}, {"a"})
        assert authored.source_reading(PACKAGE.package_id) is None
        assert authored.known_files(PACKAGE.package_id) == {"b": B, "c": C}

    def test_a_package_that_is_removed_while_it_is_read_leaves_nothing(self, authored: SqlStore) -> None:
        authored.begin_reading(READING)
        authored.tell_reading(READING, {"a": A})
        authored.remove_package(PACKAGE.package_id)
        assert not authored.tell_reading(READING, {"b": B})
        authored.end_reading(READING, {"b": B}, ())
        assert authored.known_files(PACKAGE.package_id) == {}
