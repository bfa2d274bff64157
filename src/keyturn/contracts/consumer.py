"""What every consumer promises, as a suite to inherit. A subclass gives

- `consumer`  one that has no password yet, whose user works with any it is given
- `spoiled`   makes a context in which `adopt` cannot succeed; without it, that promise is skipped
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from keyturn.agent.consumers.plugins import Consumer, Health
from keyturn.model.accounts import AccountToBe, Credential, RealmName
from keyturn.model.secret import Secret

ACCOUNT = AccountToBe(RealmName("CORP"), "svc-contract")
FIRST, SECOND = Credential(ACCOUNT, 1), Credential(ACCOUNT, 2)
FIRST_PASSWORD = Secret("Turn: the\\key '0001'")
"""With what formats have to quote."""
SECOND_PASSWORD = Secret('Turn: the\\key "0002"')


class ConsumerContract:
    @pytest.fixture
    def consumer(self) -> Consumer:
        raise NotImplementedError

    @pytest.fixture
    def spoiled(self) -> Callable[[], AbstractContextManager[None]]:
        pytest.skip("this consumer cannot be made to fail here")

    def test_whoever_was_given_nothing_holds_nothing(self, consumer: Consumer) -> None:
        assert not consumer.holds(FIRST, FIRST_PASSWORD)
        assert consumer.verify(FIRST).trouble

    def test_what_is_adopted_is_held_and_works(self, consumer: Consumer) -> None:
        assert consumer.adopt(FIRST, FIRST_PASSWORD) == Health()
        assert consumer.holds(FIRST, FIRST_PASSWORD)
        assert consumer.verify(FIRST) == Health()

    def test_a_new_password_takes_the_place_of_the_one_before(self, consumer: Consumer) -> None:
        consumer.adopt(FIRST, FIRST_PASSWORD)
        assert consumer.adopt(SECOND, SECOND_PASSWORD) == Health()
        assert consumer.holds(SECOND, SECOND_PASSWORD)
        assert not consumer.holds(FIRST, FIRST_PASSWORD)
        assert consumer.verify(SECOND) == Health()

    def test_every_verb_may_be_repeated(self, consumer: Consumer) -> None:
        for _ in range(3):
            assert consumer.adopt(FIRST, FIRST_PASSWORD) == Health()
            assert consumer.holds(FIRST, FIRST_PASSWORD)
            assert consumer.verify(FIRST) == Health()

    def test_asking_changes_nothing(self, consumer: Consumer) -> None:
        consumer.adopt(FIRST, FIRST_PASSWORD)
        assert not consumer.holds(SECOND, SECOND_PASSWORD)
        assert consumer.holds(FIRST, FIRST_PASSWORD)
        assert consumer.verify(FIRST) == Health()

    def test_whoever_cannot_take_a_password_over_keeps_the_one_before(
        self, consumer: Consumer, spoiled: Callable[[], AbstractContextManager[None]]
    ) -> None:
        consumer.adopt(FIRST, FIRST_PASSWORD)
        with spoiled():
            failed = consumer.adopt(SECOND, SECOND_PASSWORD)
        assert failed.trouble
        assert SECOND_PASSWORD.reveal() not in failed.trouble
        assert consumer.holds(FIRST, FIRST_PASSWORD)
        assert consumer.verify(FIRST) == Health()

    def test_no_password_is_in_its_text_form(self, consumer: Consumer) -> None:
        consumer.adopt(FIRST, FIRST_PASSWORD)
        assert FIRST_PASSWORD.reveal() not in repr(consumer)
