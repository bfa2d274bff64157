"""`keyturn agent consumers` and `put-back`: who else on this machine uses the agent's accounts."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from keyturn.cli.agent_options import folder_option

if TYPE_CHECKING:
    from keyturn.agent.client import Client
    from keyturn.agent.home import Home
    from keyturn.agent.ports import AgentParts


class Parts(Protocol):
    @property
    def agent(self) -> "AgentParts": ...


@click.command()
@folder_option
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
@click.pass_obj
def consumers(parts: Parts, folder: Path, as_json: bool) -> None:
    """Who else, here or over SSH, uses the agent's accounts, and whether each has the password that is held.

    They stand in `consumers.toml` in the agent's folder. Exit status 2 where that file is wrong.
    """
    from keyturn.agent.consumers.handing import listed

    home, client = _client(parts, folder)
    with home.lock():
        client.credentials.refresh()
        rows = listed(client.handing(), client.credentials.held())
    if as_json:
        import json

        click.echo(json.dumps([asdict(row) for row in rows]))
        return
    for row in rows:
        generation = f"generation {row.generation}" if row.generation is not None else "not held"
        click.echo(f"{row.account}  {row.consumer}  {generation}, {'has it' if row.handed else 'has not got it'}")
    if not rows:
        click.echo("nobody but the agent uses its accounts", err=True)


@click.command("put-back")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--host", default="", help="The machine on which it is, as `host` in consumers.toml; else this one.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@folder_option
@click.pass_obj
def put_back(parts: Parts, path: Path, host: str, yes: bool, folder: Path) -> None:
    """Let the consumer's file PATH hold again what it held before it was last changed.

    Its password may be retired by now. At the next contact the agent gives it the current one again.
    """
    home, client = _client(parts, folder)
    title = f"{host}:{path}" if host else str(path)
    if not yes:
        click.confirm(f"Put {title} back?", abort=True, err=True)
    with home.lock():
        client.put_back(path.absolute(), host)
    click.echo(f"{title} is as it was before its last change")


def _client(parts: Parts, folder: Path) -> "tuple[Home, Client]":
    from keyturn.agent.client import open_client
    from keyturn.agent.home import Home

    home = Home(folder)
    return home, open_client(home, parts.agent)
