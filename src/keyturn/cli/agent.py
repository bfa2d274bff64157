"""`keyturn agent`: the client of this machine. What it needs is imported when a verb runs, for it starts often."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from keyturn.cli.agent_consumers import consumers, put_back
from keyturn.cli.agent_options import folder_option, no_restart_option
from keyturn.cli.agent_service import start, stop, uninstall
from keyturn.cli.agent_software import software
from keyturn.cli.printing import say
from keyturn.cli.scan import scan
from keyturn.cli.told_to_stop import told_to_stop

if TYPE_CHECKING:
    from keyturn.agent.client import Client
    from keyturn.agent.home import Home
    from keyturn.agent.ports import AgentParts
    from keyturn.agent.report import Report
    from keyturn.agent.status import Status
    from keyturn.model.secret import Secret

F = TypeVar("F", bound=Callable[..., Any])


class Parts(Protocol):
    """What wiring hands to these commands as `ctx.obj`."""

    @property
    def agent(self) -> "AgentParts": ...


def _json(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")(command)


@click.group()
def agent() -> None:
    """The client on this machine: it holds accounts, asks before it uses them, and proves new ones."""


@agent.command()
@click.option("--server", required=True, help="https://HOST:PORT of the site.")
@click.option("--name", required=True, help="This client's name, as in the invitation.")
@click.option("--token-file", type=click.File(), help="File with the enrolment token.")
@click.option("--token-stdin", is_flag=True, help="Read the enrolment token from stdin.")
@click.option("--ca", type=click.File(), help="The site's certificate authority, PEM.")
@click.option("--ca-fingerprint", help="SHA-256 of the authority; it is then fetched from the server.")
@folder_option
@_json
@click.pass_obj
def enrol(
    parts: Parts,
    server: str,
    name: str,
    token_file: Any,
    token_stdin: bool,
    ca: Any,
    ca_fingerprint: str | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Join a site with a one-use token and new keys; again, when the keys were lost or stolen."""
    from keyturn.agent.enrolment import enrol as join

    token = _token(token_file, token_stdin)
    if bool(ca) == bool(ca_fingerprint):
        raise click.UsageError("give either --ca or --ca-fingerprint")
    authority = ca.read() if ca else parts.agent.authority(server, ca_fingerprint or "")
    joined = join(_home(folder), parts.agent, server=server, name=name, token=token, ca=authority)
    _print({"agent": joined.name, "site": joined.site}, f"{joined.name} belongs to site {joined.site}", as_json)


@agent.command()
@click.option("--interval", type=click.FloatRange(min=0, min_open=True), help="Seconds, instead of the site's own.")
@click.option("--once", is_flag=True, help="One contact; exit code 1 if it fails.")
@click.option("--ungated", is_flag=True, help="Ask nobody before presenting a password, as the legacy client does.")
@no_restart_option
@folder_option
@_json
@click.pass_obj
def run(
    parts: Parts, interval: float | None, once: bool, ungated: bool, no_restart: bool, folder: Path, as_json: bool
) -> None:
    """Contact the site now and then, and run what it offers, until stopped. One line for each contact on stderr.

    With --once, programs that are due are run to their end.
    """
    from keyturn.agent import turns
    from keyturn.agent.contact import contact
    from keyturn.agent.software.opening import software as programs_of
    from keyturn.agent.software.opening import without_restarts
    from keyturn.agent.software.standing import standing
    from keyturn.agent.ungated import ungated_contact

    home, client = _client(parts, folder)
    act = ungated_contact if ungated else contact
    own = without_restarts(parts.agent) if no_restart else parts.agent

    def turn(besides: turns.Besides) -> "tuple[Report, Status]":
        return turns.take_turn(home, client, act, parts.agent, gated=not ungated, besides=besides)

    with told_to_stop() as stopped:
        if once:
            with programs_of(home, own) as programs:
                told = _told(turn(programs.exchange if programs else turns.nothing), as_json)
                if programs:
                    programs.run_out(stopped)
            sys.exit(told)
        with standing(home, own, stopped) as besides:
            turns.run(
                lambda: turn(besides()),
                parts.agent,
                interval_s=interval,
                contact_s=client.installation.contact_s,
                stop=stopped,
                tell=lambda report, status: _tell(report, status, as_json),
            )


