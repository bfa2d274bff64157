"""The worker: carries plans forward when something has happened to them, and looks again from time to time."""

import logging
import threading
from collections.abc import Iterable

from keyturn.lifecycle.journal import Waiting
from keyturn.operations.doubts import look_into_doubts
from keyturn.operations.parts import Parts
from keyturn.operations.plans import Advanced, advance_open

log = logging.getLogger(__name__)

SHORTEST_S, LONGEST_S = 0.2, 30.0
"""How long until the plans are looked at again if nothing happens: as the plan that is first says, within these."""


class Worker:
    """One thread. `wake` may be called from any other; several calls while it works are one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        self._woken.set()

    def start(self, parts: Parts) -> None:
        self._thread = threading.Thread(target=self._work, args=(parts,), name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._woken.set()
        if self._thread:
            self._thread.join()

    def _work(self, parts: Parts) -> None:
        while not self._ended.is_set():
            self._woken.clear()
            pause = LONGEST_S
            try:
                look_into_doubts(parts)
                pause = _next_look(advance_open(parts, self._name))
            except Exception:
                log.exception("the worker goes on after an error")
            self._woken.wait(pause)


def _next_look(advanced: Iterable[Advanced]) -> float:
    waits = [a.outcome.retry_s for a in advanced if isinstance(a.outcome, Waiting)]
    return max(SHORTEST_S, min([LONGEST_S, *waits]))
