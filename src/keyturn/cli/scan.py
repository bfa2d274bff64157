"""`keyturn agent scan`: where this machine's configuration names an account."""

import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from keyturn.cli.agent_options import folder_option

if TYPE_CHECKING:
    from keyturn.cli.agent import Parts
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
@click.option("--report", is_flag=True, help="Tell this agent's site; without accounts, look for those it asks for.")
@folder_option
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
@click.pass_obj
def scan(
    parts: "Parts",
    accounts: tuple[str, ...],
    listed: TextIO | None,
    also: tuple[Path, ...],
    machine: str | None,
    report: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Look for the names of accounts in this machine's units, crontabs, mounts and configuration files.

    Path and line are told, never what stands there. With --report the agent tells its site, which keeps it:
    `keyturn estate sightings`. For a machine without an agent, `keyturn estate discover --holders` reads what --json
    prints. A machine that the estate does not name as a holder then holds the account's retirement up.
    """
    from keyturn.agent.scan import scan as look
    from keyturn.wire.scan import write_scan

    wanted = [*accounts, *(line.strip() for line in listed or () if line.strip())]
    more = [path.absolute() for path in also]
    if report and machine:
        raise click.UsageError("--report speaks for this agent: without --machine")
    if report and not all("\\" in account for account in wanted):
        raise click.UsageError("with --report an account is named with its realm: REALM\\NAME")
    if not report and not wanted:
        raise click.UsageError("name an account: --account or --accounts-from; or --report, which asks the site")
    if report:
        found = _reported(parts, folder, wanted, more)
    else:
        found = look(wanted, machine=machine or _machine(folder), now=time.time(), more=more)
    if as_json:
        click.echo(write_scan(found))
    else:
        _tell(found)
    for missed in found.not_read:
        click.echo(f"not read: {missed.path}: {missed.why}", err=True)


def _reported(parts: "Parts", folder: Path, accounts: Sequence[str], more: Sequence[Path]) -> "Scan":
    """What the agent's site asks for unless a person says, and told there."""
    from keyturn.agent.client import open_client
    from keyturn.agent.home import Home
    from keyturn.agent.scan import scan as look
    from keyturn.agent.scan_telling import ask_names, tell

    home = Home(folder)
    client = open_client(home, parts.agent)
    found = look(accounts or ask_names(home, client), machine=client.name, now=time.time(), more=more)
    tell(home, client, found)
    site = client.installation.site
    click.echo(f"told site {site}" if found.accounts else f"site {site} has no accounts to look for", err=True)
    return found


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
