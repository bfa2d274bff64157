"""Options that the agent's commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from keyturn.wire.pushed import HOME

F = TypeVar("F", bound=Callable[..., Any])


def folder_option(command: F) -> F:
    return click.option(
        "--dir",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=HOME,
        envvar="KEYTURN_AGENT_DIR",
        show_default=True,
        help="The agent's own folder.",
    )(command)


def no_restart_option(command: F) -> F:
    return click.option(
        "--no-restart",
        is_flag=True,
        envvar="KEYTURN_AGENT_NO_RESTART",
        show_envvar=True,
        help="Never restart this machine, whatever a program asks for; the site is told that it is needed.",
    )(command)
