"""`keyturn events`: what happened, and who asked for it."""

import click

from keyturn.cli.client import moment
from keyturn.cli.printing import print_json, print_table
from keyturn.cli.tools import Session


@click.command()
@click.option("--since", default=0, help="Only what came after the event of this number.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def events(session: Session, since: int, as_json: bool) -> None:
    """What happened, oldest first, and who asked for it."""
    found = session.api().get("/events", since=since)
    if as_json:
        print_json(found)
        return
    rows = [
        (e["number"], moment(e["at"]), e["actor"], e["kind"], f"{e['subject']} {e['detail']}".strip()) for e in found
    ]
    print_table(("no.", "when", "who", "what", "about"), rows, empty="nothing has happened yet")
