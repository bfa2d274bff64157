"""The lockout budget: whether one more logon may be spent on an account now, decided from what was spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from keyturn.model.logon import Answer
from keyturn.model.policy import RealmPolicy


@dataclass(frozen=True, slots=True)
class Attempt:
    """One logon of ours. `answer` None: it was begun and its end is unknown (a crash in between).

    `last_bad_before` is the replica's own record of the last bad attempt before ours: if it has not moved
    since, ours was not a bad one.
    """

    number: int
    replica: str
    at: float
    last_bad_before: float | None
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Allowed:
    pass


@dataclass(frozen=True, slots=True)
class Wait:
    retry_s: float
    reason: str


def may_attempt(
    ours: Sequence[Attempt], bad_count: int, last_bad_at: float | None, policy: RealmPolicy, now: float
) -> "Verdict":
    """At most one bad attempt of ours per account and window, and never the one that locks.

    `ours` are our attempts on the account, on any replica; one whose end is unknown counts as bad. `bad_count` and
    `last_bad_at` are the largest of any replica: who else mistypes uses up the same budget.
    """
    if policy.lockout_threshold == 0:
        return Allowed()
    window = policy.lockout_window_s
    spent = [a.at for a in ours if _may_be_bad(a) and now < a.at + window]
    if spent:
        return Wait(max(spent) + window - now, "one bad attempt of ours in this window already")
    if last_bad_at is not None and now < last_bad_at + window and bad_count + 1 >= policy.lockout_threshold:
        return Wait(last_bad_at + window - now, f"{bad_count} bad attempts of others: one more would lock")
    if policy.lockout_threshold == 1:
        return Wait(window, "the realm locks at the first bad attempt, so none can be risked")
    return Allowed()


def _may_be_bad(attempt: Attempt) -> bool:
    return attempt.answer is None or attempt.answer is Answer.WRONG_PASSWORD


Verdict: TypeAlias = Allowed | Wait
