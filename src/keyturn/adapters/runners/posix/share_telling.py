"""What is told of a run's accesses: enough to name the cause, and no more however often a program tries."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping

from keyturn.distribution.accesses import Access
from keyturn.model.logon import Answer

MOST: Mapping[Answer | None, int] = {Answer.ACCEPTED: 10, Answer.NO_FILE: 10, None: 10}
_MOST_OF_OTHERS = 20


class Telling:
    """Used by many threads. Files that are not there are told at the end: a program looks for many that it then makes,
    or does not need."""

    def __init__(self, tell: Callable[[Access], None]) -> None:
        self._tell = tell
        self._turn = threading.Lock()
        self._told: Counter[Answer | None] = Counter()
        self._refused: set[tuple[str, int]] = set()
        self._missing: dict[str, Access] = {}

    def presented(self, access: Access) -> None:
        with self._turn:
            self._say(access)

    def refused(self, access: Access) -> None:
        """A file or folder, once."""
        with self._turn:
            if (access.unc, access.status) not in self._refused and self._say(access):
                self._refused.add((access.unc, access.status))

    def missing(self, access: Access) -> None:
        with self._turn:
            if len(self._missing) < MOST[Answer.NO_FILE]:
                self._missing.setdefault(access.unc, access)

    def made(self, unc: str) -> None:
        with self._turn:
            self._missing.pop(unc, None)

    def end(self) -> None:
        with self._turn:
            for access in self._missing.values():
                self._say(access)
            self._missing.clear()

    def _say(self, access: Access) -> bool:
        if self._told[access.answer] >= MOST.get(access.answer, _MOST_OF_OTHERS):
            return False
        self._told[access.answer] += 1
        self._tell(access)
        return True
