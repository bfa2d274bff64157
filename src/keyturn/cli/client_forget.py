"""`keyturn client forget`: machines that are gone for good, or whose agent is."""

from collections.abc import Iterator
from typing import Any

import click

from keyturn.cli.moments import moment
from keyturn.cli.printing import listed, print_facts, print_json
from keyturn.cli.tools import Session


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
@click.pass_obj
def forget(session: Session, names: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Forget the keys of machines that are gone for good, or that have lost their agent: nothing there is asked.

    Whoever comes with these keys is refused; a new invitation brings the machine back. It stays in the estate, what it
    may hold stays known, and plans wait for it until they are told not to. All of that is shown first.
    """
    api, machines = session.api(), {"names": list(names)}
    found = api.post("/clients/forget-preview", machines)
    if not as_json:
        for machine in found:
            click.echo(machine["name"])
            print_facts(_facts(machine), 12)
    whom = listed([machine["name"] for machine in found])
    if not yes:
        click.confirm(f"Forget {whom}?", abort=True, err=True)
    forgotten = api.post("/clients/forget", machines)
    if as_json:
        print_json(forgotten)
    else:
        click.echo(f"forgotten: {whom}; what comes with the old keys is refused")


def _facts(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "forgotten", ", ".join(_forgotten(machine))
    for held in machine["may_hold"]:
        yield "may hold", f"{held['account']} {_generations(held)}"
    for plan in machine["plans"]:
        yield "waits for it", f"plan {plan['id']} ({plan['kind']} {plan['account']}), and goes on"
        yield "", f"keyturn plan release {plan['id']} {machine['name']}"
    for key in machine["logon_keys"]:
        yield "brought back", f"by whoever has the logon key {key}, until it is revoked"
        yield "", f"keyturn client logon-key revoke {key}"
    if machine["in_estate"]:
        yield "stays", "in the estate file, so plans to come wait for it too"


def _forgotten(machine: dict[str, Any]) -> Iterator[str]:
    if machine["enrolled_at"] is not None:
        heard = moment(machine["last_contact_at"]) or "never"
        yield f"its keys (enrolled {moment(machine['enrolled_at'])}, last contact {heard})"
    if machine["invited"]:
        yield "its invitation"
    if machine["request"]:
        yield f"the request to {machine['request']} its client"


def _generations(held: dict[str, Any]) -> str:
    """What it was offered last comes after what it has proven."""
    proven, offered = held["proven"], held["offered"]
    said = [f"generation {proven}, proven"] if proven is not None else []
    if offered is not None and offered != proven:
        said.append(f"generation {offered}, offered")
    return "; ".join(said)
