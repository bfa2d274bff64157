"""`keyturn client logon-key`: keys by which machines enrol themselves at logon."""

from pathlib import Path

import click

from keyturn.cli.api import segment
from keyturn.cli.moments import moment
from keyturn.cli.printing import print_json, print_table
from keyturn.cli.tools import Session, hand_out, refuse_existing

DAY_S = 24 * 3600


@click.group("logon-key")
def logon_key() -> None:
    """Keys for `keyturn logon-install`: each enrols machines of the estate that have no living client."""


@logon_key.command()
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it is good.")
@click.option("--key-file", type=click.Path(path_type=Path, dir_okay=False), help="Write the key there (0600).")
@click.pass_obj
def issue(session: Session, name: str, days: int, key_file: Path | None) -> None:
    """Make a key called NAME. It is printed, or written to a new file, and is kept nowhere else.

    Whoever has it can enrol any machine of the estate that has no living client, and gets what that machine would.
    """
    refuse_existing(key_file)
    issued = session.api().post("/logon-keys", {"name": name, "lasts_s": days * DAY_S})
    hand_out(issued["key"], key_file)
    if key_file:
        click.echo(f"logon key {name} in {key_file}, for {days} days", err=True)


@logon_key.command()
@click.argument("name")
@click.pass_obj
def revoke(session: Session, name: str) -> None:
    """The key NAME enrols nobody from here on."""
    session.api().delete(f"/logon-keys/{segment(name)}")
    click.echo(f"logon key {name} is revoked")


@logon_key.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every key, and how many machines it has enrolled."""
    found = session.api().get("/logon-keys")
    if as_json:
        print_json(found)
        return
    rows = [(k["name"], k["issued_by"], moment(k["expires_at"]), moment(k["revoked_at"]), k["used"]) for k in found]
    print_table(("key", "issued by", "until", "revoked", "enrolled"), rows, empty="no logon key was issued")
