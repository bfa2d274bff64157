"""`keyturn agent software`: what is offered to this machine, what ran here, and why something did not."""

import sys
import textwrap
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from keyturn.cli.agent_options import folder_option, no_restart_option
from keyturn.cli.printing import print_json

if TYPE_CHECKING:
    from keyturn.agent.ports import AgentParts
    from keyturn.agent.software.looking import Row

_WIDEST = len("interrupted")
_UNDER = " " * 10
"""Under the state, behind the number of the advertisement."""
_WHOLE_WORDS: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
"""A share's name is copied from the screen."""

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
LOGS = ("execmgr", "SMSAPM32", "CAS", "PolicyAgent")
FAILURES = ("failed", "interrupted", "cannot-run")
"""States of a row; what waits has not failed."""


class Parts(Protocol):
    @property
    def agent(self) -> "AgentParts": ...


@click.group()
def software() -> None:
    """Programs that the site offers to this machine."""


@software.command()
@folder_option
@_JSON
@click.pass_obj
def status(parts: Parts, folder: Path, as_json: bool) -> None:
    """What is offered, what waits and for what, what ran, as whom, and how it ended. Nobody is asked."""
    from keyturn.agent.client import open_client
    from keyturn.agent.home import Home
    from keyturn.agent.software.looking import look

    home = Home(folder)
    seen = look(home, open_client(home, parts.agent), parts.agent.now())
    if as_json:
        _print_json(seen.rows)
        return
    if seen.policy is None:
        click.echo("no policy yet", err=True)
    else:
        until = _moment(seen.policy.expires_at)
        click.echo(f"policy {seen.policy.counter} of site {seen.policy.site}, good until {until}", err=True)
    for row in seen.rows:
        _show(row)
    if seen.untold:
        click.echo(f"reports that the site has not taken yet: {seen.untold}", err=True)


@software.command()
@click.argument("advertisement")
@click.option("--again", is_flag=True, help="Also where its last run was interrupted.")
@no_restart_option
@folder_option
@_JSON
@click.pass_obj
def run(parts: Parts, advertisement: str, again: bool, no_restart: bool, folder: Path, as_json: bool) -> None:
    """Run ADVERTISEMENT now, whatever its schedule says.

    Where the agent runs on this machine, it does it at its next turn, in a few seconds; else this command contacts the
    site as the agent would, and runs it, by the policy that is kept where no site answers. Its exit status is 1 where
    the program failed. The JSON is that of `status`, and empty where the agent has yet to run it.
    """
    from keyturn.agent.client import open_client
    from keyturn.agent.home import Home
    from keyturn.agent.software.looking import ask_for, look
    from keyturn.agent.software.opening import contact_of, without_restarts
    from keyturn.agent.software.opening import software as opened
    from keyturn.agent.turns import take_turn

    home = Home(folder)
    client = open_client(home, parts.agent)
    with opened(home, without_restarts(parts.agent) if no_restart else parts.agent) as mine:
        if mine is not None:
            report, _ = take_turn(home, client, contact_of(home), parts.agent, besides=mine.exchange)
            if report.failure:
                click.echo(f"by the policy that is kept, for the contact failed: {report.failure}", err=True)
        ask_for(home, client, advertisement, parts.agent.now(), again=again)
        if mine is None:
            click.echo("the agent of this machine runs it within seconds", err=True)
            if as_json:
                _print_json(())
            return
        mine.run_out(threading.Event())
    asked = [row for row in look(home, client, parts.agent.now()).rows if row.advertisement == advertisement]
    if as_json:
        _print_json(asked)
    else:
        for row in asked:
            _show(row)
    if any(row.state in FAILURES for row in asked):
        sys.exit(1)


@software.command()
@click.option("--name", type=click.Choice(LOGS), help="Which log; else that of this machine's programs.")
@click.option("--lines", type=click.IntRange(1), default=20, show_default=True)
@folder_option
@_JSON
def log(name: str | None, lines: int, folder: Path, as_json: bool) -> None:
    """The end of one of the agent's own logs. JSON: its path, and the lines as they are."""
    from keyturn.agent.home import Home
    from keyturn.agent.software.place import Place
    from keyturn.model.errors import NotFound

    logs = Place(Home(folder)).logs
    wanted = [logs / f"{one}.log" for one in ((name,) if name else LOGS[:2])]
    file = next((one for one in wanted if one.exists()), None)
    if file is None:
        raise NotFound(f"there is no {wanted[0].name} in {logs}", hint="keyturn agent software status")
    end = file.read_text(errors="replace").splitlines()[-lines:]
    if as_json:
        print_json({"file": str(file), "lines": end})
        return
    for line in end:
        click.echo(line)


def _print_json(rows: Iterable["Row"]) -> None:
    print_json([asdict(row) for row in rows])


def _show(row: "Row") -> None:
    """A line for each thing that there is to say, none wider than a terminal of 80 columns."""
    whose = f" for {row.user}" if row.user else ""
    click.echo(f"{row.advertisement}  {row.state:{_WIDEST}}  {row.package} {row.program}{whose}")
    for said in _details(row):
        click.echo(textwrap.fill(said, 79, initial_indent=_UNDER, subsequent_indent=_UNDER, **_WHOLE_WORDS))


def _details(row: "Row") -> Iterator[str]:
    ran = [_moment(row.finished_at or row.started_at or 0)] if row.finished_at or row.started_at else []
    if row.exit_code is not None:
        ran.append(f"exit code {row.exit_code}")
    if row.executed_as:
        login = f" (login {row.login})" if row.login not in ("", row.executed_as) else ""
        ran.append(f"as {row.executed_as}{login}")
    if ran:
        yield ", ".join(ran)
    if row.reason:
        yield row.reason
    if row.needs_restart:
        yield "the machine has not restarted since"
    if row.remedy:
        yield f"way out: {row.remedy}"
    if row.until:
        yield f"{'until' if row.state == 'waiting' else 'tried again'} {_moment(row.until)}"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
