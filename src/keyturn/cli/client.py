"""`keyturn client`: machines with an agent."""

from pathlib import Path

import click

from keyturn.cli.api import segment
from keyturn.cli.client_forget import forget
from keyturn.cli.client_push import push, remove, requests, withdraw
from keyturn.cli.logon_key import logon_key
from keyturn.cli.moments import moment as moment
from keyturn.cli.printing import print_json, print_table
from keyturn.cli.tools import Session, hand_out, refuse_existing


@click.group()
def client() -> None:
    """Machines with an agent."""


@client.command()
@click.argument("name")
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), help="Write the token there (0600).")
@click.pass_obj
def invite(session: Session, name: str, token_file: Path | None) -> None:
    """Make a one-use enrolment token for the machine NAME of the estate.

    It is printed, or written to a new file that only you can read, and is kept nowhere else.
    """
    refuse_existing(token_file)
    invitation = session.api().post("/clients", {"name": name})
    hand_out(invitation["token"], token_file)
    if token_file:
        click.echo(f"token for {name} in {token_file}, for {invitation['lasts_s'] / 60:.0f} min", err=True)


@client.command()
@click.argument("name")
@click.pass_obj
def readmit(session: Session, name: str) -> None:
    """Let NAME try once more, after it was refused a credential and you have looked why."""
    session.api().post(f"/clients/{segment(name)}/readmit")
    click.echo(f"{name} may try again at its next contact")


@client.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every enrolled machine, with its last contact."""
    found = session.api().get("/clients")
    if as_json:
        print_json(found)
        return
    rows = [(c["name"], moment(c["enrolled_at"]), moment(c["last_contact_at"])) for c in found]
    print_table(("client", "enrolled", "last contact"), rows, empty="no client is enrolled: keyturn client invite NAME")


for _more in (push, remove, requests, withdraw, forget, logon_key):
    client.add_command(_more)
