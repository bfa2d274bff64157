import pytest

from keyturn.lockout.budget import Allowed, Attempt, Wait, may_attempt
from keyturn.model.logon import Answer
from keyturn.model.policy import RealmPolicy

POLICY = RealmPolicy(lockout_threshold=5, lockout_window_s=1800)
NOW = 10_000.0


def ours(seconds_ago: float, answer: Answer | None) -> Attempt:
    return Attempt(1, "dc1", NOW - seconds_ago, None, answer)


@pytest.mark.parametrize("answer", [Answer.ACCEPTED, Answer.LOCKED, Answer.DISABLED])
def test_an_attempt_that_did_not_count_costs_nothing(answer: Answer) -> None:
    assert may_attempt([ours(1, answer)], 0, None, POLICY, NOW) == Allowed()


@pytest.mark.parametrize("answer", [Answer.WRONG_PASSWORD, None])
def test_one_bad_attempt_or_one_of_unknown_end_uses_up_the_window(answer: Answer | None) -> None:
    assert may_attempt([ours(600, answer)], 1, NOW - 600, POLICY, NOW) == Wait(
        1200, "one bad attempt of ours in this window already"
    )
    assert may_attempt([ours(1800, answer)], 0, None, POLICY, NOW) == Allowed()


def test_the_attempt_that_would_lock_is_never_ours() -> None:
    assert isinstance(may_attempt([], 4, NOW - 10, POLICY, NOW), Wait)
    assert may_attempt([], 3, NOW - 10, POLICY, NOW) == Allowed()
    assert may_attempt([], 4, NOW - 1800, POLICY, NOW) == Allowed()


def test_a_realm_that_locks_at_the_first_mistake_gets_no_trial() -> None:
    assert isinstance(may_attempt([], 0, None, RealmPolicy(lockout_threshold=1), NOW), Wait)


def test_without_lockout_there_is_nothing_to_budget() -> None:
    never = RealmPolicy(lockout_threshold=0)
    assert may_attempt([ours(1, Answer.WRONG_PASSWORD)], 9, NOW, never, NOW) == Allowed()
