"""`keyturn realm`: whether Keyturn can work in a realm, and the built-in one's own tools."""

from typing import Any

import click

from keyturn.cli.api import segment
from keyturn.cli.client import moment
from keyturn.cli.printing import print_json, print_table, wrapped
from keyturn.cli.realm_kinds import kinds
from keyturn.cli.tools import Session, read_secret
from keyturn.model.errors import Refused

_JSON = click.option("--json", "as_json", is_flag=True)


@click.group()
def realm() -> None:
    """Whether Keyturn can work in a realm, and the built-in realm's own tools."""


realm.add_command(kinds)


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


@realm.command()
@click.argument("realm")
@_JSON
@click.pass_obj
def check(session: Session, realm: str, as_json: bool) -> None:
    """Whether Keyturn can do its work in REALM: what it reaches, as whom, what stands in the way.

    Changes nothing. Exit status 1 where something stands in the way.
    """
    found = session.api().get(f"/realms/{segment(realm)}/check")
    if as_json:
        print_json(found)
    else:
        _tell(found)
    if not found["fit"]:
        raise click.exceptions.Exit(1)


def _tell(found: dict[str, Any]) -> None:
    click.echo(
        f"{found['realm']} ({found['kind']})" + (f", worked on as {found['works_as']}" if found["works_as"] else "")
    )
    if found["rights"]:
        click.echo(wrapped(f"its rights: {', '.join(found['rights'])}", "  "))
    rows = [
        (
            account["account"],
            _enabled(account),
            r["replica"],
            r["version"],
            r["bad_count"],
            "yes" if r["locked"] else "no",
        )
        for account in found["accounts"]
        for r in account["replicas"] or [_NO_REPLICA]
    ]
    headings = ("account", "enabled", "replica", "version", "bad", "locked")
    print_table(headings, rows, empty="the estate has no account there")
    for account in found["accounts"]:
        if account["trouble"]:
            click.echo(wrapped(f"{account['account']}: {account['trouble']}", "! "))
    for trouble in found["troubles"]:
        click.echo(wrapped(trouble, "! "))
    for right in found["missing"]:
        _tell_missing(right)
    if found["fit"]:
        click.echo("nothing stands in the way")


def _tell_missing(right: dict[str, Any]) -> None:
    """A command is never broken over lines: it is there to be copied."""
    told = f"it may not {right['right']}: {right['where']}"
    told += "".join(f" ({more})" for more in (right["why"], right["without"]) if more)
    click.echo(wrapped(told, "! " if right["vital"] else "  "))
    for command in right["commands"]:
        click.echo(f"    {command}")


_NO_REPLICA = {"replica": None, "version": None, "bad_count": None, "locked": False}


def _enabled(account: dict[str, Any]) -> str | None:
    return {True: "yes", False: "no", None: None}[account["enabled"]]


@realm.command("set-password")
@click.argument("account", metavar="REALM\\ACCOUNT")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.pass_obj
def set_password(session: Session, account: str, password_stdin: bool) -> None:
    """Change a password straight in the realm, past every plan and every holder.

    This is what Keyturn exists to spare you; `keyturn account rotate` is the other way.
    """
    name, _, in_realm = account.replace("/", "\\").partition("\\")
    if not in_realm:
        raise Refused(f'"{account}" is not REALM\\ACCOUNT', hint="keyturn account list")
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
