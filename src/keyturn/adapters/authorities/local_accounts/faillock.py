"""Wrong passwords as pam_faillock counts them, where the machine's logons go through it."""

import calendar
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from keyturn.adapters.authorities.local_accounts.files import named_lines
from keyturn.adapters.authorities.local_accounts.programs import Machine
from keyturn.model.policy import RealmPolicy

_PAM, _SETTINGS = "/etc/pam.d", "/etc/security/faillock.conf"
_DENY, _FAIL_INTERVAL_S, _UNLOCK_TIME_S = 3, 900, 600
"""faillock.conf(5): in force where the file says nothing."""
_FAILURE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s.*\sV")
_ANY_END = frozenset({0, 1, 2})
"""grep(1): also where there is neither file."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Moments of the failures that count, in order."""

    failures: tuple[float, ...] = ()

    def locked(self, policy: RealmPolicy, now: float) -> bool:
        if policy.lockout_threshold == 0 or len(self.failures) < policy.lockout_threshold:
            return False
        return policy.lockout_duration_s == 0 or now < self.failures[-1] + policy.lockout_duration_s


@dataclass(frozen=True, slots=True)
class Faillock:
    """As the machine was set up when this was read."""

    machine: Machine
    in_use: bool
    """Arguments on the module's line in pam.d win over its file; whoever uses those says so in the estate."""
    settings: Mapping[str, str] = field(default_factory=dict)

    def tally(self, name: str) -> Tally:
        if not self.in_use:
            return Tally()
        printed = self.machine.run("faillock", "--dir", self._folder, "--user", name)
        found = (_FAILURE.fullmatch(line.strip()) for line in printed.splitlines())
        moments = (calendar.timegm(time.strptime(line[1], "%Y-%m-%d %H:%M:%S")) for line in found if line)
        return Tally(tuple(sorted(float(moment) for moment in moments)))

    def forget(self, name: str) -> None:
        """A new password does not: only this ends a lock before its time."""
        if self.in_use:
            self.machine.run("faillock", "--dir", self._folder, "--user", name, "--reset")

    def policy(self, otherwise: RealmPolicy) -> RealmPolicy:
        """What is no matter of pam_faillock is as the estate says, and no earlier password is ever forgiven."""
        return replace(
            otherwise,
            lockout_threshold=self._number("deny", _DENY) if self.in_use else 0,
            lockout_window_s=float(self._number("fail_interval", _FAIL_INTERVAL_S)),
            lockout_duration_s=float(self._number("unlock_time", _UNLOCK_TIME_S)),
            history=0,
            grace_s=0,
        )

    @property
    def _folder(self) -> str:
        """faillock(8) of Linux-PAM 1.5.2 does not look for it in the file by itself."""
        return self.settings.get("dir", "/var/run/faillock")

    def _number(self, name: str, unset: int) -> int:
        written = self.settings.get(name, "")
        return int(written) if written.isdigit() else 0 if written == "never" else unset


def read(machine: Machine) -> Faillock:
    lines = tuple(named_lines(machine.run("grep", "-aHRs", ".", _PAM, _SETTINGS, fine=_ANY_END)))
    in_use = any(
        path != _SETTINGS and "pam_faillock.so" in line and not line.lstrip().startswith("#") for path, line in lines
    )
    written = (line.partition("#")[0].partition("=") for path, line in lines if path == _SETTINGS)
    return Faillock(machine, in_use, {key.strip(): value.strip() for key, equals, value in written if equals})
