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
    _holds_until: float = 0

    def missing(self) -> str:
        """Empty where it is there."""
        if not self._holds_until - KNOWN_S <= self.now() < self._holds_until:  # also where the clock was set back
            self._missing = self.look()
            self._holds_until = self.now() + (AGAIN_S if self._missing else KNOWN_S)
        return self._missing


def not_needed() -> str:
    """On every other machine."""
    return ""
