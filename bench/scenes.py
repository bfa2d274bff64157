"""Fleets and what happens to them: what the forecasts of `forecast.py` and `growth.py` are asked."""

from dataclasses import dataclass

from keyturn.lockout.changes import Change, Contact, PasswordSet, Published, Retired
from keyturn.model.estate import Absence, Habit
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True)
class Scene:
    """Every client comes once an hour. `stale_every`: of so many clients one has a wrong password; `away_every`: of so
    many one is away for 25 hours; 0 for none."""

    name: str
    changes: tuple[Change, ...] = ()
    policy: RealmPolicy = RealmPolicy(history=0)
    gated: bool = False
    stale_every: int = 0
    away_every: int = 0
    logon_script_s: float | None = None

    def fleet(self, clients: int) -> list[Contact]:
        return [
            Contact(
                name=f"client-{number:07}",
                habit=Habit(HOUR, absences=self._absences(number), logon_script_s=self.logon_script_s),
                protocol=LogonProtocol.NTLM,
                gated=self.gated,
                behind=None if self.stale_every and number % self.stale_every == 0 else 0,
            )
            for number in range(clients)
        ]

    def _absences(self, number: int) -> tuple[Absence, ...]:
        if not self.away_every or number % self.away_every:
            return ()
        leaves = number % 100 * HOUR
        return (Absence(leaves, leaves + 25 * HOUR),)


NAIVE: tuple[Change, ...] = (PasswordSet(0), Published(HOUR))
SCENES = (
    Scene("nothing done"),
    Scene("nothing done, 1 in 1000 stale", stale_every=1000),
    Scene("nothing done, 1 in 4 stale", stale_every=4),
    Scene("plain change", NAIVE),
    Scene("plain change, 1 in 2 away", NAIVE, away_every=2),
    Scene("plain change, logon script", NAIVE, logon_script_s=DAY),
    Scene("plain change, gated", NAIVE, gated=True),
    Scene("second account", (Published(0, second_account=True), Retired(DAY)), away_every=2),
)
