"""What every access point promises, whatever carries it. A kind of share has it by inheriting and giving the world."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from keyturn.agent.ports import Share
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.wire.agent import SITE_FILE, NoAnswer, Reading
from tests.secrets.breaking import with_locals

WRONG = Secret("Never-was-a-key-0")


@dataclass(frozen=True)
class Reader:
    """An account that may read the share, and its realm's side of it. The lockout threshold is 5."""

    name: str
    """`REALM\\name`."""
    secret: Secret
    bad_counts: Callable[[], int]
    """On all replicas together."""
    disable: Callable[[], None]


class ShareContract:
    """Needs the fixtures `share`, `unreachable` (of the same kind, on a machine that does not answer) and `reader`."""

    locked = Answer.LOCKED
    disabled = Answer.DISABLED

    def test_the_right_password_reads_the_file(self, share: Share, reader: Reader) -> None:
        reading = read(share, reader)
        assert reading.answer is Answer.ACCEPTED
        assert reading.content is not None
        assert b'"site":"PHX"' in reading.content
        assert reader.bad_counts() == 0

    def test_a_wrong_password_is_one_bad_attempt(self, share: Share, reader: Reader) -> None:
        assert read(share, reader, WRONG) == Reading(Answer.WRONG_PASSWORD)
        assert reader.bad_counts() == 1
        assert read(share, reader, WRONG) == Reading(Answer.WRONG_PASSWORD)
        assert reader.bad_counts() == 2

    def test_the_right_password_clears_the_count(self, share: Share, reader: Reader) -> None:
        read(share, reader, WRONG)
        read(share, reader)
        assert reader.bad_counts() == 0

    def test_a_locked_account_is_told_from_a_wrong_password(self, share: Share, reader: Reader) -> None:
        answers = [read(share, reader, WRONG).answer for _ in range(5)]
        assert answers == [Answer.WRONG_PASSWORD] * 5
        assert read(share, reader) == Reading(self.locked)

    def test_a_disabled_account_is_told_although_it_was_let_in_before(self, share: Share, reader: Reader) -> None:
        assert read(share, reader).answer is Answer.ACCEPTED
        reader.disable()
        assert read(share, reader) == Reading(self.disabled)
        assert reader.bad_counts() == 0

    def test_a_file_that_is_not_there_is_told(self, share: Share, reader: Reader) -> None:
        assert read(share, reader, name="nobody.acc") == Reading(Answer.NO_FILE)

    def test_a_machine_that_does_not_answer_costs_no_attempt(self, unreachable: Share, reader: Reader) -> None:
        with pytest.raises(NoAnswer) as raised:
            read(unreachable, reader, WRONG)
        assert reader.bad_counts() == 0
        assert WRONG.reveal() not in with_locals(raised.value)


def read(share: Share, reader: Reader, secret: Secret | None = None, *, name: str = SITE_FILE) -> Reading:
    with share.reach() as reached:
        return reached.read(name, reader.name, secret or reader.secret)
