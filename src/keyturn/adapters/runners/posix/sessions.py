"""Who is logged on, as logind tells it, or the machine's list of logons (utmp) where there is no logind."""

import subprocess
from contextlib import suppress
from dataclasses import dataclass

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
_PATIENCE_S = 10
_ASKED = ("Name", "Class", "Seat", "Active", "State")


@dataclass(frozen=True, slots=True)
class Session:
    user: str
    at_console: bool


def users() -> tuple[str, ...]:
    """Each once, those at the console first."""
    ordered = sorted(_of_logind() or _of_utmp(), key=lambda session: not session.at_console)
    return tuple(dict.fromkeys(session.user for session in ordered))


def _of_logind() -> tuple[Session, ...]:
    listed = _printed("loginctl", "list-sessions", "--no-legend", "--no-pager")
    names = [line.split()[0] for line in listed.splitlines() if line.split()]
    shown = (_printed("loginctl", "show-session", name, *(f"--property={asked}" for asked in _ASKED)) for name in names)
    return tuple(session for text in shown if (session := read_session(text)))


def read_session(text: str) -> Session | None:
    """None for a greeter, a session that is ending, one that has gone."""
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if found.get("Class") != "user" or found.get("State") not in ("active", "online"):
        return None
    return Session(found["Name"], at_console=bool(found.get("Seat")) and found.get("Active") == "yes")


def _of_utmp() -> tuple[Session, ...]:
    return read_who(_printed("who"))


def read_who(text: str) -> tuple[Session, ...]:
    """`tty1` and `:0` are at the machine itself; `pts/3` is a terminal of some window or from somewhere else."""
    rows = (line.split() for line in text.splitlines())
    return tuple(Session(row[0], at_console=row[1].startswith(("tty", ":"))) for row in rows if len(row) > 1)


def _printed(*words: str) -> str:
    """Nothing, where the program is not there or says no."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(  # loginctl and who
            words, capture_output=True, text=True, timeout=_PATIENCE_S, env=_ENVIRONMENT, cwd="/", check=False
        )
        return done.stdout if done.returncode == 0 else ""
    return ""
