"""The agent taken off its machine: stopped, its keys and credentials forgotten, its folders deleted."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

from keyturn.agent.home import INSTALLATION, KEYS, LOCK, Home
from keyturn.agent.service import STARTING, own_folder, service
from keyturn.model.errors import Refused
from keyturn.wire.pushed import PROGRAM


def uninstall(home: Home, lower: Callable[[], object] = lambda: None) -> list[Path]:
    """The folders that are gone. A program that was not pushed here stays: it is a package manager's, or a share's.
    The site is not told: whoever pushed the agent knows, and else its operator says so. `lower` takes away what cut-off
    runs of software left raised, which nobody would find later."""
    if not _is_an_agents(home.path):
        raise Refused(f"{home.path} is no agent's folder", hint="name the agent's own with --dir")
    gone = []
    if home.path.exists():
        service(home.path).forget()
        lower()
        with home.lock():
            home.clear()
        _delete(home.path)
        gone.append(home.path)
    program = own_folder()
    if program is not None and program.parent == Path(PROGRAM):
        _delete(Path(PROGRAM))
        gone.append(Path(PROGRAM))
    return gone


def _is_an_agents(folder: Path) -> bool:
    """Or empty, as a try that was cut off leaves it."""
    found = {path.name for path in folder.iterdir()} if folder.exists() else set()
    return not found or bool(found & {INSTALLATION, KEYS, LOCK, STARTING})


def _delete(folder: Path) -> None:
    """One that something is mounted on, such as a container's volume, stays, and is empty."""
    try:
        shutil.rmtree(folder)
    except OSError as error:
        if error.errno != errno.EBUSY or any(folder.iterdir()):
            raise
