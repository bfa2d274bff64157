"""`keyturn person` and `keyturn login`: people, their roles, and how they get in from another machine."""

from pathlib import Path
from typing import Any

import click

from keyturn.cli.api import Api, segment
from keyturn.cli.printing import print_json, print_table
from keyturn.cli.tools import Session, ask_secret, read_secret
from keyturn.model.secret import Secret
from keyturn.wire.door import Door

_ROLES = click.Choice(["viewer", "operator", "approver", "custodian"])


@click.group()
def person() -> None:
    """People and their roles."""


@person.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, type=_ROLES, default=("viewer",), show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def add(session: Session, name: str, roles: tuple[str, ...], password_stdin: bool, as_json: bool) -> None:
    """Let NAME log in."""
    secret = read_secret(from_stdin=password_stdin, prompt=f"Password for {name}")
    wanted = {"name": name, "roles": sorted({"viewer", *roles}), "password": secret}
    added: Any = session.api().post("/people", wanted)
    if as_json:
        print_json(added)
    else:
        click.echo(f"{added['name']} may log in: {', '.join(added['roles'])}")


@person.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Everybody who may log in."""
    found = session.api().get("/people")
    if as_json:
        print_json(found)
    else:
        print_table(("name", "roles"), [(p["name"], p["roles"]) for p in found], empty="nobody")


@person.command()
@click.argument("name")
@click.pass_obj
def remove(session: Session, name: str) -> None:
    """NAME may no longer log in; their tokens end now."""
    session.api().delete(f"/people/{segment(name)}")
    click.echo(f"{name} is removed")


@click.command()
@click.argument("url")
@click.option("--name", required=True)
@click.option("--ca", required=True, type=click.Path(path_type=Path, exists=True), help="The site's site-ca.pem.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.pass_obj
def login(session: Session, url: str, name: str, ca: Path, password_stdin: bool) -> None:
    """Log in to the site at URL; later commands without --dir go there."""
    prompt = f"Password of {name}"
    secret = read_secret(from_stdin=True, prompt=prompt) if password_stdin else ask_secret(prompt)
    door = Door(url.rstrip("/"), ca.read_text())
    token = Api(door).post("/login", {"name": name, "password": secret})
    session.tools.save_door(Door(door.url, door.authority_pem, Secret(token["token"])))
    click.echo(f"logged in to {door.url} as {name} for {token['lasts_s'] / 3600:.0f} h")
