"""What a stretch would bring if no lock began in it, and the count of bad attempts that shows whether one does."""

from dataclasses import dataclass

import numpy as np

from keyturn.lockout.attempts import Attempts
from keyturn.lockout.eras import Era
from keyturn.lockout.fleet import Fleet, Stretch, foresee
from keyturn.lockout.locks import Locks
from keyturn.lockout.tally import Counted, Tally, count
from keyturn.model.policy import RealmPolicy


@dataclass(frozen=True, slots=True)
class Outlook:
    """From turn `since` on and before turn `until`. `attempts` are those of the settled holders and of the learners."""

    since: int
    until: int
    stretch: Stretch
    attempts: tuple[Attempts, Attempts]

    def cost(self, replica: int, tally: Tally) -> int:
        """About how many turns `count` has to list. Where nothing bad was or will be counted, no success matters."""
        bad = sum(attempts.bad_cost(replica, self.since, self.until) for attempts in self.attempts)
        if not tally.bad and not bad:
            return 0
        return bad + sum(attempts.success_cost(replica, self.since, self.until) for attempts in self.attempts)

    def count(self, replica: int, tally: Tally, policy: RealmPolicy, holders: int) -> Counted:
        """Go on counting at `replica`, which must not be locked."""
        empty = np.zeros(0, dtype=np.int64)
        parts = (part for attempts in self.attempts for part in attempts.bad(replica, self.since, self.until))
        bad = np.sort(np.concatenate([empty, *parts]))
        if not tally.bad and not bad.size:
            return Counted(tally)
        asked = np.append(bad, self.until)
        latest = np.full(asked.size, -1)
        for attempts in self.attempts:
            for success in attempts.latest_success(replica, asked, self.since):
                latest = np.maximum(latest, success)
        return count(tally, bad, latest, policy, holders)


def look_ahead(fleet: Fleet, settled: Attempts, era: Era, locks: Locks, since: int, until: int) -> Outlook:
    """`since` is an edge of `locks` or lies after the last one, and `until` not after the next."""
    stretch = foresee(fleet, era.offered, locks.shut(era.replies, since), until)
    learners = Attempts(fleet.comings, fleet.replica, since, until)
    learners.add(stretch.before, since)
    learners.add(stretch.after, since)
    return Outlook(since, until, stretch, (settled, learners))
