"""Two other ways to the same forecast, one contact at a time: a loop over a heap of events, and a simulation in simpy.

Both follow the rules of the test oracle (`tests/property/oracle_forecast.py`), so that only what drives them differs.
`bare_heap` is neither: a heap loop that decides nothing. No loop over a heap can be faster than that.
"""

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import simpy

from keyturn.lockout.changes import Contact, Forecast
from keyturn.model.policy import RealmPolicy
from tests.property.oracle_forecast import Order, Replica, World


@dataclass(frozen=True, slots=True)
class Told:
    """`locks_s` are the moments of all locks, in seconds from now."""

    forecast: Forecast
    locks_s: tuple[float, ...]


Peer: TypeAlias = Callable[..., Told]

_AFTER_SIMPYS_OWN = 2
"""simpy uses the priorities 0 and 1 itself."""


def with_heap(contacts: Sequence[Contact], changes: Sequence[object], policy: RealmPolicy, *, horizon_s: float) -> Told:
    world = _Watched(contacts, changes, policy, horizon_s)
    while world.heap:
        world.happen(*heapq.heappop(world.heap))
    return world.told()


def with_simpy(
    contacts: Sequence[Contact], changes: Sequence[object], policy: RealmPolicy, *, horizon_s: float
) -> Told:
    world = _Simulated(contacts, changes, policy, horizon_s)
    world.environment.run()
    return world.told()


def bare_heap(clients: int, contacts: int) -> float:
    """Seconds for so many contacts of so many clients that come again and again, and nothing else."""
    heap = [(number, number) for number in range(clients)]
    begin = time.process_time()
    for _ in range(contacts):
        at, number = heap[0]
        heapq.heapreplace(heap, (at + clients, number))
    return time.process_time() - begin


class _Watched(World):
    """The oracle's world, remembering its locks."""

    def __init__(self, contacts: Sequence[Contact], changes: Sequence[object], policy: RealmPolicy, s: float) -> None:
        self.locks: list[int] = []
        super().__init__(contacts, changes, policy, (0.0,), 1.0, None, s)

    def happen(self, now: int, order: Order, number: int, detail: int) -> None:
        match order:
            case Order.CHANGE:
                self.change(now, number, detail)
            case Order.LOCK:
                self.lock_arrives(number, detail)
            case Order.LOGON:
                self.logon(now, number, detail)
            case Order.CONTACT:
                self.contact(now, number)

    def locked(self, now: int, replica: Replica) -> None:
        self.locks.append(now)
        super().locked(now, replica)

    def told(self) -> Told:
        return Told(self.forecast(), tuple(at / 1000 for at in self.locks))


class _Simulated(_Watched):
    """Each client is a process that sleeps from contact to contact; all else is an event with a callback."""

    def __init__(self, contacts: Sequence[Contact], changes: Sequence[object], policy: RealmPolicy, s: float) -> None:
        self.environment = simpy.Environment()
        self.next: dict[int, int] = {}
        super().__init__(contacts, changes, policy, s)
        for number in range(len(self.clients)):
            self.environment.process(self._comes(number))

    def plan(self, at: int, order: Order, number: int, detail: int) -> None:
        if at > self.horizon:
            return
        if order is Order.CONTACT:
            self.next[number] = at
        else:
            self._at(at, order, number).callbacks.append(lambda _: self.happen(at, order, number, detail))

    def _comes(self, number: int) -> Iterator[simpy.Event]:
        while (at := self.next.pop(number, None)) is not None:
            yield self._at(at, Order.CONTACT, number)
            self.contact(at, number)

    def _at(self, at: int, order: Order, number: int) -> simpy.Event:
        """A timeout that knows its place among those of the same millisecond; simpy's own come as they were made."""
        event = simpy.Event(self.environment)
        event._ok, event._value = True, None
        self.environment.schedule(
            event, _AFTER_SIMPYS_OWN + order * len(self.clients) + number, at - self.environment.now
        )
        return event
