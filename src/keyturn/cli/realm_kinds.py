"""`keyturn realm kinds`: what an estate may write as the kind of a realm."""

import click

from keyturn.cli.printing import print_json, print_table, wrapped
from keyturn.cli.tools import Session


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def kinds(session: Session, as_json: bool) -> None:
    """The kinds of realm that the site knows, who brings each, and whether the site can open one.

    A plug-in counts where it is installed beside the server, not where this command is typed.
    """
    found = session.api().get("/realm-kinds")
    if as_json:
        print_json(found)
        return
    rows = [(k["kind"], f"{k['package']} {k['version']}", "no" if k["trouble"] else "yes") for k in found]
    print_table(("kind", "brought by", "can be opened"), rows, empty="")
    for kind in found:
        if kind["trouble"]:
            click.echo(wrapped(f"{kind['kind']}: {kind['trouble']}", "! "))
