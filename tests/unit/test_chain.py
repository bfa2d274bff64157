"""The chain of the audit log: what stands in a hash, and what makes another one."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.operations.chain import Chain, canonical_bytes
from keyturn.operations.ports import Event

KEY = bytes(range(32))
EVENT = Event(7, 1_000_000.5, "olga", "plan-proposed", "abcd", "in-place CORP\\KtClient")
OTHER = Event(8, 1_000_001.5, "paul", "plan-approved", "abce", "CORP\\KtClient")

values = st.none() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
short = st.lists(st.sampled_from(["", "a", "ab", "b", b"", b"a", b"ab", 0, 1, 0.0, -0.0, 1.0, None]), max_size=4)


@given(one=st.lists(values, max_size=4), other=st.lists(values, max_size=4))
def test_no_two_rows_of_values_have_the_same_bytes(one: list[object], other: list[object]) -> None:
    assert (canonical_bytes(*one) == canonical_bytes(*other)) == (list(map(repr, one)) == list(map(repr, other)))


@given(one=short, other=short)
def test_nor_have_two_rows_that_nearly_agree(one: list[object], other: list[object]) -> None:
    """Where one value ends and the next begins, and of what type it is, cannot be moved."""
    assert (canonical_bytes(*one) == canonical_bytes(*other)) == (list(map(repr, one)) == list(map(repr, other)))


def test_the_bytes_are_type_length_and_value() -> None:
    """Written out, because every store of this release depends on them."""
    assert canonical_bytes("é", 12, 1.5, b"\x00", None) == (
        b"s\0\0\0\0\0\0\0\x02\xc3\xa9"
        b"i\0\0\0\0\0\0\0\x0212"
        b"f\0\0\0\0\0\0\0\x08\x3f\xf8\0\0\0\0\0\0"
        b"b\0\0\0\0\0\0\0\x01\0"
        b"n\0\0\0\0\0\0\0\0"
    )


def test_a_hash_stays_what_it_was_in_earlier_releases() -> None:
    chain = Chain(KEY)
    assert (
        chain.link(chain.origin(b"this store"), EVENT).hex()
        == "23ed4f554f2a557822928d22bb9f57ab5951600a3fe12247b5a413f8065c16fe"
    )


def test_text_that_is_no_unicode_has_bytes_of_its_own() -> None:
    assert canonical_bytes("\udcff") != canonical_bytes("\ufffd")


def test_what_no_database_holds_is_refused() -> None:
    with pytest.raises(TypeError, match="a list has no place"):
        canonical_bytes([])


@pytest.mark.parametrize("name", [field.name for field in fields(Event)])
def test_the_hash_covers_every_field_of_an_event(name: str) -> None:
    altered = replace(EVENT, **{name: getattr(OTHER, name)})
    assert Chain(KEY).link(b"", altered) != Chain(KEY).link(b"", EVENT)


def test_the_hash_depends_on_the_one_before_on_the_key_and_on_the_store() -> None:
    chain = Chain(KEY)
    assert chain.link(b"\x01", EVENT) != chain.link(b"\x02", EVENT)
    assert chain.link(b"", EVENT) != Chain(bytes(32)).link(b"", EVENT)
    assert chain.origin(b"one") != chain.origin(b"other")


def test_the_origin_is_the_hash_of_no_event() -> None:
    assert canonical_bytes("keyturn audit log 1: origin", b"") != canonical_bytes("keyturn audit log 1: link", b"")
    assert Chain(KEY).origin(b"") not in {Chain(KEY).link(b"", EVENT), Chain(KEY).link(b"", OTHER)}


def test_the_key_is_not_shown() -> None:
    assert repr(Chain(KEY)) == "<chain>"
