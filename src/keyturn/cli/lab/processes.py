"""The site and the agents of a lab among the processes of this machine.

Found by what they were started as, by the lab or by a person: a number that was written down may belong to somebody
else by now.
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
        if process.name.isdigit() and (name := _name(process, root))
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


def _name(process: Path, root: Path) -> str | None:
    match _words(process):
        case [_, *entry, "up", directory] if _is_keyturn(entry) and _meant(directory, process) == root / SITE:
            return SITE
        case [_, *entry, "agent", "run", "--dir", directory] if (
            _is_keyturn(entry) and (found := _meant(directory, process)).parent == root
        ):
            return found.name
    return None


def _is_keyturn(entry: list[str]) -> bool:
    """The module, or the command, which its interpreter was given as a file."""
    return entry == ["-m", "keyturn"] or (len(entry) == 1 and Path(entry[0]).name == "keyturn")


def _meant(directory: str, process: Path) -> Path:
    """As the process itself takes it."""
    try:
        return Path(os.path.normpath((process / "cwd").readlink() / directory))
    except OSError:  # ended meanwhile
        return Path(directory)


def _words(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_text(errors="replace").split("\0")[:-1]
    except OSError:  # ended meanwhile
        return []
