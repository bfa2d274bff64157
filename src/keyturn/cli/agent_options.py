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
