"""`keyturn agent scan`: where this machine's configuration names an account."""

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from keyturn.wire.scan import Scan


@click.command()
@click.option("--account", "accounts", multiple=True, metavar="NAME", help="DOMAIN\\NAME or NAME. May be repeated.")
@click.option(
    "--accounts-from",
    "listed",
    type=click.File(encoding="utf-8"),
    help="A file with one account a line; `-` for standard input.",
)
@click.option(
    "--also",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Look there too, beside /etc, /opt/*/etc, /srv, units and crontabs. May be repeated.",
)
@click.option("--machine", help="This machine's name in the estate; else the agent's, else the host's.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="/var/lib/keyturn-agent",
    envvar="KEYTURN_AGENT_DIR",
    show_default=True,
    help="The agent's own folder.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
def scan(
    accounts: tuple[str, ...],
    listed: TextIO | None,
    also: tuple[Path, ...],
    machine: str | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Look for the names of accounts in this machine's units, crontabs, mounts and configuration files.

    Path and line are told, never what stands there. What --json prints is read on the site's side by
    `keyturn estate discover --holders`: a machine that the estate does not name as a holder then holds the account's
    retirement up.
    """
    from keyturn.agent.scan import scan as look
    from keyturn.wire.scan import write_scan

    wanted = [*accounts, *(line.strip() for line in listed or () if line.strip())]
    if not wanted:
        raise click.UsageError("name an account: --account, or --accounts-from")
    found = look(wanted, machine=machine or _machine(folder), now=time.time(), more=[path.absolute() for path in also])
    if as_json:
        click.echo(write_scan(found))
    else:
        _tell(found)
    for missed in found.not_read:
        click.echo(f"not read: {missed.path}: {missed.why}", err=True)


def _machine(folder: Path) -> str:
    """The name under which the estate knows this machine, where it has an agent."""
    from keyturn.agent.home import Home
    from keyturn.model.errors import KeyturnError

    try:
        return Home(folder).installation().name
    except KeyturnError:
        return socket.gethostname()


def _tell(found: "Scan") -> None:
    for mention in found.mentions:
        where = f"{mention.path}:{mention.line}" if mention.line else mention.path
        click.echo(f"{mention.account}  {where}  {mention.kind}, {mention.use}")
    click.echo(f"{found.machine}: {len(found.mentions)} places in {found.files} files", err=True)
