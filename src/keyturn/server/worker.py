"""The worker: carries plans forward when something has happened to them, and looks again from time to time."""

import logging
import threading

from keyturn.operations.doubts import look_into_doubts
from keyturn.operations.parts import Parts
from keyturn.operations.plans import advance_open

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""How long at most until a plan that waits for the world (a replica, silence) is looked at again."""


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
            try:
                look_into_doubts(parts)
                advance_open(parts, self._name)
            except Exception:
                log.exception("the worker goes on after an error")
            self._woken.wait(LOOK_S)
