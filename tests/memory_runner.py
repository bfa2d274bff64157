"""A runner that runs nothing: what a program comes to is a function of its order. For tests of the agent."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keyturn.agent.software.ports import Ended, HowEnded, Note, RunOrder
from keyturn.distribution.run_context import ExecuteAs, LocalSystem, LoggedOnUser
from keyturn.model.errors import NotFound

Comes = Callable[[RunOrder], Ended]


def exits(code: int = 0, **more: object) -> Comes:
    """As the identity that was asked for."""

    def ended(order: RunOrder) -> Ended:
        who = "root" if isinstance(order.execute_as, LocalSystem) else str(order.execute_as)
        return Ended(HowEnded.EXITED, code, executed_as=who, login=who, **more)  # type: ignore[arg-type]

    return ended


@dataclass
class MemoryRunner:
    """`comes_to` is called for each order in the thread that runs it. `left` is what `put_right` finds."""

    comes_to: Comes = field(default_factory=exits)
    logged_on: tuple[str, ...] = ()
    homes: dict[str, Path] = field(default_factory=dict)
    orders: list[RunOrder] = field(default_factory=list)
    left: tuple[str, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def users(self) -> tuple[str, ...]:
        return self.logged_on

    def home_of(self, execute_as: ExecuteAs) -> Path:
        name = execute_as.name if isinstance(execute_as, LoggedOnUser) else "root"
        if name not in self.homes:
            raise NotFound(f"this machine knows no user {name}")
        return self.homes[name]

    def run(
        self,
        order: RunOrder,
        *,
        tell: Callable[[bytes], None],
        stop: Callable[[], bool],
        note: Note = lambda _: None,
    ) -> Ended:
        with self._lock:
            self.orders.append(order)
        tell(b"working\n")
        ended = self.comes_to(order)
        for access in ended.accesses:
            note(access)
        return ended

    def put_right(self) -> tuple[str, ...]:
        left, self.left = self.left, ()
        return left
