"""A Linux machine, restarted and its users logged off by the programs that it has for that."""

import math
import os
import shutil
import subprocess

from keyturn.adapters.runners.posix import kernel
from keyturn.model.errors import Refused

_ANSWER_S = 60
_ELSEWHERE = "/usr/sbin:/sbin"


class PosixComputer:
    """`path` is where its programs are found; None: where any are."""

    def __init__(self, path: str | None = None) -> None:
        self._path = path or f"{os.environ.get('PATH', os.defpath)}:{_ELSEWHERE}"

    def boot(self) -> str:
        return kernel.boot()

    def restart(self, after_s: float, reason: str) -> None:
        """shutdown(8) writes to every terminal, and counts in minutes."""
        when = f"+{math.ceil(after_s / 60)}" if after_s > 0 else "now"
        self._do("restart the machine", "shutdown", "-r", when, reason)

    def log_off(self, user: str) -> None:
        if not user or user.startswith("-"):
            raise Refused(f"{user!r} is no user")
        self._do(f"log {user} off", "loginctl", "terminate-user", user)

    def _do(self, what: str, program: str, *words: str) -> None:
        found = shutil.which(program, path=self._path)
        if found is None:
            raise Refused(f"this machine has no {program} to {what}", hint="do it yourself")
        try:
            done = subprocess.run(
                [found, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_ANSWER_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refused(f"{program} did not {what}: {type(error).__name__}", hint="do it yourself") from None
        if done.returncode:
            raise Refused(f"{program} did not {what}: {done.stderr.strip()[:200]}", hint="do it yourself")
