"""The site component manager: every component in a thread of its own, watched, and begun again when it failed.

A component that raises anything at all, MemoryError and SystemExit too, ends its own thread and no other.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from keyturn.model.errors import KeyturnError
from keyturn.operations.parts import Parts
from keyturn.operations.status_messages import report
from keyturn.site.components import ComponentName, Order, Standing, State, Wanted
from keyturn.site.status_messages import MessageId
from keyturn.site.supervision import Seen, next_standing

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""How often orders are read and threads looked at."""

BEAT_S = 15.0
"""How often a process says that it is there, where nothing else changes; a quarter of what makes it dead."""

FORGET_S = 24 * 3600.0
"""What a process that is gone said last is kept for so long."""

LEAVE_S = 60.0
"""How long the end of a process waits for its components. Whatever is under way then is safe to be killed."""

_MANAGER = ComponentName.SITE_COMPONENT_MANAGER


@dataclass(frozen=True, slots=True)
class Component:
    """`turn` does what is due and says in how many seconds to call it again; it is safe to repeat. `begin` comes before
    the first turn of a thread, `end` after the last, whatever ended it. A turn that takes longer than `allowed_s` is
    shown as failing."""

    name: ComponentName
    turn: Callable[[], float]
    begin: Callable[[], None] = lambda: None
    end: Callable[[], None] = lambda: None
    allowed_s: float = 60


