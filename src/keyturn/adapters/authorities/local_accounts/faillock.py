"""Wrong passwords as pam_faillock counts them, where the machine's logons go through it."""

import calendar
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from keyturn.adapters.authorities.local_accounts.programs import run
from keyturn.model.policy import RealmPolicy

_PAM = Path("/etc/pam.d")
_SETTINGS = Path("/etc/security/faillock.conf")
_DENY, _FAIL_INTERVAL_S, _UNLOCK_TIME_S = 3, 900, 600
"""faillock.conf(5): in force where the file says nothing."""
_FAILURE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s.*\sV")


@dataclass(frozen=True, slots=True)
class Tally:
    """Moments of the failures that count, in order."""

    failures: tuple[float, ...] = ()

    def locked(self, policy: RealmPolicy, now: float) -> bool:
        if policy.lockout_threshold == 0 or len(self.failures) < policy.lockout_threshold:
            return False
        return policy.lockout_duration_s == 0 or now < self.failures[-1] + policy.lockout_duration_s


def tally(name: str) -> Tally:
    if not _in_use():
        return Tally()
    printed = run("faillock", "--dir", _folder(), "--user", name)
    found = (_FAILURE.fullmatch(line.strip()) for line in printed.splitlines())
    moments = (calendar.timegm(time.strptime(line[1], "%Y-%m-%d %H:%M:%S")) for line in found if line)
    return Tally(tuple(sorted(float(moment) for moment in moments)))


def forget(name: str) -> None:
    """A new password does not: only this ends a lock before its time."""
    if _in_use():
        run("faillock", "--dir", _folder(), "--user", name, "--reset")


def policy(otherwise: RealmPolicy) -> RealmPolicy:
    """What is no matter of pam_faillock is as the estate says, and no earlier password is ever forgiven."""
    settings = dict(_settings()) if _in_use() else {"deny": "0"}

    def number(name: str, unset: int) -> int:
        written = settings.get(name, "")
        return int(written) if written.isdigit() else 0 if written == "never" else unset

    return replace(
        otherwise,
        lockout_threshold=number("deny", _DENY),
        lockout_window_s=float(number("fail_interval", _FAIL_INTERVAL_S)),
        lockout_duration_s=float(number("unlock_time", _UNLOCK_TIME_S)),
        history=0,
        grace_s=0,
    )


def _folder() -> str:
    """faillock(8) of Linux-PAM 1.5.2 does not look for it in the file by itself."""
    return dict(_settings()).get("dir", "/var/run/faillock")


def _in_use() -> bool:
    """Arguments on the module's line there win over its file; whoever uses those says so in the estate."""
    if shutil.which("faillock", path="/usr/sbin:/sbin") is None:
        return False
    return any(_names_it(path) for path in _PAM.glob("*") if path.is_file())


def _names_it(path: Path) -> bool:
    lines = path.read_text(errors="replace").splitlines()
    return any("pam_faillock.so" in line and not line.lstrip().startswith("#") for line in lines)


def _settings() -> Iterator[tuple[str, str]]:
    if not _SETTINGS.is_file():
        return
    for line in _SETTINGS.read_text(errors="replace").splitlines():
        key, equals, value = line.partition("#")[0].partition("=")
        if equals:
            yield key.strip(), value.strip()
