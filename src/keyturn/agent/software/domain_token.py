"""On a domain controller, administrative programs of a legacy client wait for the domain's token account."""

from collections.abc import Callable
from dataclasses import dataclass

AGAIN_S, KNOWN_S = 60.0, 3600.0
"""How long an answer holds: that it is missing, that it is there. Each look reads the directory."""


@dataclass
class DomainToken:
    """`look` makes the account where that is this controller's to do, and says why it cannot be used; else nothing."""

    look: Callable[[], str]
    now: Callable[[], float]
    _missing: str = ""
    _looked_at: float | None = None

    def missing(self) -> str:
        """Empty where it is there."""
        if not self._holds():
            self._missing, self._looked_at = self.look(), self.now()
        return self._missing

    def _holds(self) -> bool:
        if self._looked_at is None:
            return False
        since = self.now() - self._looked_at
        return 0 <= since < (AGAIN_S if self._missing else KNOWN_S)  # not where the clock was set back


def not_needed() -> str:
    """On every other machine."""
    return ""
