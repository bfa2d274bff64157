"""Who presents what and when, by replica and by what it comes to: the successes and the bad attempts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from keyturn.lockout.comings import Comings
from keyturn.lockout.eras import Replies, Reply
from keyturn.lockout.rhythm import CROWD, Rhythm, rhythm_of
from keyturn.lockout.turns import Ints

PARTS = 8
"""At most so many rhythms a replica and reply; then one is made of all."""
RENEWALS = 32
"""So many times an era, streams that began late or ended early are sorted into crowds anew."""


@dataclass(frozen=True, slots=True)
class Presenting:
    """Holders, the turns from and before which each presents what it holds, and the reply it gets."""

    who: Ints
    since: Ints
    until: Ints
    reply: Replies

    def only(self, which: Ints) -> "Presenting":
        return Presenting(self.who[which], self.since[which], self.until[which], self.reply[which])


_Key: TypeAlias = tuple[int, int]
"""A replica and a `Reply`."""


@dataclass(slots=True)
class Attempts:
    """Between turns `since` and `until`, asked about and added to in the order of time. `replica` is by rank."""

    comings: Comings
    replica: Ints
    since: int
    until: int
    _renewed: int = field(init=False)
    _batches: dict[_Key, list[Presenting]] = field(default_factory=dict)
    _rhythms: dict[_Key, list[Rhythm]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._renewed = self.since

    def add(self, presenting: Presenting, at: int) -> None:
        """Take in a batch that presents nothing before turn `at`."""
        for key, batch in self._parted(presenting):
            batches = self._batches.setdefault(key, [])
            batches.append(batch)
            if len(batches) > PARTS:
                self._join(key, at)
            else:
                self._rhythms.setdefault(key, []).append(self._rhythm(batch, at))

    def renew(self, at: int) -> None:
        """Forget what lies before turn `at`, now and then, where that makes asking cheaper."""
        if (at - self._renewed) * RENEWALS < self.until - self.since:
            return
        self._renewed = at
        for key, rhythms in self._rhythms.items():
            if any(rhythm.alone.first.size >= CROWD for rhythm in rhythms):
                self._join(key, at)

    def bad_cost(self, replica: int, since: int, until: int) -> int:
        """About how many turns `bad` lists."""
        return sum(rhythm.total(since, until) for rhythm in self._of(replica, Reply.COUNTED))

    def success_cost(self, replica: int, since: int, until: int) -> int:
        """About how many turns `latest_success` lists to answer for turns before `until`."""
        return sum(rhythm.alone_total(since, until) for rhythm in self._of(replica, Reply.ADMITTED))

    def bad(self, replica: int, since: int, until: int) -> Iterator[Ints]:
        """Their turns, in parts and in no order."""
        for rhythm in self._of(replica, Reply.COUNTED):
            yield from rhythm.within(since, until)

    def latest_success(self, replica: int, turns: Ints, since: int) -> Iterator[Ints]:
        """For each part the last success before each of `turns`, as `Rhythm.latest_before` tells it."""
        for rhythm in self._of(replica, Reply.ADMITTED):
            yield rhythm.latest_before(turns, since)

    def _of(self, replica: int, reply: Reply) -> Sequence[Rhythm]:
        return self._rhythms.get((replica, reply), ())

    def _join(self, key: _Key, at: int) -> None:
        batches = self._batches[key]
        joined = Presenting(
            np.concatenate([batch.who for batch in batches]),
            np.concatenate([np.maximum(batch.since, at) for batch in batches]),
            np.concatenate([batch.until for batch in batches]),
            np.concatenate([batch.reply for batch in batches]),
        )
        self._batches[key] = [joined]
        self._rhythms[key] = [self._rhythm(joined, at)]

    def _rhythm(self, batch: Presenting, at: int) -> Rhythm:
        return rhythm_of(self.comings.between(batch.who, batch.since, batch.until), at, self.until)

    def _parted(self, presenting: Presenting) -> Iterator[tuple[_Key, Presenting]]:
        for reply in (Reply.ADMITTED, Reply.COUNTED):
            chosen = np.flatnonzero(presenting.reply == reply)
            where = self.replica[presenting.who[chosen]]
            for replica in np.unique(where).tolist():
                yield (replica, reply), presenting.only(chosen[where == replica])
