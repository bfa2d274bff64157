"""What a forecast is told and what it answers. Moments are seconds from now."""

from dataclasses import dataclass
from typing import TypeAlias

from keyturn.model.estate import Habit
from keyturn.model.logon import LogonProtocol


@dataclass(frozen=True, slots=True)
class PasswordSet:
    """The password is changed on the pinned replica; every other replica follows after its lag."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Published:
    """From now on whoever gets through to the access point, or asks with a key of its own, learns the newest
    credential: the password set last, or a second account."""

    at_s: float
    second_account: bool = False


@dataclass(frozen=True, slots=True)
class Retired:
    """The account is disabled: its right password is refused without counting, a wrong one counts."""

    at_s: float


Change: TypeAlias = PasswordSet | Published | Retired


@dataclass(frozen=True, slots=True)
class Contact:
    """One holder as the forecast sees it. `behind` is how old its password is now: 0 the current one,
    1 the one before it; None: none that the realm remembers. `phase_s` is its first contact from now."""

    name: str
    habit: Habit
    protocol: LogonProtocol
    gated: bool
    behind: int | None = 0
    replica: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing the forecast foresees, for people and for the timeline."""

    at_s: float
    kind: str
    """`set`, `published`, `retired`, `refused`, `locked`, `unlocked`, `learned`, `recovered`, `orphaned`."""
    who: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """`first_lockout_s` counts from now; None: no lockout within the horizon. `blamed` are the holders whose bad
    attempts made up the count that locked, in their order. `orphaned` hold no valid credential at the horizon;
    `recovered` lost theirs and got a new one by the logon script."""

    first_lockout_s: float | None
    blamed: tuple[str, ...]
    orphaned: tuple[str, ...]
    recovered: tuple[str, ...]
    moments: tuple[Moment, ...] = ()

    @property
    def safe(self) -> bool:
        return self.first_lockout_s is None and not self.orphaned

    def summary(self) -> dict[str, object]:
        """The published shape, which other programs read."""
        return {
            "first_lockout_s": self.first_lockout_s,
            "blamed": list(self.blamed),
            "orphaned": list(self.orphaned),
            "recovered": list(self.recovered),
            "safe": self.safe,
        }
