"""Holders by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyturn.model.estate import Holder
    from keyturn.operations.ports import Store

FRESH_S = 1.0
"""How long an import by another process may go unnoticed."""


class Machines:
    """Read from the estate once an import. `now` only ever rises."""

    def __init__(self, store: "Store", now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._known: dict[str, Holder] = {}
        self._edition = -1
        self._looked: float | None = None

    def __call__(self, name: str) -> "Holder | None":
        if self._looked is None or self._now() - self._looked >= FRESH_S:
            self._look()
        return self._known.get(name)

    def forget(self) -> None:
        self._looked = None

    def _look(self) -> None:
        self._looked = self._now()
        edition = self._store.edition()
        if edition != self._edition:
            estate = self._store.document()
            holders = [*estate.all_clients(), *(consumer.holder for consumer in estate.consumers)]
            self._known = {holder.name: holder for holder in holders}
            self._edition = edition
