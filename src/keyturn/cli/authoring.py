"""What the commands that author software have in common: warnings, who has to agree anew, and taking away."""

from collections.abc import Callable
from typing import Any

import click

from keyturn.cli.api import Api
from keyturn.cli.plan import confirmed
from keyturn.cli.printing import print_json, wrapped


def tell_findings(findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        click.echo(wrapped(finding["text"], "warning: "), err=True)
        if finding["hint"]:
            click.echo(wrapped(finding["hint"], "hint:    "), err=True)


def tell_waiting(api: Api, concerns: Callable[[dict[str, Any]], bool]) -> None:
    """The advertisements that wait for approval, of those that a change may have concerned."""
    for found in api.get("/advertisements"):
        if found["standing"] == "waiting-for-approval" and concerns(found):
            number = found["advertisement"]["advertisement_id"]
            click.echo(f"advertisement {number} waits for approval: no client is offered it", err=True)
            click.echo(f"hint:    another person: keyturn advertisement approve {number}", err=True)


def take_away(api: Api, thing: str, path: str, named: dict[str, str], *, yes: bool, as_json: bool) -> None:
    """A person is asked first; a program, which cannot be asked, says `--yes`. `named` names it in JSON."""
    if not yes and (as_json or not confirmed(f"Remove {thing}?")):
        raise click.Abort
    api.delete(path)
    if as_json:
        print_json({**named, "removed": True})
    else:
        click.echo(f"{thing} is gone")
