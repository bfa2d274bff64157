"""`keyturn advertise` and `keyturn advertisement`: programs offered to collections."""

import time
from typing import Any

import click

from keyturn.cli.advertisement_status import status
from keyturn.cli.api import segment
from keyturn.cli.authoring import take_away, tell_findings
from keyturn.cli.moments import moment
from keyturn.cli.plan import confirmed
from keyturn.cli.printing import listed, print_facts, print_json, print_table, seconds
from keyturn.cli.program import show_program
from keyturn.cli.tools import Session
from keyturn.cli.values import DURATION, MOMENT, one_of
from keyturn.model.errors import Refused
from keyturn.model.software import Event, Rerun, owner_of

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
_YES = click.option("--yes", is_flag=True, help="Do not ask.")
_ID = click.argument("advertisement_id", metavar="ID")


@click.command()
@click.argument("program")
@click.option("--package", required=True, metavar="ID", help="Whose program it is.")
@click.option("--to", "collection", required=True, metavar="COLLECTION", help="By its identifier or its name.")
@click.option("--name", default="", help="For people.")
@click.option("--available", "available_at", type=MOMENT, help="Not before; else from now on.")
@click.option("--expires", "expires_at", type=MOMENT, help="Not after.")
@click.option(
    "--mandatory", multiple=True, metavar="WHEN", help="TIME, as-soon-as-possible, logon, logoff; repeatable."
)
@click.option("--every", "every_s", type=DURATION, help="How often the TIME comes round, as in 7d.")
@click.option(
    "--rerun",
    type=one_of(Rerun),
    default="never",
    show_default=True,
    help="If it has run.",
)
@_YES
@_JSON
@click.pass_obj
def advertise(
    session: Session,
    /,
    program: str,
    package: str,
    mandatory: tuple[str, ...],
    every_s: float | None,
    yes: bool,
    as_json: bool,
    **rest: Any,
) -> None:
    """Offer PROGRAM of a package to the clients of a collection. What it would run, and where, is shown first.

    Without --mandatory it is optional: a person starts it. What runs administratively reaches no client before
    another person has approved it, where two persons are needed.
    """
    api = session.api()
    wanted = {
        "advertisement_id": "",
        "program": {"package": package, "name": program},
        "assignments": _assignments(mandatory, every_s),
        **rest,
        "available_at": rest["available_at"] if rest["available_at"] is not None else time.time(),
    }
    ahead = api.post("/advertisements/preview", wanted)
    if not as_json:
        _show_ahead(ahead)
    if not yes and as_json:
        print_json(ahead)
        return
    if not yes and not confirmed("Advertise it?"):
        raise click.Abort
    made = api.post("/advertisements", {"advertisement": wanted, "seen": ahead["digest"]})
    if as_json:
        print_json(made)
    else:
        _say(made)


@click.group()
def advertisement() -> None:
    """Advertisements: looked at, approved by another person, cancelled."""


