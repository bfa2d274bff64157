"""The holders that go on as they are until an era ends: what they present, and since when they have been refused."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from keyturn.lockout.attempts import Attempts, Presenting
from keyturn.lockout.eras import Era, Replies, Reply
from keyturn.lockout.fleet import Fleet
from keyturn.lockout.turns import NEVER, Ints


class Settled:
    """At first whoever learns nothing in this era, then also each learner that has got what is offered.

    Their states are not followed contact by contact. Until turn `until`, the end of the era, their attempts are known
    in advance, and since when one has been refused follows from the times its replica was not locked.
    """

    def __init__(self, fleet: Fleet, era: Era, until: int) -> None:
        holders = fleet.comings.holders
        start = era.since * holders
        self._fleet = fleet
        self._era = era
        self._since = np.full(holders, NEVER)
        self.attempts = Attempts(fleet.comings, fleet.replica, start, until)
        settled = np.setdiff1d(np.arange(holders), fleet.learners, assume_unique=True)
        self.join(settled, np.full(settled.size, start), start)

    def join(self, who: Ints, since: Ints, at: int) -> None:
        """Each of `who` has settled at its turn `since`; what they presented before turn `at` is dealt with."""
        self._since[who] = since
        until = np.full(who.size, self.attempts.until)
        self.attempts.add(Presenting(who, np.maximum(since, at), until, self._reply(who)), at)

    def close(self, replica: int, open_times: Sequence[tuple[int, int]]) -> None:
        """The era is over: bring `Fleet.refused` up to date for those at `replica`."""
        always, sometimes = self._at(replica)
        self._refuse(always, ())
        self._refuse(sometimes, open_times)

    def refusals(self, replica: int, open_times: Sequence[tuple[int, int]]) -> Iterator[tuple[Ints, Ints]]:
        """Who at `replica` was refused, and at which turn first: for its password, then for the lock alone after each
        of the `open_times`."""
        always, sometimes = self._at(replica)
        until = self.attempts.until
        times = [(always, 0, until)]
        times += [(sometimes, closes, opens) for (_, closes), (opens, _) in pairwise([*open_times, (until, until)])]
        for who, begins, ends in times:
            turns = self._fleet.comings.first_from(who, np.maximum(self._since[who], begins))
            yield who[turns < ends], turns[turns < ends]

    def _at(self, replica: int) -> tuple[Ints, Ints]:
        """Those at `replica` whose password is refused, and those who are refused only while it is locked."""
        who = np.flatnonzero((self._since < NEVER) & ~self._fleet.gated & (self._fleet.replica == replica))
        reply = self._reply(who)
        return who[reply >= Reply.REFUSED], who[reply == Reply.ADMITTED]

    def _reply(self, who: Ints) -> Replies:
        return self._era.replies[self._fleet.cohort[who], self._fleet.held[who]]

    def _refuse(self, who: Ints, open_times: Sequence[tuple[int, int]]) -> None:
        """Each of `who` gets through in the `open_times`, turns in order, and is refused outside them."""
        comings, refused = self._fleet.comings, self._fleet.refused
        since, until = self._since[who], self.attempts.until
        refused[who] = np.minimum(refused[who], _before(comings.first_from(who, since), until))
        left = np.arange(who.size)
        for opens, closes in reversed(open_times):
            first = comings.first_from(who[left], np.maximum(since[left], opens))
            through = who[left[first < closes]]
            refused[through] = _before(comings.first_from(through, np.full(through.size, closes)), until)
            left = left[first >= closes]


def _before(turns: Ints, until: int) -> Ints:
    return np.where(turns < until, turns, NEVER)