@agent.command()
@folder_option
@_json
@click.pass_obj
def logon(parts: Parts, folder: Path, as_json: bool) -> None:
    """What a logon script runs: reinstall, if no account let this client in at its last contact."""
    from keyturn.agent.turns import found_no_way_in, put_right

    home, client = _client(parts, folder)
    if not found_no_way_in(home, client):
        click.echo(f"{client.name} needs no reinstallation", err=True)
        return
    sys.exit(_told(put_right(home, client, parts.agent), as_json))


@agent.command()
@folder_option
@_json
@click.pass_obj
def reinstall(parts: Parts, folder: Path, as_json: bool) -> None:
    """Let go of all credentials and fetch the current ones with this agent's own key."""
    from keyturn.agent.turns import put_right

    home, client = _client(parts, folder)
    sys.exit(_told(put_right(home, client, parts.agent), as_json))


@agent.command()
@folder_option
@_json
def status(folder: Path, as_json: bool) -> None:
    """The last contact and what is held, without asking anybody."""
    from keyturn.agent.status import read_status

    home = _home(folder)
    installation, data = home.installation(), home.status()
    known = read_status(data)
    if known is None or data is None:
        _print({"agent": installation.name, "site": installation.site}, f"{installation.name}: no contact yet", as_json)
        return
    if as_json:
        click.echo(data)
        return
    way = f"{known.account} generation {known.generation}: {known.answer}" if known.account else "no logon"
    click.echo(f"{known.agent}, site {known.site}, last contact {_moment(known.at)}: {known.note or way}")
    _hint(known)
    for held in known.credentials:
        click.echo(f"  {held.account} generation {held.generation}, {held.standing}")
    if known.failures:
        click.echo(f"  contacts failed in a row: {known.failures}")
    if known.orphaned:
        click.echo("  no account lets this client in: keyturn agent logon")


@agent.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@folder_option
@_json
def leave(yes: bool, folder: Path, as_json: bool) -> None:
    """Forget site, keys and credentials."""
    from keyturn.agent.enrolment import leave as forget

    home = _home(folder)
    name, site = home.installation().name, home.installation().site
    click.echo(
        f"{name} forgets its keys and all credentials of site {site}; only a new token brings it back.", err=True
    )
    if not yes:
        click.confirm("Leave?", abort=True, err=True)
    forget(home)
    _print({"agent": name, "left": site}, f"{name} has left site {site}; there: keyturn client forget {name}", as_json)


def _home(folder: Path) -> "Home":
    from keyturn.agent.home import Home

    return Home(folder)


def _client(parts: Parts, folder: Path) -> "tuple[Home, Client]":
    from keyturn.agent.client import open_client

    home = _home(folder)
    return home, open_client(home, parts.agent)


def _token(file: Any, from_stdin: bool) -> "Secret":
    from keyturn.model.secret import Secret

    if bool(file) == from_stdin:
        raise click.UsageError("give either --token-file or --token-stdin")
    token = Secret((file or sys.stdin).read(1024).strip())
    if token == Secret(""):
        raise click.UsageError("the enrolment token is empty")
    return token


def _told(turn: "tuple[Report, Status]", as_json: bool) -> int:
    report, status = turn
    _tell(report, status, as_json)
    return int(report.failed)


def _tell(report: "Report", status: "Status", as_json: bool) -> None:
    from keyturn.agent.status import contact_line, in_words

    click.echo(f"{_moment(status.at)} {status.agent}: {in_words(report)}", err=True)
    _hint(status)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(contact_line(report, status)))


def _hint(status: "Status") -> None:
    from keyturn.agent.ways_out import WAYS_OUT

    way_out = status.hint or (WAYS_OUT.get(status.answer) if status.answer else None)
    if way_out:
        say("hint:  ", way_out)


def _print(values: dict[str, str], words: str, as_json: bool) -> None:
    import json

    click.echo(json.dumps(values) if as_json else words)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


for _more in (consumers, put_back, scan, software, start, stop, uninstall):
    agent.add_command(_more)
