"""The commands: a lab raised, looked at, taken down."""

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from keyturn.cli.lab.domain import remove_domain
from keyturn.cli.lab.looking import look
from keyturn.cli.lab.machine import claimed_net, refuse_unfit, refuse_without_root
from keyturn.cli.lab.place import FULL_NAME, Lab, is_lab, keep, kept
from keyturn.cli.lab.processes import end
from keyturn.cli.lab.raising import raise_lab
from keyturn.cli.printing import print_json, print_table
from keyturn.cli.tools import Session
from keyturn.model.errors import KeyturnError, Refused

F = TypeVar("F", bound=Callable[..., Any])


def _folder(command: F) -> F:
    return click.option(
        "--dir",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default="keyturn-lab",
        show_default=True,
        help="Everything of the lab is in it.",
    )(command)


@click.group()
def lab() -> None:
    """A throw-away domain with a file share, agents and a site, to try Keyturn on something real."""


@lab.command()
@click.option("--dcs", default=2, show_default=True, type=click.IntRange(1, 3), help="Domain controllers.")
@click.option("--agents", default=5, show_default=True, type=click.IntRange(1, 50), help="Agents, each with keys.")
@click.option("--net", help="First three numbers of the addresses; else a range from 10.77.1 on that is free.")
@_folder
@click.pass_obj
def up(session: Session, dcs: int, agents: int, net: str | None, folder: Path) -> None:
    """Make the lab: a Samba domain, a share, a site that knows both, and agents that log on. Root, Debian.

    Besides the directory there are network namespaces and an interface, gone with `lab down`. The domain is reached
    from this machine alone; its administrator has a password that everybody may know, so keep nothing in it.
    """
    started = time.monotonic()
    refuse_unfit()
    ours = click.get_current_context().with_resource(claimed_net(_three_numbers(net)))
    made = Lab(folder.resolve(), ours, dcs, agents)
    keep(made)
    _clear(made.root, made.net)

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {text}", err=True)

    try:
        raise_lab(made, session.tools.door, say)
    except KeyturnError:
        say(f"what there is stays to be looked at, until: keyturn lab down --dir {_here(made.root)}")
        raise
    say("the lab is ready")
    click.echo("next:")
    for line in (
        f"keyturn --dir {_here(made.site)} account rotate '{FULL_NAME}'",
        f"keyturn --dir {_here(made.site)} account show '{FULL_NAME}'",
        f"keyturn lab status --dir {_here(made.root)}",
        f"keyturn lab down --dir {_here(made.root)}",
    ):
        click.echo(f"  {line}")


@lab.command()
@_folder
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def status(session: Session, folder: Path, as_json: bool) -> None:
    """Nodes, replication, the site, and what each agent was told at its last logon."""
    refuse_without_root()
    seen = look(kept(folder.resolve()), session.tools.door)
    if as_json:
        print_json(asdict(seen))
        return
    print_table(("node", "address", "processes"), [(n.name, n.address, n.processes) for n in seen.nodes], empty="")
    for link in seen.replication:
        failed = f", {link.failures} failures since" if link.failures else ""
        click.echo(f"{link.to} has the changes of {link.source} as of {link.last_success}{failed}")
    click.echo(f"site {seen.url}: {'up' if seen.site_runs else 'DOWN'}\n")
    rows = [(a.name, "yes" if a.runs else "NO", a.account, a.generation, a.answer) for a in seen.agents]
    print_table(("agent", "runs", "account", "gen.", "last answer"), rows, empty="")


@lab.command()
@_folder
def down(folder: Path) -> None:
    """End everything of the lab and remove its directory, whatever is left of it."""
    refuse_without_root()
    root = folder.resolve()
    if root.exists() and not is_lab(root):
        raise Refused(f"{root} is no lab", hint="name the lab's directory with --dir")
    _clear(root, kept(root).net if is_lab(root) else "")
    shutil.rmtree(root, ignore_errors=True)
    click.echo(f"nothing of a lab is left in {root}", err=True)


def _clear(root: Path, net: str) -> None:
    """Of what runs, also where the directory it ran in was removed by hand."""
    end(root)
    remove_domain(root, net)


def _three_numbers(net: str | None) -> str | None:
    if net is not None and (re.fullmatch(r"\d{1,3}(\.\d{1,3}){2}", net) is None or max(map(int, net.split("."))) > 255):
        raise click.BadParameter(f"{net!r} is not three numbers, as 10.77.5", param_hint="--net")
    return net


def _here(path: Path) -> Path:
    """As short as a person would type it."""
    here = Path.cwd().resolve()
    return path.relative_to(here) if path.is_relative_to(here) else path
