"""The command itself: two fresh sites, four acts, one account of what was measured."""

import json
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import click

from keyturn.cli.demo.acts import Say, by_keyturn, open_envelope, plain_change
from keyturn.cli.demo.stage import Stage
from keyturn.cli.tools import Session


@click.command()
@click.option("--agents", default=20, show_default=True, type=click.IntRange(5, 200), help="Agents on each site.")
@click.option("--interval", default=2.0, show_default=True, help="Seconds between an agent's contacts.")
@click.option("--keep", is_flag=True, help="Keep the sites' directories to look at.")
@click.option("--json", "as_json", is_flag=True, help="The last line on stdout is one JSON object.")
@click.pass_obj
def demo(session: Session, agents: int, interval: float, keep: bool, as_json: bool) -> None:
    """A plain password change, and the same change by Keyturn, both with real agents.

    Nothing outside a temporary directory is touched; only loopback is used.
    """
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    root = Path(tempfile.mkdtemp(prefix="keyturn-demo-"))
    plain = Stage(root / "plain", agents, interval, session.tools.door)
    ours = Stage(root / "keyturn", agents + 1, interval, session.tools.door)

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {text}", err=as_json)

    try:
        _heading("A plain password change", as_json)
        _set_up(plain, say)
        naive = plain_change(plain, say)
        plain.close()

        _heading("The same change by Keyturn, one machine away, the server killed half way", as_json)
        _set_up(ours, say)
        offline = ours.names[-1]
        result = by_keyturn(ours, offline, say)

        _heading("The sealed copy", as_json)
        opened = open_envelope(ours, say)
    finally:
        plain.close()
        ours.close()
        if not keep:
            shutil.rmtree(root, ignore_errors=True)
    if keep:
        say(f"kept in {root}")
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        measured = {"naive": asdict(naive), "keyturn": asdict(result), "envelope": asdict(opened)}
        click.echo(json.dumps({"agents": agents, **measured, "seconds": seconds}))
    else:
        _heading(f"Done in {seconds} s; every figure was measured in this run", as_json)


def _set_up(stage: Stage, say: Say) -> None:
    stage.found()
    say(f"a fresh site is up; enrolling {len(stage.names)} agents, each with keys of its own")
    stage.enrol(stage.names)


def _heading(text: str, as_json: bool) -> None:
    click.echo(f"\n{text}\n{'-' * len(text)}", err=as_json)
