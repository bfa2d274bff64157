"""One thread in the server's process, which looks at all plans when something has happened, and from time to time."""

import logging
import threading

from keyturn.adapters.engine.looking import next_look
from keyturn.operations.doubts import look_into_doubts
from keyturn.operations.parts import Parts
from keyturn.operations.plans import advance_open

log = logging.getLogger(__name__)


class EmbeddedEngine:
    """`wake` may be called from any thread; several calls while it works are one."""

    NAME = "embedded"
    """The same after a restart, so that it takes its plans back at once: one process runs the site."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        self._woken.set()

    def start(self, parts: Parts) -> None:
        self._thread = threading.Thread(target=self._work, args=(parts,), name=self.NAME, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._woken.set()
        if self._thread:
            self._thread.join()

    def _work(self, parts: Parts) -> None:
        while not self._ended.is_set():
            self._woken.clear()
            pause = next_look(())
            try:
                look_into_doubts(parts)
                pause = next_look(advanced.outcome for advanced in advance_open(parts, self.NAME))
            except Exception:
                log.exception("the worker goes on after an error")
            self._woken.wait(pause)
