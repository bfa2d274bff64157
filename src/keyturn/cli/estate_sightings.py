"""`keyturn estate sightings`, and the half of `estate discover` that adds to them: who really uses an account."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from keyturn.cli.printing import listed, print_json, print_table
from keyturn.cli.tools import Session
from keyturn.wire.evidence.reading import read_evidence
from keyturn.wire.evidence.sightings import SCAN, Seen, Sighting, add_up, read_hosts
from keyturn.wire.rest import SeenShape


def tell_holders(session: Session, files: Sequence[Path], hosts: str, as_json: bool) -> None:
    """`hosts` is the text of a hosts file."""
    seen = [_shape(one) for one in add_up(_read(files), read_hosts(hosts)) if one.source]
    found = session.api().post("/estate/sightings", {"seen": [asdict(one) for one in seen]})
    if as_json:
        print_json(found)
        return
    rows = [(f["account"], f["source"], _let_in(f), f["wrong"], f["how"], _holder(f)) for f in found]
    headings = ("account", "used from", "let in", "wrong", "how", "in the estate")
    print_table(headings, rows, empty="no account of the estate is in these records")
    _tell_strangers(found)


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def sightings(session: Session, as_json: bool) -> None:
    """Who was seen using each account so far, or is set up to, and where that is known from.

    It comes from records given to `keyturn estate discover --holders`, and from agents: `keyturn agent scan --report`.
    """
    found = session.api().get("/estate/sightings")
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo("nobody was seen using an account yet: keyturn estate discover --holders")
    for account, seen in groupby(found, key=lambda one: one["account"]):
        click.echo(account)
        for one in seen:
            _tell_sighting(one)
    _tell_strangers(found)


def _tell_sighting(found: dict[str, Any]) -> None:
    let_in = _let_in(found) if found["how"] == SCAN else f"let in {found['accepted']}"
    times = [let_in, *([f"{found['wrong']} wrong"] if found["wrong"] else [])]
    last = datetime.fromtimestamp(found["last_at"], UTC).date()
    stranger = "" if found["holder"] else ", a stranger"
    click.echo(f"  {found['source']}{stranger}: {', '.join(times)} ({found['how']}), last {last}")
    for place in found["places"]:
        click.echo(f"    {place}")


def _tell_strangers(found: list[dict[str, Any]]) -> None:
    strangers = sorted({f["source"] for f in found if not f["holder"] and f["accepted"]})
    if strangers:
        click.echo(f"strangers to the estate: {listed(strangers)}")
        click.echo("name each as a [[consumer]] or client of its account, or find out why it has it")


def _read(files: Sequence[Path]) -> list[Sighting]:
    found: list[Sighting] = []
    for file in files:
        evidence = read_evidence(file.read_bytes(), str(file))
        told = f"{file}: {evidence.kind}, {len(evidence.sightings)} sightings"
        click.echo(told + (f", {evidence.skipped} other records" if evidence.skipped else ""), err=True)
        found += evidence.sightings
    return found


def _shape(seen: Seen) -> SeenShape:
    how = ", ".join(sorted(seen.how))
    counts = (seen.first_at, seen.last_at, seen.accepted, seen.wrong)
    return SeenShape(seen.domain, seen.name, seen.source, *counts, how, list(seen.places))


def _let_in(found: dict[str, Any]) -> str:
    """A scan has seen no logon, but places that are set up for one."""
    times = found["accepted"]
    return f"named in {times} {'place' if times == 1 else 'places'}" if found["how"] == SCAN else str(times)


def _holder(found: dict[str, Any]) -> str:
    return "yes" if found["holder"] else "no"
