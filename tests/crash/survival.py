"""One kill, and another while the first is being recovered from: at every moment, all promises."""

from collections.abc import Callable, Iterator
from itertools import islice

from keyturn.operations.ports import PlanRecord
from tests.crash import promises
from tests.crash.stops import stops
from tests.crash.variants import Variant
from tests.crash.world import World

End = Callable[[World, PlanRecord, World], None]
"""What is asked of a world at its end: the world, its plan, and the world before the plan began."""


def survive_one(start: World, end: End, variant: type[Variant] = Variant) -> int:
    """Kill at every stop, and let recovery go to its end. How many cases that were."""
    return _finish(_killed(start, variant), end, start, variant)


def survive_two(start: World, end: End, variant: type[Variant] = Variant, *, every: int = 1) -> int:
    """Kill at every stop, and again at every stop of the recovery, the first of them at once. With `every` above 1,
    only each so manieth of the second kills."""
    return sum(
        _finish(islice(_killed(first.restarted(), variant), number % every, None, every), end, start, variant)
        for number, first in enumerate(_killed(start, variant))
    )


def _killed(world: World, variant: type[Variant]) -> Iterator[World]:
    for left in stops(world, variant):
        promises.at_every_moment(left, world)
        yield left


def _finish(killed: Iterator[World], end: End, start: World, variant: type[Variant]) -> int:
    cases = 0
    for left in killed:
        world = left.restarted()
        record = world.run(variant)
        promises.at_every_moment(world, left)
        end(world, record, start)
        cases += 1
    return cases
