"""The helper's way to ask whether an account may still be presented: one presentation at a time, in all runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue

from keyturn.adapters.runners.posix.share_protocol import GO, Asks, Line, Presented
from keyturn.distribution.presenting import Presentable


class Asking:
    """Used by many threads; the answers come by another."""

    def __init__(self, say: Callable[[Line], None]) -> None:
        self._say = say
        self._one = threading.Lock()
        self._answers: SimpleQueue[bytes] = SimpleQueue()

    def heard(self, line: bytes) -> None:
        self._answers.put(line)

    def first(self, presentable: Presentable) -> Presentable:
        """The same, asked about each time. Nobody needs to be asked where there is no password."""
        if presentable.secret is None:
            return presentable
        return replace(presentable, turn=lambda: self._turn(str(presentable.identity)))

    @contextmanager
    def _turn(self, identity: str) -> Iterator[bool]:
        with self._one:
            self._say(Asks(identity))
            try:
                yield self._answers.get() == GO
            finally:
                self._say(Presented())
