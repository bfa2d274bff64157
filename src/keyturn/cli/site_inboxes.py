"""`keyturn site inboxes`: what waits in the site's inboxes, how its access points stand, and who may do what there."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from keyturn.cli.api import segment
from keyturn.cli.printing import print_json, print_table
from keyturn.cli.tools import Session
from keyturn.model.errors import Refused


@click.command()
@click.option("--now", is_flag=True, help="Visit every access point first.")
@click.option("--files", is_flag=True, help="Name each file that waits or was put aside.")
@click.option("--clients", is_flag=True, help="Show whom discovery records came from, and when.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def inboxes(session: Session, now: bool, files: bool, clients: bool, as_json: bool) -> None:
    """Show each inbox with what waits in it, and each access point on a share with why it is not reached."""
    api = session.api()
    found = api.post("/inboxes/visit") if now else api.get("/inboxes")
    if files:
        found["files"] = api.get("/inboxes/files")
    if clients:
        found["clients"] = api.get("/inboxes/clients")
    if as_json:
        print_json(found)
        return
    for point in found["access_points"]:
        _print_point(point)
    counts = [(c["inbox"], c["waiting"], _when(c["oldest_at"]), c["bad"]) for c in found["inboxes"]]
    print_table(("inbox", "waiting", "oldest", "bad"), counts, empty="nothing waits in an inbox")
    if files:
        _print_files(found["files"])
    if clients:
        seen = [(c["name"], c["kind"], _when(c["seen_at"]), "yes" if c["signed"] else "no") for c in found["clients"]]
        print_table(("client", "kind", "seen", "signed"), seen, empty="no client was seen")


@click.command("inbox-file")
@click.argument("number", type=int)
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="A new file to write it to.")
@click.pass_obj
def inbox_file(session: Session, number: int, to: Path | None) -> None:
    """Print file NUMBER of an inbox, as the client wrote it."""
    content = session.api().content(f"/inboxes/files/{number}")
    if to is None:
        sys.stdout.buffer.write(content)
        return
    try:
        with to.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise Refused(f"{to} cannot be written: {error.strerror}") from None


@click.command("apply-acl")
@click.argument("system")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def apply_acl(session: Session, system: str, as_json: bool) -> None:
    """Make the boxes of access point SYSTEM on its share, and set their permissions.

    As at a setup: Administrators everything, users read and write where clients write, the Server Connection account
    read, write and delete. What the lists said before is gone.
    """
    done = session.api().post(f"/access-points/{segment(system)}/permissions")
    if as_json:
        print_json(done)
        return
    for sid, account in done["accounts"].items():
        click.echo(f"{account}  {sid}")
    _tell_closed(done["closed"])
    click.echo(f"permissions of {system} set")


@click.command("repair-acl")
@click.argument("system", required=False)
@click.option("--yes", is_flag=True, help="Repair what is found, without asking.")
@click.option("--dry-run", is_flag=True, help="Show it and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; changes nothing without --yes.")
@click.pass_obj
def repair_acl(session: Session, system: str | None, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Find permissions that name an account's old identity, and give them to the live one (ACLreset).

    On every access point on a share, or on SYSTEM alone. What is found is shown first.
    """
    api = session.api()
    found = api.post("/access-points/repair", {"system": system})
    repairable = [entry for entry in found["entries"] if entry["live"]]
    if as_json:
        print_json(found)
    else:
        _print_entries(found["entries"])
        _tell_closed(found["closed"])
    if dry_run or not repairable or not (yes or (not as_json and click.confirm("Repair them?"))):
        return
    api.post("/access-points/repair", {"system": system, "carry_out": True})
    click.echo(f"{len(repairable)} entries repaired", err=as_json)


def _print_point(point: dict[str, Any]) -> None:
    lying = ", ".join(f"{box} {count}" for box, count in point["boxes"].items() if count)
    how = "reached" if point["reached"] else point["trouble"] or "not visited yet"
    click.echo(f"{point['system']}  {point['share']}  {how}" + (f"  ({lying})" if lying else ""))
    if point["hint"]:
        click.echo(f"  hint: {point['hint']}")


def _print_files(files: list[dict[str, Any]]) -> None:
    rows = [(f["number"], f["inbox"], f["name"], f["source"], f["state"], f["note"]) for f in files]
    print_table(("number", "inbox", "name", "from", "state", "why"), rows, empty="no file waits")


def _print_entries(found: list[dict[str, Any]]) -> None:
    """By what is to be replaced, as one account is in many lists."""
    if not found:
        click.echo("every entry names a live account")
    paths: dict[tuple[str, str, str, str | None], list[str]] = {}
    for entry in found:
        of_one = (entry["system"], entry["account"], entry["dead"], entry["live"])
        paths.setdefault(of_one, []).append(entry["path"] or "the share's own folder")
    for (system, account, dead, live), where in paths.items():
        click.echo(f"{system}: {account} was {dead} and is {live or 'nobody now'}")
        for path in where:
            click.echo(f"  {path}")


def _tell_closed(closed: list[str]) -> None:
    for why in closed:
        click.echo(f"left as it was: {why}", err=True)


def _when(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
