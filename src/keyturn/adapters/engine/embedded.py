"""Threads in the server's process, which look at all plans when something has happened, and from time to time."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from keyturn.adapters.engine.looking import next_look
from keyturn.lifecycle.journal import Outcome
from keyturn.operations.doubts import look_into_doubts
from keyturn.operations.parts import Parts
from keyturn.operations.plans import advance_plan, runnable

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Plans that are carried forward at the same time: while one waits for a disk or a realm, others go on."""


class EmbeddedEngine:
    """`wake` may be called from any thread; several calls while it works are one."""

    NAME = "embedded"
    """The same after a restart, so that it takes its plans back at once: one process runs the site. All its threads
    bear it, as no plan is in two of them."""

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
        """Waits for the plans under way to come to a place where they can be left."""
        self._ended.set()
        self._woken.set()
        if self._thread:
            self._thread.join()

    def look(self, parts: Parts, hands: ThreadPoolExecutor) -> Iterator[Outcome]:
        """Carry every plan as far as it goes now. Ends when the last of them has: so none is in two hands."""
        found = hands.map(lambda plan_id: self._advance(parts, plan_id), runnable(parts))
        return (outcome for outcome in found if outcome is not None)

    def _work(self, parts: Parts) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix=self.NAME) as hands:
            while not self._ended.is_set():
                self._woken.clear()
                pause = next_look(())
                try:
                    look_into_doubts(parts)
                    pause = next_look(self.look(parts, hands))
                except Exception:
                    log.exception("the worker goes on after an error")
                self._woken.wait(pause)

    def _advance(self, parts: Parts, plan_id: str) -> Outcome | None:
        if self._ended.is_set():
            return None
        try:
            return advance_plan(parts, plan_id, self.NAME)
        except Exception:
            log.exception("plan %s goes on later", plan_id)
            return None
