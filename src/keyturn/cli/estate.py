"""`keyturn estate`: the estate as a file people write and review."""

from pathlib import Path

import click

from keyturn.cli.printing import listed, print_json, print_table
from keyturn.cli.tools import Session
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.errors import Refused
from keyturn.model.estate import Estate
from keyturn.wire.estate_file.reading import read_estate


@click.group()
def estate() -> None:
    """Realms, sites, clients and accounts as a file."""


@estate.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def import_(session: Session, file: Path, as_json: bool) -> None:
    """Check FILE and take it in. Every error is told at once, with its line; then nothing has changed."""
    text = _text(file)
    check(file, text)
    imported = session.api().put_text("/estate", text, "application/toml")
    if as_json:
        print_json(imported)
        return
    click.echo(f"imported {file}: {len(imported['added'])} accounts are new")
    for key, said in (
        ("found", "found in their realm"),
        ("missing", "not in their realm yet (keyturn account create)"),
        ("unreachable", "in a realm that cannot be reached from here"),
    ):
        if imported[key]:
            click.echo(f"  {said}: {listed(imported[key])}")


@estate.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def show(session: Session, as_json: bool) -> None:
    """What the estate holds, counted."""
    shown = session.api().get("/estate")
    if as_json:
        print_json(shown)
        return
    print_table(("", ""), [(key, value) for key, value in shown.items()], empty="")


@estate.command()
@click.pass_obj
def export(session: Session) -> None:
    """Print the estate as it is now, as a file that can be imported."""
    click.echo(session.api().text("/estate/file"), nl=False)


def check(file: Path, text: str) -> Estate:
    """The estate of a file. Raises Refused whose message has every problem as `file:line: message`."""
    from keyturn.wire.estate_file.problems import EstateErrors

    try:
        return read_estate(text, roles=role_names())
    except EstateErrors as errors:
        raise Refused(f"{file} was not taken in; nothing has changed\n{errors.render(str(file))}") from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{file} is not UTF-8 text") from None
