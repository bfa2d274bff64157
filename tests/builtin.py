"""A built-in realm on a clock that the test turns."""

from dataclasses import dataclass
from pathlib import Path

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.model.accounts import RealmName
from keyturn.model.secret import Secret

REALM = RealmName("HEARTH")


@dataclass
class Clock:
    """Seconds; stands still until it is turned."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += seconds


def realm_in(
    folder: Path, clock: Clock, replicas: tuple[str, ...] = ("dc1",), replication_s: float = 0, patience_s: float = 30
) -> BuiltinRealm:
    return BuiltinRealm(folder / "realm.db", REALM, replicas, replication_s, now=clock, patience_s=patience_s)


def password(number: int) -> Secret:
    """One that the default policy takes; another for every number."""
    return Secret(f"Turn-the-key-{number:04d}")
