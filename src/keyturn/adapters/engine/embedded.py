"""Threads in the server's process, which look at all plans when something has happened, and from time to time.

Each realm has threads of its own: one that does not answer keeps all of its threads waiting, and nobody else's.
"""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from keyturn.adapters.engine.looking import LONGEST_S, next_look
from keyturn.lifecycle.journal import Outcome
from keyturn.model.accounts import RealmName
from keyturn.operations.doubts import look_into_doubts
from keyturn.operations.parts import Parts
from keyturn.operations.plans import advance_plan, runnable

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Plans of a realm that are carried forward at the same time: while one waits for a disk or the realm, others go on."""


@dataclass(frozen=True, slots=True)
class _Realm:
    """What sees to a realm."""

    thread: threading.Thread
    woken: threading.Event = field(default_factory=threading.Event)


class EmbeddedEngine:
    """`wake` may be called from any thread; several calls while it works are one."""

    NAME = "embedded"
    """The same after a restart, so that it takes its plans back at once: one process runs the site. All its threads
    bear it, as no plan is in two of them."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._realms: dict[RealmName, _Realm] = {}
        self._edition: int | None = None

    def wake(self) -> None:
        self._woken.set()
        for realm in tuple(self._realms.values()):
            realm.woken.set()

    def start(self, parts: Parts) -> None:
        self._thread = threading.Thread(target=self._work, args=(parts,), name=self.NAME, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Waits for the plans under way to come to a place where they can be left."""
        self._ended.set()
        self.wake()
        if self._thread:
            self._thread.join()

    def alive(self) -> bool:
        """Whether every thread of it still is. One that ended by itself was ended by something unforeseen."""
        own = [self._thread, *(realm.thread for realm in tuple(self._realms.values()))]
        return all(thread is not None and (thread.ident is None or thread.is_alive()) for thread in own)

    def look(self, parts: Parts, hands: ThreadPoolExecutor, realm: RealmName | None = None) -> Iterator[Outcome]:
        """Carry every plan, or those of one realm, as far as it goes now. Ends when the last of them has: so none is in
        two hands."""
        plans = [record.plan_id for record in runnable(parts) if realm in (None, record.plan.account.realm)]
        found = hands.map(lambda plan_id: self._advance(parts, plan_id), plans)
        return (outcome for outcome in found if outcome is not None)

    def _work(self, parts: Parts) -> None:
        while not self._ended.is_set():
            self._woken.clear()
            try:
                self._see_to_new_realms(parts)
            except Exception:
                log.exception("the worker goes on after an error")
            self._woken.wait(LONGEST_S)
        for realm in self._realms.values():
            realm.woken.set()
            realm.thread.join()

    def _see_to_new_realms(self, parts: Parts) -> None:
        edition = parts.store.edition()
        if edition == self._edition:
            return
        for name in (realm.name for realm in parts.store.estate().realms):
            if name not in self._realms:
                thread = threading.Thread(
                    target=self._see_to, args=(parts, name), name=f"{self.NAME} {name}", daemon=True
                )
                self._realms[name] = _Realm(thread)
                thread.start()
        self._edition = edition

    def _see_to(self, parts: Parts, realm: RealmName) -> None:
        woken = self._realms[realm].woken
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"{self.NAME} {realm}") as hands:
            while not self._ended.is_set():
                woken.clear()
                pause = next_look(())
                try:
                    look_into_doubts(parts, realm)
                    pause = next_look(self.look(parts, hands, realm))
                except Exception:
                    log.exception("the worker goes on after an error")
                woken.wait(pause)

    def _advance(self, parts: Parts, plan_id: str) -> Outcome | None:
        if self._ended.is_set():
            return None
        try:
            return advance_plan(parts, plan_id, self.NAME)
        except Exception:
            log.exception("plan %s goes on later", plan_id)
            return None
