"""Access points that a site reset went on without: nothing goes through them before they are assigned again."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from keyturn.model.accounts import same_name


@dataclass(frozen=True, slots=True)
class LeftOut:
    """`at` in seconds since the epoch."""

    system: str
    plan_id: str
    at: float


class LeftOutSystems(Protocol):
    def leave_out(self, system: str, plan_id: str) -> None:
        """Saying it again changes nothing."""

    def take_back(self, system: str) -> None: ...

    def left_out(self) -> tuple[LeftOut, ...]:
        """By name."""


def is_left_out(system: str, left_out: Collection[LeftOut]) -> bool:
    return any(same_name(each.system, system) for each in left_out)
