"""The locks of one account: at which replica, since when and until when, and how they spread."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from keyturn.lockout.eras import COHORTS_A_REPLICA, Replies, Reply
from keyturn.lockout.turns import NEVER


@dataclass(frozen=True, slots=True)
class Lock:
    """Holds at `replica` from turn `since` on and before turn `until`. One that arrives after its end is over at once,
    yet it begins."""

    replica: int
    since: int
    until: int

    def over(self, turn: int) -> bool:
        return turn > self.since and turn >= self.until


@dataclass(slots=True)
class Locks:
    """A lock reaches the other replicas `lag` ticks after it began. It ends at all of them `duration` ticks after it
    began; 0: it does not end."""

    replicas: int
    holders: int
    lag: int
    duration: int
    _coming_or_held: list[Lock] = field(default_factory=list)
    _over: list[Lock] = field(default_factory=list)

    def strike(self, replica: int, turn: int) -> Lock:
        """The bad attempt of `turn` locks the account at `replica`; the others follow."""
        tick = turn // self.holders
        until = (tick + self.duration) * self.holders if self.duration else NEVER
        arrival = max((tick + self.lag) * self.holders, turn + 1)
        own = Lock(replica, turn + 1, until)
        self._coming_or_held.append(own)
        self._coming_or_held += [Lock(other, arrival, until) for other in range(self.replicas) if other != replica]
        return own

    def pass_to(self, turn: int) -> list[int]:
        """Go on to the next edge, and name the replicas at which a lock begins there."""
        self._over += [lock for lock in self._coming_or_held if lock.over(turn)]
        self._coming_or_held = [lock for lock in self._coming_or_held if not lock.over(turn)]
        return [lock.replica for lock in self._coming_or_held if lock.since == turn]

    def next_edge(self, turn: int) -> int:
        """The first turn after `turn` at which a lock begins or ends, or NEVER."""
        edges = (edge for lock in self._coming_or_held for edge in (lock.since, lock.until))
        return min((edge for edge in edges if edge > turn), default=NEVER)

    def locked(self, turn: int) -> frozenset[int]:
        return frozenset(lock.replica for lock in self._coming_or_held if lock.since <= turn < lock.until)

    def shut(self, replies: Replies, turn: int) -> Replies:
        """`replies` as they are now: whatever is presented to a locked replica is refused, and not counted."""
        shut = replies.copy()
        for replica in self.locked(turn):
            rows = shut[replica * COHORTS_A_REPLICA : (replica + 1) * COHORTS_A_REPLICA]
            rows[rows != Reply.SILENT] = Reply.REFUSED
        return shut

    def open_times(self, replica: int, since: int, until: int) -> Iterator[tuple[int, int]]:
        """When `replica` is not locked, from turn `since` on and before turn `until`: first turn and turn after."""
        locks = (lock for lock in self._over + self._coming_or_held if lock.replica == replica)
        for lock in sorted((lock for lock in locks if lock.since < lock.until), key=lambda lock: lock.since):
            if since < min(lock.since, until):
                yield since, min(lock.since, until)
            since = max(since, lock.until)
        if since < until:
            yield since, until
