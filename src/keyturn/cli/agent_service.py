"""`keyturn agent start`, `stop` and `uninstall`: the agent as something that runs on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyturn.cli.agent_options import folder_option

if TYPE_CHECKING:
    from keyturn.cli.agent import Parts


@click.command()
@folder_option
def start(folder: Path) -> None:
    """Start the agent, or start it anew: as a unit of systemd, or as a process of its own where there is none."""
    from keyturn.agent.home import Home
    from keyturn.agent.service import service

    Home(folder).installation()
    click.echo(service(folder).start())


@click.command()
@folder_option
def stop(folder: Path) -> None:
    """Stop the agent that was started with `keyturn agent start`, at the end of a contact under way."""
    from keyturn.agent.service import service

    service(folder).stop()


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@folder_option
@click.pass_obj
def uninstall(parts: "Parts", yes: bool, folder: Path) -> None:
    """Stop the agent, forget its keys and credentials, delete its folder, and itself where it was pushed here."""
    from keyturn.agent.home import Home
    from keyturn.agent.software.opening import lowered
    from keyturn.agent.uninstall import uninstall as take_off

    if not yes:
        click.confirm(f"Delete the agent in {folder} with its keys and credentials?", abort=True, err=True)
    for gone in take_off(Home(folder), lambda: lowered(Home(folder), parts.agent)):
        click.echo(f"{gone} is gone")
