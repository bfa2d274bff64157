"""`keyturn estate`: the estate as a file people write and review."""

from pathlib import Path

import click

from keyturn.cli.api import segment
from keyturn.cli.estate_sightings import sightings, tell_holders
from keyturn.cli.printing import listed, print_json, print_table
from keyturn.cli.tools import Session
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.errors import Refused
from keyturn.model.estate import Estate, RealmKind
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
    new = len(imported["added"])
    click.echo(f"imported {file}: {new} {'account is' if new == 1 else 'accounts are'} new")
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


@estate.command("check")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def check_(file: Path) -> None:
    """Whether FILE is an estate file, without a server. Every error is told, with its line."""
    read = check(file, _text(file))
    click.echo(f"{file}: {len(read.realms)} realms, {len(read.accounts)} accounts; nothing is wrong with it")
    if others := sorted({realm.kind for realm in read.realms} - set(RealmKind)):
        click.echo(f"whether a plug-in brings {listed(others)}, the site says: keyturn realm kinds", err=True)


@estate.command()
@click.option("--realm", help="Look around in this realm, through Keyturn's own login there.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --realm: write the file there, where there is none yet, instead of printing it.",
)
@click.option(
    "--holders",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Records of logons: Samba's audit in JSON, Windows security events as XML or CSV; or what "
    "`keyturn agent scan --json` has found. May be repeated.",
)
@click.option(
    "--hosts",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="With --holders: names of addresses, in the form of a hosts file.",
)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def discover(
    session: Session,
    realm: str | None,
    output: Path | None,
    files: tuple[Path, ...],
    hosts: Path | None,
    as_json: bool,
) -> None:
    """Learn what a realm holds, or who really uses the accounts of the estate.

    With --realm, the accounts that are probably no person's are written into an estate file to review. Nothing is
    taken in by that: `keyturn estate import` does it.

    With --holders, what is found is kept. An account is not retired while somebody uses it whom the estate does not
    name.
    """
    if (realm is None) == (not files) or (output and not realm) or (hosts and not files):
        raise click.UsageError("either --realm, perhaps with --output, or --holders, perhaps with --hosts")
    if realm is not None:
        _look_around(session, realm, output, as_json)
    else:
        tell_holders(session, files, _text(hosts) if hosts else "", as_json)


def _look_around(session: Session, realm: str, output: Path | None, as_json: bool) -> None:
    if output is not None and output.exists():
        raise Refused(f"{output} exists already", hint="name a new file")
    path = f"/realms/{segment(realm)}/discovery"
    if as_json:
        print_json(session.api().get(path))
        return
    text = session.api().text(f"{path}/file")
    if output is None:
        click.echo(text, nl=False)
        return
    with output.open("x", encoding="utf-8") as new:
        new.write(text)
    click.echo(f"wrote {output}; nothing has been taken in: review it, then keyturn estate import {output}", err=True)


def check(file: Path, text: str) -> Estate:
    """The estate of a file, its realms of any kind: which plug-ins there are is for the site to say. Raises Refused
    whose message has every problem as `file:line: message`."""
    from keyturn.wire.estate_file.problems import EstateErrors

    try:
        return read_estate(text, roles=role_names(), kinds=None)
    except EstateErrors as errors:
        raise Refused(f"{file} was not taken in; nothing has changed\n{errors.render(str(file))}") from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{file} is not UTF-8 text") from None


estate.add_command(sightings)
