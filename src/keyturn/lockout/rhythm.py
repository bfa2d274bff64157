"""Contacts of holders that go on in the same way, kept so that any part of them is found without listing all."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from keyturn.lockout.turns import Ints, Streams

CROWD = 8
"""From this many streams of one step on, a crowd is cheaper than its streams."""
CROWDS = 16
"""So many crowds are cheaper than all their streams; those of other steps stay alone."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Streams of one step that run from turn `since` on without end: the same `phases`, in order, in every lap."""

    since: int
    step: int
    phases: Ints

    def within(self, since: int, until: int) -> Iterator[Ints]:
        """The turns from `since` on and before `until`, in parts."""
        low, high = max(since - self.since, 0), until - self.since
        first = low - low % self.step
        last = max(first, high - high % self.step)
        for start in sorted({first, last}):
            left, right = np.searchsorted(self.phases, (low - start, high - start))
            yield self.phases[left:right] + (self.since + start)
        whole = np.arange(first + self.step, last, self.step)
        yield np.add.outer(whole, self.phases).ravel() + self.since

    def latest_before(self, turns: Ints) -> Ints:
        """The last turn before each of `turns`, or -1."""
        laps, phase = np.divmod(turns - self.since, self.step)
        place = np.searchsorted(self.phases, phase) - 1
        # Before the first phase of a lap the last one of the lap before is meant: place -1 finds it.
        found = self.phases[place] + (laps - (place < 0)) * self.step
        return np.where(found >= 0, found + self.since, -1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Crowds, and the streams that belong to none."""

    crowds: tuple[Crowd, ...]
    alone: Streams

    def total(self, since: int, until: int) -> int:
        """About how many turns lie from `since` on and before `until`."""
        crowded = sum((until - since) * crowd.phases.size // crowd.step + 1 for crowd in self.crowds)
        return crowded + self.alone_total(since, until)

    def alone_total(self, since: int, until: int) -> int:
        return self.alone.within(since, until)[1].total()

    def within(self, since: int, until: int) -> Iterator[Ints]:
        """The turns from `since` on and before `until`, in parts and in no order."""
        yield self.alone.within(since, until)[1].listed()
        for crowd in self.crowds:
            yield from crowd.within(since, until)

    def latest_before(self, turns: Ints, since: int) -> Ints:
        """The last turn before each of `turns`, which are in order. Where there is none from `since` on: -1 or any
        turn before `since`."""
        alone = np.concatenate(([-1], self.alone.within(since, int(turns[-1]))[1].listed()))
        latest: Ints = alone[np.searchsorted(alone, turns) - 1]
        for crowd in self.crowds:
            latest = np.maximum(latest, crowd.latest_before(turns))
        return latest


def rhythm_of(streams: Streams, since: int, until: int) -> Rhythm:
    """Of streams that begin at turn `since` or later; to be asked about turns up to `until`."""
    steady = (streams.first < since + streams.step) & (streams.stop >= until)
    steps, members = np.unique(streams.step[steady], return_counts=True)
    largest = np.argsort(-members)[:CROWDS]
    steps = steps[largest[members[largest] >= CROWD]]
    crowded = steady & np.isin(streams.step, steps)
    crowds = (
        Crowd(since, step, np.sort(streams.first[crowded & (streams.step == step)] - since)) for step in steps.tolist()
    )
    return Rhythm(tuple(crowds), streams.only(~crowded))
