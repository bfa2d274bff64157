"""`keyturn account`: who holds what, and every change of an account."""

from typing import Any

import click

from keyturn.cli.client import moment
from keyturn.cli.plan import go_through
from keyturn.cli.printing import print_json, print_table
from keyturn.cli.tools import Session, read_secret

_PASSWORD = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
_YES = click.option("--yes", is_flag=True, help="Approve the plan without asking.")
_JSON = click.option("--json", "as_json", is_flag=True)


@click.group()
def account() -> None:
    """Accounts: who holds them, and rotating them."""


@account.command("list")
@_JSON
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every account of the estate, with how many of its holders are current."""
    found = session.api().get("/accounts")
    if as_json:
        print_json(found)
        return
    rows = [
        (a["account"], a["role"].partition("/")[2], _life(a), a["generation"], f"{a['current']}/{a['holders']}")
        for a in found
    ]
    print_table(("account", "role", "life", "gen.", "current"), rows, empty="no accounts: keyturn estate import FILE")


@account.command()
@click.argument("account")
@_JSON
@click.pass_obj
def show(session: Session, account: str, as_json: bool) -> None:
    """One account: its replicas, and everybody who holds it with the generation they have proven."""
    found = session.api().post("/accounts/show", {"account": account})
    if as_json:
        print_json(found)
        return
    about = found["account"]
    click.echo(f"{about['account']}  {about['role']}  {_life(about)}  generation {about['generation'] or 'unknown'}")
    if about["due"]:
        click.echo(f"its envelope was opened {moment(about['opened_at'])} by {about['opened_by']}: rotate it")
    if about["successor"]:
        click.echo(f"succeeded by {about['successor']}")
    print_table(
        ("replica", "version", "bad count", "locked"),
        [(r["replica"], r["version"], r["bad_count"], "yes" if r["locked"] else "no") for r in found["replicas"]],
        empty="not in its realm",
    )
    click.echo()
    unproven = "none yet" if about["life"] in ("planned", "active") else "none any more"
    print_table(
        ("holder", "kind", "gen.", "proof"),
        [(h["name"], h["kind"], h["generation"], h["proof"] or unproven) for h in found["held_by"]],
        empty="no holder is known",
    )


@account.command()
@click.argument("account")
@_PASSWORD
@_JSON
@click.pass_obj
def adopt(session: Session, account: str, password_stdin: bool, as_json: bool) -> None:
    """Take in an account that exists, by one logon with its password."""
    secret = read_secret(from_stdin=password_stdin, prompt=f"Password of {account}")
    taken: Any = session.api().post("/accounts/adopt", {"account": account, "password": secret})
    if as_json:
        print_json(taken)
    else:
        click.echo(f"{taken['account']} is taken in: generation {taken['generation']} is sealed")


@account.command()
@click.argument("account")
@click.option("--method", type=click.Choice(["console", "site-reset", "sms"]), help="Which method of the catalogue.")
@_PASSWORD
@_YES
@_JSON
@click.pass_obj
def rotate(session: Session, account: str, method: str | None, password_stdin: bool, yes: bool, as_json: bool) -> None:
    """Give ACCOUNT a new password, or a successor, without failing anybody who holds it.

    Shows the plan and its forecast first; nothing is done until it is approved.
    """
    proposal: dict[str, object] = {"account": account, "kind": "rotate", "method": method}
    _propose(session, proposal, password_stdin=password_stdin, yes=yes, as_json=as_json)


@account.command()
@click.argument("account")
@_PASSWORD
@_YES
@_JSON
@click.pass_obj
def create(session: Session, account: str, password_stdin: bool, yes: bool, as_json: bool) -> None:
    """Make an account that the estate names and its realm does not have yet."""
    proposal: dict[str, object] = {"account": account, "kind": "create"}
    _propose(session, proposal, password_stdin=password_stdin, yes=yes, as_json=as_json)


@account.command()
@click.argument("account")
@_YES
@_JSON
@click.pass_obj
def delete(session: Session, account: str, yes: bool, as_json: bool) -> None:
    """Delete an account that a rotation has disabled."""
    _propose(session, {"account": account, "kind": "delete"}, password_stdin=False, yes=yes, as_json=as_json)


def _life(about: dict[str, Any]) -> str:
    return f"{about['life']}, due: {about['due']}" if about["due"] else str(about["life"])


def _by_hand(verb: str, text: str) -> None:
    @account.command(verb, help=text)
    @click.argument("account")
    @_JSON
    @click.pass_obj
    def change(session: Session, account: str, as_json: bool) -> None:
        changed = session.api().post("/accounts/change", {"account": account, "change": verb})
        if as_json:
            print_json(changed)
        else:
            click.echo(f"{changed['account']}: {verb} done")


_by_hand("unlock", "Unlock ACCOUNT on every replica.")
_by_hand("enable", "Enable ACCOUNT.")
_by_hand("disable", "Disable ACCOUNT, if nobody holds it.")
_by_hand("rename", "Refused, with the reason: names are the realm's.")
_by_hand("rights", "Refused, with the reason: rights are the realm's.")


def _propose(session: Session, proposal: dict[str, object], *, password_stdin: bool, yes: bool, as_json: bool) -> None:
    if password_stdin:
        proposal["password"] = read_secret(from_stdin=True, prompt="")
    go_through(session.api(), proposal, yes=yes, as_json=as_json)
