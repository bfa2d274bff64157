"""How long a forecast takes and how much memory it needs, beside the heap loop that proves it right.

    python bench/forecast.py [--clients N] [--days D]

Every client comes once an hour. The heap loop does a part of the fleet that it can finish, in the same run; the ratio
compares both by the contact.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from keyturn.lockout.changes import Change, Contact, Forecast, PasswordSet, Published, Retired  # noqa: E402
from keyturn.lockout.forecast import predict  # noqa: E402
from keyturn.model.estate import Absence, Habit  # noqa: E402
from keyturn.model.logon import LogonProtocol  # noqa: E402
from keyturn.model.policy import RealmPolicy  # noqa: E402
from tests.property.oracle_forecast import foretell  # noqa: E402

HOUR = 3600.0
DAY = 24 * HOUR
HEAP_CONTACTS = 200_000
"""What the heap loop is given: about a second of work."""


@dataclass(frozen=True)
class Scene:
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


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--clients", type=int, default=100_000)
    options.add_argument("--days", type=float, default=14)
    given = options.parse_args()
    few = max(10, int(HEAP_CONTACTS / (given.days * 24)))
    print(f"{given.clients} clients, {given.days:g} days; heap loop: {few} clients")
    print(f"{'':32}{'seconds':>9}{'heap loop':>11}{'ratio':>8}{'first lock':>12}{'orphaned':>10}")
    for scene in SCENES:
        seconds, forecast = timed(predict, scene, given.clients, given.days)
        heap_seconds, _ = timed(foretell, scene, few, given.days)
        ratio = heap_seconds / few / (seconds / given.clients)
        lock = "-" if forecast.first_lockout_s is None else f"{forecast.first_lockout_s:.3f} s"
        print(f"{scene.name:32}{seconds:9.2f}{heap_seconds:11.2f}{ratio:7.0f}x{lock:>12}{len(forecast.orphaned):10}")
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, contacts and results included"
    )


def timed(forecast: Callable[..., Forecast], scene: Scene, clients: int, days: float) -> tuple[float, Forecast]:
    fleet = scene.fleet(clients)
    begin = time.perf_counter()
    result = forecast(fleet, scene.changes, scene.policy, horizon_s=days * DAY)
    return time.perf_counter() - begin, result


if __name__ == "__main__":
    main()
