"""`keyturn package inspect`: where an MSI package would end, before anybody runs it. It needs no server."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyturn.cli.printing import print_json, wrapped
from keyturn.cli.tools import Session
from keyturn.distribution.msi.context import Context
from keyturn.distribution.msi.verdict import Judgement, verdict_for

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--context",
    type=click.Choice([str(context) for context in Context]),
    default=str(Context.LOCAL_SYSTEM),
    show_default=True,
    help="Under whom it would run: Local System, the logged-on user, an administrator who is logged on, or a legacy "
    "client's token account.",
)
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="NAME=VALUE",
    help="As on the command line of msiexec; `NAME=` unsets it. May be repeated.",
)
@click.option(
    "--transform", "transforms", multiple=True, type=_FILE, help="A transform (.mst) to apply. May be repeated."
)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def inspect(
    session: Session,
    file: Path,
    context: str,
    properties: tuple[str, ...],
    transforms: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Say where the MSI package FILE would install: for the machine, or in whose profile.

    The verdict is allow, rewrite (with the properties named it ends where it should), refuse, or conditional (the
    package decides when it runs). Nothing is run, and the exit status is 0 for every verdict.
    """
    given = _properties(properties)
    found = verdict_for(session.tools.open_msi(file, transforms), Context(context), given)
    if as_json:
        print_json(found.summary())
    else:
        _tell(file, Context(context), found)


def _properties(given: tuple[str, ...]) -> "Mapping[str, str]":
    """Capitals, as msiexec reads them."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--property {text}: NAME=VALUE is wanted")
        if found.setdefault(name.strip().upper(), value) != value:
            raise click.UsageError(f"--property {name}: given twice, with two values")
    return found


def _tell(file: Path, context: Context, found: Judgement) -> None:
    said = ", ".join(f"{name}={value or '(not set)'}" for name, value in found.settings.properties.items())
    click.echo(f"{file}: {found.scope} ({said}, Word Count {found.word_count})")
    if found.result_scope is None:
        click.echo(f"as {context}: only running it shows")
    else:
        click.echo(f"as {context}: {found.result_scope}, profile: {found.whose_profile}")
    click.echo(f"verdict: {found.verdict}{_added(found)}")
    for finding in found.findings:
        click.echo(wrapped(f"{finding.table} {finding.row}: {finding.text}", "  - "))


def _added(found: Judgement) -> str:
    return "".join(f" {name}={value or chr(34) * 2}" for name, value in found.rewrite.items())
