"""Where a run can be killed: before and after every call that the server makes of a port."""

from collections.abc import Callable
from typing import Any

from tests.crash.variants import Variant
from tests.crash.world import World


class Watched:
    """Any port; `look` is called before and after every call of it."""

    def __init__(self, inner: Any, look: Callable[[], None]) -> None:
        self._inner = inner
        self._look = look

    def __getattr__(self, verb: str) -> Any:
        call = getattr(self._inner, verb)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._look()
            try:
                return call(*args, **kwargs)
            finally:
                self._look()

        return watched


def stops(world: World, variant: type[Variant] = Variant) -> list[World]:
    """Run a copy of the world to its end, and keep another copy at each stop, as a kill would leave it.

    Stops between which nothing changed (before and after a question, say) leave the same world and are one.
    """
    running = world.copy()
    left = [world]

    def look() -> None:
        if running.differs_from(left[-1]):
            left.append(running.copy())

    running.run(variant, wrap=lambda port: Watched(port, look))
    return left
