"""Time in whole numbers: ticks, and turns that put everything that happens in one order.

A tick is a millisecond: finer than a network answers, and whole numbers add exactly. A turn is a tick and the rank of
a holder in one number, `tick * holders + rank`, so that no two contacts share a turn and holders that come in the same
tick come by rank. What happens at a tick without a holder (a change, a lock that arrives or ends, a user's logon) has
the turn `tick * holders` and comes before every contact of that tick.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from keyturn.model.policy import RealmPolicy

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

PER_SECOND = 1000
NEVER = 1 << 60
"""Later than any horizon, as a tick and as a turn; twice as much is still a 64-bit number."""


def ticks(seconds: float) -> int:
    """The nearest tick. What lasts at all lasts a tick, since a duration of 0 has another meaning in a policy."""
    if seconds * PER_SECOND >= NEVER:
        return NEVER
    whole = round(seconds * PER_SECOND)
    return max(whole, 1) if seconds > 0 else whole


def in_ticks(policy: RealmPolicy) -> RealmPolicy:
    """The same policy for `judge` to apply to moments in ticks."""
    return replace(
        policy,
        lockout_window_s=ticks(policy.lockout_window_s),
        lockout_duration_s=ticks(policy.lockout_duration_s),
        grace_s=ticks(policy.grace_s),
    )


@dataclass(frozen=True, slots=True)
class Streams:
    """Turns in steady steps: `first`, `first + step`, … before `stop`. One entry a stream, none of them empty."""

    first: Ints
    step: Ints
    stop: Ints

    def total(self) -> int:
        return int(self._counts().sum())

    def listed(self) -> Ints:
        """Every turn of every stream, in order; costs memory and a sort of `total()` numbers."""
        counts = self._counts()
        stream = np.repeat(np.arange(counts.size), counts)
        place = np.arange(stream.size) - (np.cumsum(counts) - counts)[stream]
        return np.sort(self.first[stream] + place * self.step[stream])

    def within(self, since: Ints | int, until: Ints | int) -> tuple[Ints, "Streams"]:
        """What lies from turn `since` on and before turn `until`, with the places of the streams that have any."""
        first = self.first + np.maximum(0, -((self.first - since) // self.step)) * self.step
        stop = np.minimum(self.stop, until)
        some = np.flatnonzero(first < stop)
        return some, Streams(first[some], self.step[some], stop[some])

    def only(self, which: Ints | Flags) -> "Streams":
        return Streams(self.first[which], self.step[which], self.stop[which])

    def _counts(self) -> Ints:
        return (self.stop - self.first + self.step - 1) // self.step
