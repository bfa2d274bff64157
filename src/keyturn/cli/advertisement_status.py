"""`keyturn advertisement status`: how each client stands with an advertisement."""

from typing import Any

import click

from keyturn.cli.api import segment
from keyturn.cli.moments import moment
from keyturn.cli.printing import print_json, print_table, say, wrapped
from keyturn.cli.tools import Session

EMPTY = "no client is in its collection, and none was heard: keyturn collection members COLLECTION"


@click.command()
@click.argument("advertisement_id", metavar="ID")
@click.option("--client", help="Everything that this one told, with who was presented where.")
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
@click.pass_obj
def status(session: Session, advertisement_id: str, client: str | None, as_json: bool) -> None:
    """How each client stands with an advertisement, by its own newest word.

    States: not-heard, received, waiting (with the reason), running, succeeded, failed (with the cause and the way
    out), interrupted, cancelled.
    """
    path = f"/advertisements/{segment(advertisement_id)}/status"
    found = session.api().get(path if client is None else f"{path}/{segment(client)}")
    if as_json:
        print_json(found)
    elif client is None:
        _show_all(found)
    else:
        _show_history(client, found)


def _show_all(found: dict[str, Any]) -> None:
    rows = [(_who(one), one["site"], one["state"], moment(one["at"]), _note(one)) for one in found["clients"]]
    print_table(("client", "of site", "state", "since", "note"), rows, empty=EMPTY)
    if found["counts"]:
        click.echo(", ".join(f"{count} {state}" for state, count in found["counts"].items()))
    _show_ways_out(found["clients"])


def _show_history(client: str, found: list[dict[str, Any]]) -> None:
    if not found:
        click.echo(f"{client} has told nothing of it")
    for one in found:
        ran = f" as {one['executed_as']}" if one["executed_as"] else ""
        click.echo(f"{moment(one['at'])}  {one['state']}{ran}")
        if note := _note(one):
            click.echo(wrapped(note, "    "))
        for access in one["accesses"]:
            said = f"{access['answer'] or 'no answer'}, status {access['status']:#x}"
            click.echo(f"    {access['unc']} as {access['identity']} (try {access['order']}): {said}")
    _show_ways_out(found[-1:])


def _show_ways_out(found: list[dict[str, Any]]) -> None:
    for remedy in dict.fromkeys(one["remedy"] for one in found if one["remedy"]):
        say("hint:  ", remedy)


def _who(one: dict[str, Any]) -> str:
    user = f" ({one['user']})" if one["user"] else ""
    return f"{one['client']}{user}" + ("" if one["member"] else ", not in it now")


def _note(one: dict[str, Any]) -> str:
    said = [one["cause"].replace("-", " "), one["reason"]]
    code = f"exit code {one['exit_code']}"
    if one["exit_code"] is not None and not one["reason"].endswith(code):
        said.append(code)
    return ": ".join(part for part in said if part)
