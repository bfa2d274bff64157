"""Status messages: the table of numbers and texts."""

import pytest

from keyturn.site.status_messages import OWN_FROM, WORDINGS, MessageId, worded


def test_every_number_has_a_text() -> None:
    assert set(WORDINGS) == set(MessageId)


def test_a_number_has_sixteen_bits_and_is_keyturns_own_unless_sms_uses_it_for_the_same() -> None:
    assert all(0 < number < 65536 for number in MessageId)
    of_programs = {10002, 10003, 10005, 10006, 10007, 10008, 10009}
    assert {number for number in MessageId if number < OWN_FROM} == {MessageId.STARTED, MessageId.RAISED, *of_programs}


@pytest.mark.parametrize("message", MessageId)
def test_a_text_takes_its_inserts_and_is_one_line(message: MessageId) -> None:
    inserts = WORDINGS[message].inserts
    text = worded(message, {name: f"<{name}\nsecond>" for name in inserts})
    assert "\n" not in text
    assert all(f"<{name} second>" in text for name in inserts)


def test_an_insert_that_is_missing_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        worded(MessageId.STARTED, {})


def test_braces_in_an_insert_stay_as_they_are() -> None:
    assert worded(MessageId.STARTED, {"process": "{by} {0}"}) == "started in {by} {0}"
