"""The agent taken off its machine: stopped, its keys and credentials forgotten, its folders deleted."""

import shutil
from collections.abc import Callable
from pathlib import Path

from keyturn.agent.home import INSTALLATION, KEYS, LOCK, Home
from keyturn.agent.service import own_folder, service
from keyturn.model.errors import Refused
from keyturn.wire.pushed import PROGRAM


def uninstall(home: Home, lower: Callable[[], object] = lambda: None) -> list[Path]:
    """The folders that are gone. A program that was not pushed here stays: it is a package manager's, or a share's.
    The site is not told: whoever pushed the agent knows, and else its operator says so. `lower` takes away what cut-off
    runs of software left raised, which nobody would find later."""
    if home.path.exists() and not any((home.path / name).exists() for name in (INSTALLATION, KEYS, LOCK)):
        raise Refused(f"{home.path} is no agent's folder", hint="name the agent's own with --dir")
    gone = []
    if home.path.exists():
        service(home.path).forget()
        lower()
        with home.lock():
            home.clear()
        shutil.rmtree(home.path)
        gone.append(home.path)
    program = own_folder()
    if program is not None and program.parent == Path(PROGRAM):
        shutil.rmtree(PROGRAM)
        gone.append(Path(PROGRAM))
    return gone