@advertisement.command("list")
@_JSON
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every advertisement."""
    found = session.api().get("/advertisements")
    if as_json:
        print_json(found)
        return
    rows = [
        (_id(a), owner_of(_id(a)), _program(a), a["collection"], a["standing"].replace("-", " "), _due(a))
        for a in found
    ]
    headings = ("advertisement", "of site", "program", "to", "standing", "due")
    print_table(headings, rows, empty="nothing is advertised: keyturn advertise PROGRAM --package ID --to COLLECTION")


@advertisement.command()
@_ID
@_JSON
@click.pass_obj
def show(session: Session, advertisement_id: str, as_json: bool) -> None:
    """An advertisement: what it runs, on which clients, and who has agreed to it."""
    found = session.api().get(_path(advertisement_id))
    if as_json:
        print_json(found)
    else:
        _show(found)
        _say(found)


@advertisement.command()
@_ID
@_YES
@_JSON
@click.pass_obj
def approve(session: Session, advertisement_id: str, yes: bool, as_json: bool) -> None:
    """Let what is shown run as administrator on the clients of its collection.

    The approval is for exactly that: a change of the program, of its package's content or of the collection calls for
    another one.
    """
    api = session.api()
    found = api.get(_path(advertisement_id))
    if not as_json:
        _show(found)
    if not yes and as_json:
        print_json(found)
        return
    if not yes and not confirmed("Approve it?"):
        raise click.Abort
    approved = api.post(f"{_path(advertisement_id)}/approve", {"digest": found["digest"]})
    if as_json:
        print_json(approved)
    else:
        _say(approved)


@advertisement.command()
@_ID
@_YES
@_JSON
@click.pass_obj
def cancel(session: Session, advertisement_id: str, yes: bool, as_json: bool) -> None:
    """Offer it to nobody from here on. What a client runs already runs to its end."""
    if not yes and (as_json or not confirmed(f"Cancel advertisement {advertisement_id}?")):
        raise click.Abort
    cancelled = session.api().post(f"{_path(advertisement_id)}/cancel")
    if as_json:
        print_json(cancelled)
    else:
        _say(cancelled)


@advertisement.command()
@_ID
@_YES
@_JSON
@click.pass_obj
def remove(session: Session, advertisement_id: str, yes: bool, as_json: bool) -> None:
    """Forget an advertisement that is cancelled or has expired."""
    path, named = _path(advertisement_id), {"advertisement_id": advertisement_id}
    take_away(session.api(), f"advertisement {advertisement_id}", path, named, yes=yes, as_json=as_json)


advertisement.add_command(status)


def _assignments(mandatory: tuple[str, ...], every_s: float | None) -> list[object]:
    events = {event.value for event in Event}
    times = [MOMENT.convert(when, None, None) for when in mandatory if when not in events]
    if every_s is not None and not times:
        raise Refused("--every says how often a TIME comes round", hint="--mandatory 2026-11-21T18:00 --every 7d")
    return [*(when for when in mandatory if when in events), *({"first_at": at, "every_s": every_s} for at in times)]


def _show_ahead(ahead: dict[str, Any]) -> None:
    for found in ahead["programs"]:
        show_program(found)
    if _contents(ahead):
        click.echo(f"content {_contents(ahead)}")
    click.echo(f"on the clients of {ahead['collection']}, now {listed(ahead['clients'])}")
    tell_findings(ahead["warnings"])
    if ahead["waits"]:
        click.echo("another person approves it before any client is offered it", err=True)


def _show(found: dict[str, Any]) -> None:
    this = found["advertisement"]
    click.echo(f"advertisement {_id(found)}" + (f": {this['name']}" if this["name"] else ""))
    for program in found["programs"]:
        show_program(program)
    rows = (
        ("of site", owner_of(_id(found))),
        ("to", found["collection"]),
        ("due", _due(found)),
        ("rerun", this["rerun"] if len(this["assignments"]) else ""),
        ("available", moment(this["available_at"])),
        ("expires", moment(this["expires_at"])),
        ("advertised by", f"{found['advertised_by']}, {moment(found['advertised_at'])}"),
        ("agreed", ", ".join(found["agreed"])),
        ("approved by", ", ".join(found["approved_by"])),
        ("content", _contents(found)),
        ("digest", found["digest"]),
    )
    print_facts(rows, 14)


def _contents(found: dict[str, Any]) -> str:
    return ", ".join(f"{package} {digest[:16]}" for package, digest in found["contents"].items() if digest)


def _say(found: dict[str, Any]) -> None:
    said = found["standing"].replace("-", " ")
    if found["cancelled_by"]:
        said += f" by {found['cancelled_by']}, {moment(found['cancelled_at'])}"
    click.echo(f"advertisement {_id(found)}: {said}")
    if found["standing"] == "waiting-for-approval":
        click.echo(f"hint:  another person: keyturn advertisement approve {_id(found)}", err=True)


def _due(found: dict[str, Any]) -> str:
    return ", ".join(_when(each) for each in found["advertisement"]["assignments"]) or "optional"


def _when(assignment: Any) -> str:
    if isinstance(assignment, str):
        return assignment.replace("-", " ")
    every = f", every {seconds(assignment['every_s'])}" if assignment["every_s"] else ""
    return f"{moment(assignment['first_at'])}{every}"


def _program(found: dict[str, Any]) -> str:
    ref = found["advertisement"]["program"]
    return f"{ref['package']} {ref['name']}"


def _id(found: dict[str, Any]) -> str:
    return str(found["advertisement"]["advertisement_id"])


def _path(advertisement_id: str) -> str:
    return f"/advertisements/{segment(advertisement_id)}"
