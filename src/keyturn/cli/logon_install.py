"""`keyturn logon-install`: what a logon script runs, as SMSls did."""

import json
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from keyturn.cli.agent_options import folder_option

if TYPE_CHECKING:
    from keyturn.agent.ports import AgentParts
    from keyturn.model.secret import Secret


class Parts(Protocol):
    @property
    def agent(self) -> "AgentParts": ...


@click.command("logon-install")
@click.option("--server", required=True, help="https://HOST:PORT of the site.")
@click.option("--ca-fingerprint", "fingerprint", required=True, help="SHA-256 of the site's authority.")
@click.option(
    "--key-file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File with the logon key."
)
@click.option("--name", help="This client's name in the estate; else the machine's host name.")
@folder_option
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
@click.pass_obj
def logon_install(
    parts: Parts, server: str, fingerprint: str, key_file: Path, name: str | None, folder: Path, as_json: bool
) -> None:
    """Put the agent of this machine right, if it is not: for a logon script.

    Says and does nothing when the agent is well, without asking anybody. Else it enrols the machine with the site's
    logon key, or fetches the current credentials with the agent's own. Exit status 1: not now, a later logon tries
    again; 2: the site refuses this machine.
    """
    from keyturn.agent.home import Home
    from keyturn.agent.logon_install import Found, Site
    from keyturn.agent.logon_install import logon_install as install
    from keyturn.agent.service import service

    site = Site(
        server=server,
        name=name or socket.gethostname().partition(".")[0],
        fingerprint=fingerprint,
        authority=lambda: parts.agent.authority(server, fingerprint),
        key=lambda: _key(key_file),
    )
    outcome = install(Home(folder), lambda: parts.agent, site, service(folder), time.time())
    if as_json:
        click.echo(
            json.dumps({"agent": site.name, "found": outcome.found, "did": outcome.did, **_why(outcome.trouble)})
        )
    elif outcome.found is not Found.WELL:
        click.echo(f"{site.name}: {outcome.found}; {outcome.trouble or outcome.did}", err=True)
    sys.exit(int(bool(outcome.trouble)))


def _why(trouble: str) -> dict[str, str]:
    return {"trouble": trouble} if trouble else {}


def _key(file: Path) -> "Secret":
    from keyturn.model.errors import Refused
    from keyturn.model.secret import Secret

    try:
        return Secret(file.read_text().strip())
    except OSError as error:
        raise Refused(f"the logon key in {file} cannot be read: {error.strerror}") from None
