"""What becomes of a component, from what is seen of its thread and what people want. Read as one table."""

from dataclasses import dataclass, replace

from keyturn.site.components import Order, Standing, State, Wanted

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
SETTLED_S = 300.0
"""A component that ran for so long has got over its failures."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A component's thread. `turn_s`: how long its present turn has lasted, of `allowed_s`. `fault`: what ended it;
    empty where it ended as it was asked to."""

    alive: bool
    turned: bool = False
    """Whether a turn of it has come to its end."""
    turn_s: float = 0
    allowed_s: float = 60
    fault: str = ""


def restart_pause_s(failures: int, chance: float) -> float:
    """Doubled with each failure in a row, between half of it and all of it by `chance` (0 to 1): components that failed
    for one reason do not come back in one moment."""
    whole = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 30))
    return float(whole * (0.5 + chance / 2))


def next_standing(before: Standing, seen: Seen | None, order: Order, now: float, chance: float) -> Standing:
    """`seen` is None where there is no thread, and none whose end was not seen to. STARTING for one without a thread
    means: begin it now."""
    if seen is None:
        return _without_thread(before, order, now)
    if not seen.alive:
        return _ended(before, seen, order, now, chance)
    if seen.turn_s > seen.allowed_s:
        return _hanging(before, seen, now)
    if order.wanted is Wanted.STOP:
        return replace(before, note="stopping")
    if order.wanted is Wanted.PAUSE:
        return _moved(before, State.PAUSED, now, note=f"as {order.by} asked")
    if not seen.turned:
        return _moved(before, State.STARTING, now)
    settled = before.state is State.RUNNING and now - before.since >= SETTLED_S
    return replace(_moved(before, State.RUNNING, now), failures=0 if settled else before.failures)


def _without_thread(before: Standing, order: Order, now: float) -> Standing:
    if order.wanted is Wanted.STOP:
        return replace(_moved(before, State.STOPPED, now, note=f"as {order.by} asked"), failures=0)
    if before.next_start_at is not None and now < before.next_start_at:
        return before
    return _moved(before, State.STARTING, now)


def _ended(before: Standing, seen: Seen, order: Order, now: float, chance: float) -> Standing:
    if not seen.fault or order.wanted is Wanted.STOP:
        return _without_thread(replace(before, next_start_at=None), order, now)
    failures = before.failures + 1
    failed = _moved(before, State.FAILING, now, note=seen.fault)
    return replace(failed, failures=failures, next_start_at=now + restart_pause_s(failures, chance))


def _hanging(before: Standing, seen: Seen, now: float) -> Standing:
    """A thread cannot be ended from outside: it is shown, and goes on if it ever comes back."""
    note = f"has not come back from its work within {seen.allowed_s:.0f} s"
    first = 1 if before.state is not State.FAILING else 0
    return replace(_moved(before, State.FAILING, now, note=note), failures=before.failures + first)


def _moved(before: Standing, state: State, now: float, note: str = "") -> Standing:
    since = before.since if state is before.state else now
    return replace(before, state=state, since=since, next_start_at=None, note=note)
