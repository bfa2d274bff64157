"""Counting bad attempts at one replica, many contacts at a time: what `judge` counts, in one pass over an array.

The property tests hold this count against the truth table itself, contact by contact.
"""

from dataclasses import dataclass

import numpy as np

from keyturn.lockout.turns import Ints
from keyturn.model.policy import RealmPolicy


@dataclass(frozen=True, slots=True)
class Tally:
    """The turns of the bad attempts that make up the count, oldest first. A success and a lock empty it."""

    bad: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """The tally at the end of a stretch; or the tally that locked, and the turn at which it did."""

    tally: Tally
    locked_at: int | None = None


def count(tally: Tally, bad: Ints, latest: Ints, policy: RealmPolicy, holders: int) -> Counted:
    """Go on counting through a stretch with the bad attempts `bad`, turns in order, at a replica that is not locked.

    `latest` is one longer than `bad`: the last success before each bad attempt and before the end of the stretch, -1
    or any earlier turn where the stretch has none. `policy` has its durations in ticks and a threshold above 0.
    """
    turns = np.concatenate((np.array(tally.bad, dtype=np.int64), bad))
    if not turns.size:
        return Counted(tally)
    begins = _begins(turns, latest[:-1], policy, holders)
    length = np.arange(turns.size) - begins + 1
    locking = np.flatnonzero(length >= policy.lockout_threshold)
    last = locking[0] if locking.size else turns.size - 1
    counted = Tally(tuple(turns[begins[last] : last + 1].tolist()))
    if locking.size:
        return Counted(counted, int(turns[last]))
    return Counted(Tally() if latest[-1] > turns[-1] else counted)


def _begins(turns: Ints, latest: Ints, policy: RealmPolicy, holders: int) -> Ints:
    """For each bad attempt, the place of the one its count began with.

    A count begins anew when the window since the last bad attempt has ended, and after a success. The first attempts
    may be carried over from the stretch before: `latest` belongs to the others.
    """
    anew = np.diff(turns // holders, prepend=0) >= policy.lockout_window_s
    carried = turns.size - latest.size
    anew[carried:] |= latest > np.concatenate(([-1], turns[:-1]))[carried:]
    return np.maximum.accumulate(np.where(anew, np.arange(turns.size), 0))
