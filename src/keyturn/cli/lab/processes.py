"""The site and the agents of a lab among the processes of this machine.

Found by what they were started as: a number that was written down may belong to somebody else by now.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_ENDS_WITHIN_S = 15
SITE = "site"


def running(root: Path) -> dict[str, int]:
    """Process numbers, by the name of the agent or `site`."""
    return {
        name: int(process.name)
        for process in Path("/proc").iterdir()
        if process.name.isdigit() and (name := _name(_words(process), root))
    }


def end(root: Path) -> None:
    """Asked first, so that what is under way comes to its end; then killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in running(root).values():
            with suppress(ProcessLookupError):
                os.kill(process, number)
        deadline = time.monotonic() + _ENDS_WITHIN_S
        while running(root) and time.monotonic() < deadline:
            time.sleep(0.05)


def _name(words: list[str], root: Path) -> str | None:
    match words:
        case [_, "-m", "keyturn", "up", directory] if Path(directory) == root / SITE:
            return SITE
        case [_, "-m", "keyturn", "agent", "run", "--dir", directory] if Path(directory).parent == root:
            return Path(directory).name
    return None


def _words(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_text(errors="replace").split("\0")[:-1]
    except OSError:  # ended meanwhile
        return []
