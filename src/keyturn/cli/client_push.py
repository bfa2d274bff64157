"""`keyturn client push`, `remove`, `requests` and `withdraw`: clients installed from the site server."""

import click

from keyturn.cli.api import segment
from keyturn.cli.moments import moment
from keyturn.cli.printing import listed, print_json, print_table, say
from keyturn.cli.tools import Session
from keyturn.model.errors import Refused

HEADINGS = ("client", "work", "state", "tries", "next", "note")


@click.command()
@click.argument("names", nargs=-1)
@click.option("--group", "groups", multiple=True, help="A client group of the estate; may be repeated.")
@click.option("--account", "accounts", multiple=True, help="REALM\\name, in the order to be tried; may be repeated.")
@click.option("--address", metavar="HOST[:PORT]", help="Where the one machine named is reached, if not by its name.")
@click.option("--try-refused", is_flag=True, help="Present again what a machine refused before: you have looked why.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
@click.pass_obj
def push(
    session: Session,
    names: tuple[str, ...],
    groups: tuple[str, ...],
    accounts: tuple[str, ...],
    address: str | None,
    try_refused: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Have the site server install the client on machines over SSH, until each was heard.

    It logs on with a Client Push Installation account: one attempt each, within the lockout budget, and never with a
    password that a machine has refused. `keyturn client requests` shows how far it is.
    """
    wanted = {"names": names, "groups": groups, "accounts": accounts, "try_refused": try_refused, **_where(address)}
    whom = listed([*names, *(f"group {group}" for group in groups)])
    tried = accounts or [found["account"] for found in session.api().get("/push/accounts")]
    if not yes:
        click.confirm(f"Install the client on {whom}, trying {listed(tried)} in turn?", abort=True, err=True)
    _ask(session, wanted, as_json)


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--account", "accounts", multiple=True, help="REALM\\name, in the order to be tried; may be repeated.")
@click.option("--address", metavar="HOST[:PORT]", help="Where the one machine named is reached, if not by its name.")
@click.option("--try-refused", is_flag=True, help="Present again what a machine refused before: you have looked why.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
@click.pass_obj
def remove(
    session: Session,
    names: tuple[str, ...],
    accounts: tuple[str, ...],
    address: str | None,
    try_refused: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Have the site server uninstall the client that it pushed to machines, and forget its keys here.

    The machine stays in the estate, and with it among those that a plan waits for.
    """
    wanted = {"names": names, "accounts": accounts, "work": "remove", "try_refused": try_refused, **_where(address)}
    if not yes:
        click.confirm(f"Uninstall the client of {listed(names)}?", abort=True, err=True)
    _ask(session, wanted, as_json)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
@click.pass_obj
def requests(session: Session, as_json: bool) -> None:
    """What was asked to be installed or removed, and how far it is."""
    found = session.api().get("/push")
    if as_json:
        print_json(found)
        return
    rows = [
        (r["name"], r["work"], r["state"], r["tries"], moment(r["next_at"]) if _open(r) else None, r["note"])
        for r in found
    ]
    print_table(HEADINGS, rows, empty="nothing was asked for: keyturn client push NAME")
    for request in found:
        if request["state"] == "failed" and request["hint"]:
            say("hint:  ", f"{request['name']}: {request['hint']}")


@click.command()
@click.argument("name")
@click.pass_obj
def withdraw(session: Session, name: str) -> None:
    """Try no longer to install or remove the client of NAME."""
    session.api().delete(f"/push/{segment(name)}")
    click.echo(f"nothing more is tried on {name}")


def _ask(session: Session, wanted: dict[str, object], as_json: bool) -> None:
    made = session.api().post("/push", wanted)
    if as_json:
        print_json(made)
        return
    click.echo(f"asked for {listed([request['name'] for request in made])}: keyturn client requests")


def _where(address: str | None) -> dict[str, object]:
    if address is None:
        return {}
    host, colon, port = address.rpartition(":")
    if not colon or host.endswith(":") or (":" in host and not address.startswith("[")):
        return {"host": address, "port": None}
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise Refused(f"{address} is not HOST[:PORT]")
    return {"host": host.strip("[]"), "port": int(port)}


def _open(request: dict[str, object]) -> bool:
    return request["state"] in ("waiting", "installed")
