"""`keyturn realm`: the built-in realm's own tools, what an operating system's are in another realm."""

import click

from keyturn.cli.api import segment
from keyturn.cli.client import moment
from keyturn.cli.printing import print_json, print_table
from keyturn.cli.tools import Session, read_secret

_JSON = click.option("--json", "as_json", is_flag=True)


@click.group()
def realm() -> None:
    """The built-in realm's own tools."""


@realm.command()
@click.argument("realm")
@_JSON
@click.pass_obj
def show(session: Session, realm: str, as_json: bool) -> None:
    """The accounts of REALM as the realm itself has them."""
    found = session.api().get(f"/realms/{segment(realm)}/accounts")
    if as_json:
        print_json(found)
        return
    rows = [(a["name"], "yes" if a["enabled"] else "no", "yes" if a["locked"] else "no", a["version"]) for a in found]
    print_table(("account", "enabled", "locked", "version"), rows, empty=f"{realm} has no account")


@realm.command("set-password")
@click.argument("account", metavar="REALM\\ACCOUNT")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.pass_obj
def set_password(session: Session, account: str, password_stdin: bool) -> None:
    """Change a password straight in the realm, past every plan and every holder.

    This is what Keyturn exists to spare you; `keyturn account rotate` is the other way.
    """
    name, _, in_realm = account.replace("/", "\\").partition("\\")
    secret = read_secret(from_stdin=password_stdin, prompt=f"New password of {account}")
    path = f"/realms/{segment(name)}/accounts/{segment(in_realm)}/password"
    session.api().post(path, {"password": secret})
    click.echo(f"{account}: set in the realm; its holders do not know")


@realm.command()
@click.argument("realm")
@click.option("--since", default=0.0, help="Only logons after this moment, in seconds since 1970.")
@_JSON
@click.pass_obj
def logons(session: Session, realm: str, since: float, as_json: bool) -> None:
    """Who logged on to REALM, from where, and what it said."""
    found = session.api().get(f"/realms/{segment(realm)}/logons", since=since)
    if as_json:
        print_json(found)
        return
    rows = [(moment(e["at"]), e["account"] or "–", e["source"], e["replica"], e["answer"]) for e in found]
    print_table(("when", "account", "from", "replica", "answer"), rows, empty="no logons")


@realm.command()
@click.argument("realm")
@click.argument("replica")
@click.pass_obj
def cut(session: Session, realm: str, replica: str) -> None:
    """Cut REPLICA off from the others, to see what a plan does then."""
    session.api().post(f"/realms/{segment(realm)}/replication", {"replica": replica, "cut": True})
    click.echo(f"{replica} is cut off")


@realm.command()
@click.argument("realm")
@click.argument("replica")
@click.pass_obj
def heal(session: Session, realm: str, replica: str) -> None:
    """Connect REPLICA again."""
    session.api().post(f"/realms/{segment(realm)}/replication", {"replica": replica, "cut": False})
    click.echo(f"{replica} is connected")