class Supervisor:
    """`process` is its name among the processes of the site; `components` are made once the parts are there. `clock`
    times turns."""

    def __init__(
        self,
        process: str,
        components: Callable[[Parts], Sequence[Component]],
        *,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._process = process
        self._made = components
        self._chance = chance
        self._clock = clock
        self._components: dict[ComponentName, Component] = {}
        self._threads: dict[ComponentName, _Thread] = {}
        self._restarts: dict[ComponentName, int] = {}
        self._standings: dict[ComponentName, Standing] = {}
        self._told: dict[ComponentName, Standing] = {}
        self._told_at = float("-inf")
        self._ended = threading.Event()
        self._own: threading.Thread | None = None

    def rests(self, name: ComponentName) -> bool:
        """Whether people stopped or paused it, as far as was seen at the last look."""
        return name in self._standings and self._standings[name].state in (State.STOPPED, State.PAUSED)

    def start(self, parts: Parts) -> None:
        self.take_up(parts)
        self._own = threading.Thread(target=self._stay, args=(parts,), name=_MANAGER, daemon=True)
        self._own.start()

    def stop(self) -> None:
        """Waits for every turn under way, but not for ever."""
        self._ended.set()
        if self._own:
            self._own.join()

    def take_up(self, parts: Parts) -> None:
        """Make the components; none is begun."""
        now = parts.now()
        self._components = {component.name: component for component in self._made(parts)}
        self._standings = {name: Standing(name, State.STARTING, now) for name in self._components}
        self._standings[_MANAGER] = Standing(_MANAGER, State.RUNNING, now)

    def look(self, parts: Parts) -> None:
        """One round: what is wanted, what is seen, what follows, and what is told of it."""
        orders = parts.store.orders()
        for name in self._components:
            self._see_to(name, orders.get(name, Order()), parts.now())
        self._tell(parts, orders)

    def leave(self, parts: Parts) -> None:
        """End everything, and say so."""
        for thread in self._threads.values():
            thread.finish()
        deadline = time.monotonic() + LEAVE_S
        for thread in self._threads.values():
            thread.join(deadline - time.monotonic())
        now, note = parts.now(), f"its process {self._process} has ended"
        self._stand(parts, [Standing(name, State.STOPPED, now, note=note) for name in self._standings])

    def _stay(self, parts: Parts) -> None:
        while not self._ended.is_set():
            _guarded(self.look, parts)
            self._ended.wait(LOOK_S)
        _guarded(self.leave, parts)

    def _see_to(self, name: ComponentName, order: Order, now: float) -> None:
        thread, before = self._threads.get(name), self._standings[name]
        if self._restarts.setdefault(name, order.restarts) != order.restarts:
            self._restarts[name] = order.restarts
            before = replace(before, failures=0, next_start_at=None)
            if thread:
                thread.finish()
        seen = thread.seen(self._clock()) if thread else None
        after = next_standing(before, seen, order, now, self._chance())
        self._standings[name] = after
        if seen and not seen.alive:
            del self._threads[name]
        if name not in self._threads and after.state is State.STARTING:
            self._threads[name] = _Thread(self._components[name], self._clock)
        if name in self._threads:
            self._threads[name].follow(order.wanted)

    def _tell(self, parts: Parts, orders: Mapping[ComponentName, Order]) -> None:
        now = dict(self._standings)
        changed = [one for name, one in now.items() if one != self._told.get(name)]
        if not changed and parts.now() - self._told_at < BEAT_S:
            return
        with parts.store.whole():
            self._stand(parts, now.values())
            for one in changed:
                _report(parts, self._process, self._told.get(one.component), one, orders.get(one.component, Order()))
        self._told = now

    def _stand(self, parts: Parts, standings: Iterable[Standing]) -> None:
        now = parts.now()
        said = [replace(one, process=self._process, heard_at=now) for one in standings]
        parts.store.stand(self._process, said, forget_before=now - FORGET_S)
        self._told_at = now


def _report(parts: Parts, process: str, before: Standing | None, after: Standing, order: Order) -> None:
    name, state = after.component, before.state if before else State.STARTING
    if after.next_start_at is not None and after.failures > (before.failures if before else 0):
        pause = f"{after.next_start_at - parts.now():.1f}"
        report(parts, name, MessageId.RAISED, fault=after.note, pause_s=pause, failures=after.failures)
    elif after.state is state:
        return
    elif after.state is State.FAILING:
        report(parts, name, MessageId.HANGS, note=after.note)
    elif after.state in _RESTS:
        report(parts, name, _RESTS[after.state], by=order.by)
    elif after.state is State.RUNNING:
        report(parts, name, MessageId.STARTED if state is State.STARTING else MessageId.CAME_BACK, process=process)


_RESTS = {State.STOPPED: MessageId.STOPPED, State.PAUSED: MessageId.PAUSED}


def _guarded(act: Callable[[Parts], None], parts: Parts) -> None:
    """Nothing ends the one that starts the others."""
    try:
        act(parts)
    except KeyturnError as error:
        log.warning("the site component manager looks again: %s", error)
    except BaseException:
        log.exception("the site component manager looks again")


class _Thread:
    """A component at work, until it ends itself or is asked to end. Attributes are written by one thread each."""

    def __init__(self, component: Component, clock: Callable[[], float]) -> None:
        self._component = component
        self._clock = clock
        self._turn_since: float | None = clock()
        self._turned = False
        self._fault = ""
        self._finish = threading.Event()
        self._paused = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._work, name=component.name, daemon=True)
        self._thread.start()

    def seen(self, now: float) -> Seen:
        alive, since = self._thread.is_alive(), self._turn_since
        turn_s = now - since if alive and since is not None else 0
        return Seen(alive, self._turned, turn_s, self._component.allowed_s, self._fault)

    def follow(self, wanted: Wanted) -> None:
        if wanted is Wanted.STOP:
            self.finish()
        elif wanted is Wanted.PAUSE:
            self._paused.set()
        elif self._paused.is_set():
            self._paused.clear()
            self._woken.set()

    def finish(self) -> None:
        self._finish.set()
        self._woken.set()

    def join(self, seconds: float) -> None:
        self._thread.join(max(0.0, seconds))

    def _work(self) -> None:
        try:
            self._component.begin()
            try:
                while not self._finish.is_set():
                    pause = LOOK_S if self._paused.is_set() else self._turn()
                    self._woken.wait(pause)
                    self._woken.clear()
            finally:
                self._component.end()
        except KeyturnError as error:
            self._fault = str(error)
        except BaseException as error:
            log.exception("component %s", self._component.name)
            self._fault = type(error).__name__

    def _turn(self) -> float:
        self._turn_since = self._clock()
        pause = self._component.turn()
        self._turned, self._turn_since = True, None
        return max(0.0, pause)
