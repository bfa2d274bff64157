"""What something can be called: one rule for what is made and for what is asked for."""

import pytest

from keyturn.model.errors import Refused
from keyturn.model.names import LONGEST_KNOWN, LONGEST_NAME, is_name, refuse_no_name

REFUSED = {
    "": "it is empty",
    "  ": "it is empty",
    "a/b": "a slash",
    "a\\b": "a slash",
    "..": "a place among folders",
    "a\x1b[2J": "U+001B (a control character)",
    " a": "begins or ends with a space",
    "n" * (LONGEST_NAME + 1): "it has 101 characters, and none has over 100",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_nothing_can_bear_is_refused_with_the_reason(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(Refused) as refused:
        refuse_no_name(name, "a person")
    assert "is no name for a person: " in refused.value.message
    assert REFUSED[name] in refused.value.message
    assert refused.value.message.isprintable()


@pytest.mark.parametrize("name", ["PC-0001", "Für alle, 100 %", "a..b", "n" * LONGEST_NAME])
def test_what_people_call_things_is_taken(name: str) -> None:
    assert is_name(name)
    refuse_no_name(name, "a collection")


def test_what_an_estate_names_may_be_longer_than_what_is_made() -> None:
    refuse_no_name("n" * LONGEST_KNOWN, longest=LONGEST_KNOWN)
    with pytest.raises(Refused, match="is no name: it has 257 characters"):
        refuse_no_name("n" * (LONGEST_KNOWN + 1), longest=LONGEST_KNOWN)
