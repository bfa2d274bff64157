"""What the commands that author software have to say on stderr: warnings, and who has to agree anew."""

from collections.abc import Callable
from typing import Any

import click

from keyturn.cli.api import Api
from keyturn.cli.printing import wrapped


def tell_findings(findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        click.echo(wrapped(finding["text"], "warning: "), err=True)
        if finding["hint"]:
            click.echo(f"hint:    {finding['hint']}", err=True)


def tell_waiting(api: Api, concerns: Callable[[dict[str, Any]], bool]) -> None:
    """The advertisements that wait for approval, of those that a change may have concerned."""
    for found in api.get("/advertisements"):
        if found["standing"] == "waiting-for-approval" and concerns(found):
            number = found["advertisement"]["advertisement_id"]
            click.echo(f"advertisement {number} waits for approval: no client is offered it", err=True)
            click.echo(f"hint:    another person: keyturn advertisement approve {number}", err=True)
