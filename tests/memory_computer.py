"""A machine that is restarted by giving it another boot."""

from dataclasses import dataclass, field

from keyturn.agent.software.ports import Computer
from keyturn.model.errors import Refused


@dataclass
class MemoryComputer(Computer):
    """`restarts` are what was ordered: after how many seconds, and why. `cannot`: everything is refused."""

    boots: int = 1
    restarts: list[tuple[float, str]] = field(default_factory=list)
    logged_off: list[str] = field(default_factory=list)
    cannot: bool = False

    def boot(self) -> str:
        return f"boot {self.boots}"

    def restart(self, after_s: float, reason: str) -> None:
        if self.cannot:
            raise Refused("this machine has no shutdown")
        self.restarts.append((after_s, reason))

    def log_off(self, user: str) -> None:
        if self.cannot:
            raise Refused("this machine has no loginctl")
        self.logged_off.append(user)
