"""Which components a process runs: those of a server, those of a worker, or both."""

from collections.abc import Callable
from typing import Protocol

from keyturn.model.errors import Unavailable
from keyturn.operations.client_push import CLAIM_S, push_due
from keyturn.operations.content import forget_unused
from keyturn.operations.distributing import distribute
from keyturn.operations.inboxes import tend
from keyturn.operations.parts import Parts
from keyturn.operations.site_control_exchange import tell_above
from keyturn.operations.status_messages import forget_old
from keyturn.server.access_point import access_files
from keyturn.server.links import link_components
from keyturn.server.supervision import Component
from keyturn.site.components import ComponentName

HOUR_S = 3600.0
DISTRIBUTING_S = 4 * HOUR_S
"""Of a turn that brings large packages to slow shares."""


class Engine(Protocol):
    def start(self, parts: Parts) -> None: ...

    def stop(self) -> None: ...

    def wake(self) -> None: ...

    def alive(self) -> bool: ...


class PlanEngine:
    """The account manager's work. Each beginning makes an engine anew; `wake` may be called from any thread."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        self._engine: Engine | None = None

    def wake(self) -> None:
        if (engine := self._engine) is not None:
            engine.wake()

    def component(self, parts: Parts) -> Component:
        return Component(ComponentName.ACCOUNT_MANAGER, self._turn, lambda: self._begin(parts), self._end)

    def _begin(self, parts: Parts) -> None:
        self._engine = self._make()
        self._engine.start(parts)

    def _turn(self) -> float:
        if self._engine is None or not self._engine.alive():
            raise Unavailable("a thread that carries out plans has ended")
        return 1.0

    def _end(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.stop()


def of_a_server(parts: Parts) -> tuple[Component, ...]:
    return (Component(ComponentName.CLIENT_CONFIG_MANAGER, lambda: _see_to_clients(parts), allowed_s=CLAIM_S),)


def of_a_worker(parts: Parts, engine: PlanEngine) -> tuple[Component, ...]:
    """The account manager comes last: what a plan needs is begun before it."""
    return (
        Component(ComponentName.STATUS_MANAGER, lambda: _forget(parts)),
        Component(ComponentName.SITE_CONTROL_MANAGER, lambda: _follow(parts)),
        *link_components(parts),
        Component(ComponentName.INBOX_MANAGER, lambda: tend(parts, lambda: access_files(parts)), allowed_s=900),
        Component(ComponentName.DISTRIBUTION_MANAGER, lambda: distribute(parts), allowed_s=DISTRIBUTING_S),
        engine.component(parts),
    )


def _see_to_clients(parts: Parts) -> float:
    """Agents are answered by the server's own threads; without the store they cannot be. Clients are installed here,
    one after the other."""
    return min(2.0, push_due(parts))


def _follow(parts: Parts) -> float:
    tell_above(parts)
    return 5.0


def _forget(parts: Parts) -> float:
    forget_old(parts)
    forget_unused(parts)
    return HOUR_S
