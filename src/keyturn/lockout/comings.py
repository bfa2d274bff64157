"""When each holder comes: steady runs of contacts, broken by absences, and the logons of its user."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from keyturn.lockout.roster import Roster
from keyturn.lockout.turns import NEVER, Ints, Streams, ticks
from keyturn.model.estate import Habit

Away: TypeAlias = tuple[tuple[int, int], ...]
"""Absences in order, each from its first tick and before its second."""


@dataclass(frozen=True, slots=True)
class Comings:
    """Every contact of every holder before `end`, a turn, as runs in the order of the holders' ranks.

    The runs of rank r are those from place `begin[r]` to `begin[r + 1]`. `logon_every` is in ticks, 0 where no logon
    script reinstalls. `away` has the absences of the ranks that have any.
    """

    end: int
    runs: Streams
    begin: Ints
    logon_every: Ints
    away: Mapping[int, Away]

    @property
    def holders(self) -> int:
        return self.begin.size - 1

    def between(self, who: Ints, since: Ints, until: Ints) -> Streams:
        """The contacts of each of `who` from its turn `since` on and before its turn `until`."""
        place, runs = self._runs_of(who)
        return runs.within(since[place], until[place])[1]

    def first_from(self, who: Ints, since: Ints) -> Ints:
        """The turn of the first contact of each of `who` from its turn `since` on, or NEVER."""
        place, runs = self._runs_of(who)
        some, streams = runs.within(since[place], self.end)
        turns = np.full(who.size, NEVER)
        # A holder's runs are in order, so written backwards the earliest one stays.
        turns[place[some][::-1]] = streams.first[::-1]
        return turns

    def next_logon(self, who: Ints, refused: Ints, not_before: Ints) -> Ints:
        """The turn of the first user logon of each of `who` after its turn `refused` and from turn `not_before` on, or
        NEVER. All must have a logon script.

        Users log on at multiples of `logon_every` after the refusal, and not while the machine is away. When people
        really log on is not known; a fixed rhythm makes the forecast give the same answer every time.
        """
        every = self.logon_every[who]
        tick = refused // self.holders
        tick += np.maximum(1, -((tick - not_before // self.holders) // every)) * every
        for place, rank in enumerate(who.tolist()) if self.away else ():
            for leaves, returns in self.away.get(rank, ()):
                if leaves <= tick[place] < returns:
                    tick[place] += -((tick[place] - returns) // every[place]) * every[place]
        return np.where(tick < self.end // self.holders, tick * self.holders, NEVER)

    def _runs_of(self, who: Ints) -> tuple[Ints, Streams]:
        """The runs of each of `who`, and the place in `who` each of them belongs to."""
        counts = self.begin[who + 1] - self.begin[who]
        place = np.repeat(np.arange(who.size), counts)
        run = (self.begin[who] - np.cumsum(counts) + counts)[place] + np.arange(place.size)
        return place, self.runs.only(run)


def comings_of(roster: Roster, end: int) -> Comings:
    """The comings of everybody before tick `end`."""
    holders = len(roster)
    away = _away(roster)
    # A second contact after the end is as good as none, and a clipped step keeps turns within 64 bits.
    step = roster.each(lambda contact: min(ticks(contact.habit.interval_s), end))
    start = _phases(roster)
    broken = [
        (rank, first, stop)
        for rank, absences in away.items()
        for first, stop in _runs(int(start[rank]), int(step[rank]), absences, end)
    ]
    steady = np.setdiff1d(np.flatnonzero(start < end), list(away), assume_unique=True)
    rank, first, stop = np.concatenate(
        (
            np.array([steady, start[steady], np.full(steady.size, end)]),
            np.array(broken, dtype=np.int64).reshape(-1, 3).T,
        ),
        axis=1,
    )
    # Stable: the runs of one holder stay in their order.
    order = np.argsort(rank, kind="stable")
    rank = rank[order]
    return Comings(
        end=end * holders,
        runs=Streams(first[order] * holders + rank, step[rank] * holders, stop[order] * holders),
        begin=np.searchsorted(rank, np.arange(holders + 1)),
        logon_every=roster.each(lambda contact: ticks(contact.habit.logon_script_s or 0)),
        away=away,
    )


def _away(roster: Roster) -> dict[int, Away]:
    kinds = [_absences(contact.habit) for contact in roster.kinds]
    ranks = np.flatnonzero(np.array([bool(absences) for absences in kinds], dtype=np.bool_)[roster.kind])
    return {rank: kinds[roster.kind[rank]] for rank in ranks.tolist()}


def _absences(habit: Habit) -> Away:
    return tuple(sorted((ticks(absence.from_s), ticks(absence.until_s)) for absence in habit.absences))


def _phases(roster: Roster) -> Ints:
    """The tick of each one's first contact. Unknown phases are spread evenly: the i-th of n, counted from 0, comes
    after (i + ½) ⁄ n of its interval."""
    phases = roster.each(lambda contact: -1 if contact.habit.phase_s is None else ticks(contact.habit.phase_s))
    unknown = np.flatnonzero(phases < 0)
    interval = roster.each(lambda contact: ticks(contact.habit.interval_s))[unknown]
    place = 2 * np.arange(unknown.size) + 1
    # The product of an interval and a place may have more than 64 bits; that of either part may not.
    whole, rest = np.divmod(interval, 2 * unknown.size) if unknown.size else (interval, interval)
    phases[unknown] = whole * place + rest * place // max(2 * unknown.size, 1)
    return phases


def _runs(start: int, step: int, away: Away, end: int) -> Iterator[tuple[int, int]]:
    """Each run of contacts as its first tick and the tick it stops before.

    A contact that falls into an absence is made up for when the holder returns, and its rhythm starts anew from there
    (a missed cycle runs at power-up, Q231232). An absence between two contacts changes nothing.
    """
    for leaves, returns in away:
        missed = start + max(0, -((start - leaves) // step)) * step
        if missed >= end:
            break
        if missed < returns:
            if missed > start:
                yield start, missed
            start = returns
    if start < end:
        yield start, end
