"""A fleet's passage through an era, stretch by stretch. A stretch ends where the era does, or where a lock begins or
ends, or when enough was counted."""

from dataclasses import dataclass
from itertools import islice

from keyturn.lockout.eras import Era
from keyturn.lockout.fleet import Fleet, Stretch, foresee
from keyturn.lockout.locks import Locks
from keyturn.lockout.moments import LOCKS, REFUSALS, Story
from keyturn.lockout.outlook import Outlook, look_ahead
from keyturn.lockout.settled import Settled
from keyturn.lockout.tally import Counted, Tally
from keyturn.model.policy import RealmPolicy

FEW = 1 << 10
MANY = 1 << 20
"""About so many turns are listed at a time: few at first, then twice as many each time, up to what needs some 100 MB;
after a lock a quarter of that, since the next one may be near."""


@dataclass(slots=True)
class Passage:
    """`policy` has its durations in ticks. `first` is the tally that locked first; None: none has."""

    fleet: Fleet
    locks: Locks
    policy: RealmPolicy
    story: Story
    tallies: list[Tally]
    first: Tally | None = None
    _allowance: int = FEW

    def through(self, era: Era, until: int) -> None:
        """From the beginning of the era to turn `until`, its end."""
        start = turn = era.since * self.fleet.comings.holders
        self.fleet.begin(era)
        settled = Settled(self.fleet, era, until)
        while turn < until and not self._decided(until):
            for replica in self.locks.pass_to(turn):
                self.tallies[replica] = Tally()
            settled.attempts.renew(turn)
            turn = self._stretch(era, settled, turn, min(until, self.locks.next_edge(turn)))
        if turn < until:
            self._learn(foresee(self.fleet, era.offered, era.replies, until))
        for replica in range(len(self.tallies)):
            open_times = tuple(self.locks.open_times(replica, start, until))
            for who, turns in islice(settled.refusals(replica, open_times), REFUSALS):
                self.story.refused(who, turns)
            settled.close(replica, open_times)

    def _decided(self, until: int) -> bool:
        """Whether no lock can change any more what becomes of the holders, and enough locks are told.

        Those with a gate learn in spite of locks. As long as there are changes to come, a lock may still matter.
        """
        fleet, learners = self.fleet, self.fleet.learners
        if until < fleet.comings.end or self.story.locks < LOCKS:
            return False
        come = (fleet.coming[learners] < until) | (fleet.reinstall[learners] < until)
        return bool(fleet.gated[learners[come]].all())

    def _stretch(self, era: Era, settled: Settled, since: int, until: int) -> int:
        """Go on to turn `until` or not so far, and return how far."""
        outlook = self._affordable(era, settled, since, until)
        counted = self._counted(outlook)
        struck = min((c.locked_at for c in counted.values() if c.locked_at is not None), default=None)
        if struck is not None:
            outlook = look_ahead(self.fleet, settled.attempts, era, self.locks, since, struck + 1)
            counted = self._counted(outlook)
        for replica, result in counted.items():
            self._settle_count(replica, result)
        self._allowance = min(2 * self._allowance, MANY) if struck is None else max(self._allowance // 4, FEW)
        self._learn(outlook.stretch)
        settled.join(outlook.stretch.after.who, outlook.stretch.after.since, outlook.until)
        return outlook.until

    def _learn(self, stretch: Stretch) -> None:
        self.fleet.apply(stretch)
        self.story.stretch(stretch)

    def _affordable(self, era: Era, settled: Settled, since: int, until: int) -> Outlook:
        """An outlook that costs about as much as is allowed now, and reaches one tick at least."""
        tick = self.fleet.comings.holders
        while True:
            outlook = look_ahead(self.fleet, settled.attempts, era, self.locks, since, until)
            cost = sum(outlook.cost(replica, self.tallies[replica]) for replica in self._watched(since))
            if cost <= 2 * self._allowance or until - since <= tick:
                return outlook
            until = since + max((until - since) * self._allowance // cost, tick)

    def _watched(self, turn: int) -> list[int]:
        """Where a lock can begin."""
        if self.policy.lockout_threshold == 0:
            return []
        locked = self.locks.locked(turn)
        return [replica for replica in range(len(self.tallies)) if replica not in locked]

    def _counted(self, outlook: Outlook) -> dict[int, Counted]:
        holders = self.fleet.comings.holders
        return {
            replica: outlook.count(replica, self.tallies[replica], self.policy, holders)
            for replica in self._watched(outlook.since)
        }

    def _settle_count(self, replica: int, result: Counted) -> None:
        self.tallies[replica] = result.tally
        if result.locked_at is None:
            return
        lock = self.locks.strike(replica, result.locked_at)
        self.story.lock(replica, result.locked_at, lock.until)
        if self.first is None:
            self.first = result.tally
            self.story.attempts(result.tally.bad)
