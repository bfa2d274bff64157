"""`keyturn collection`: the clients that something is advertised to."""

import click

from keyturn.cli.api import Api, segment
from keyturn.cli.authoring import take_away, tell_findings, tell_waiting
from keyturn.cli.printing import listed, print_json, print_table
from keyturn.cli.tools import Session
from keyturn.model.accounts import same_name
from keyturn.model.errors import NotFound
from keyturn.model.software import owner_of

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
_NAME = click.argument("name")


@click.group()
def collection() -> None:
    """Collections of clients: listed, or found by what is known of them."""


@collection.command()
@_NAME
@click.option("--client", "clients", multiple=True, help="A client of the estate or of a site below; repeatable.")
@click.option("--query", "queries", multiple=True, help="As in: os is debian and os-version at least 12. Repeatable.")
@click.option("--replace", "replacing", is_flag=True, help="In the place of the collection of this name.")
@_JSON
@click.pass_obj
def add(
    session: Session, name: str, clients: tuple[str, ...], queries: tuple[str, ...], replacing: bool, as_json: bool
) -> None:
    """Make the collection NAME: the clients listed, and those that meet any of the queries.

    A query joins conditions on facts with `and` and `or`: `fact is value`, `is not`, `like` (with * and ?),
    `at least`, `below`. Facts: name, site and kind from the estate; os, os-version, architecture, domain, address and
    others from the client itself.
    """
    api = session.api()
    wanted = {"name": name, "listed": clients, "queries": queries, "replacing": replacing}
    made = api.post("/collections", wanted)
    if as_json:
        print_json(made)
        return
    tell_findings(made["warnings"])
    members = api.get(f"/collections/{segment(made['id'])}/members")
    click.echo(f"collection {made['id']}: {made['name']}, now {listed(members)}")
    if strangers := [name for name in made["listed"] if name not in members]:
        click.echo(f"no client of this site: {', '.join(strangers)}; whoever bears that name at a site below is in it")
    tell_waiting(api, lambda offer: offer["advertisement"]["collection"] == made["id"])


@collection.command("list")
@_JSON
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every collection."""
    found = session.api().get("/collections")
    if as_json:
        print_json(found)
        return
    rows = [(c["id"], owner_of(c["id"]), c["name"], len(c["listed"]) or None, " or ".join(c["queries"])) for c in found]
    headings = ("collection", "of site", "name", "listed", "queries")
    print_table(headings, rows, empty="no collection: keyturn collection add NAME")


@collection.command()
@_NAME
@_JSON
@click.pass_obj
def show(session: Session, name: str, as_json: bool) -> None:
    """A collection, by its identifier or its name."""
    api = session.api()
    found = api.get(_path(api, name))
    if as_json:
        print_json(found)
        return
    click.echo(f"collection {found['id']}: {found['name']}, of site {owner_of(found['id'])}")
    if found["listed"]:
        click.echo(f"  listed  {', '.join(found['listed'])}")
    for query in found["queries"]:
        click.echo(f"  query   {query}")
    tell_findings(found["warnings"])


@collection.command()
@_NAME
@_JSON
@click.pass_obj
def members(session: Session, name: str, as_json: bool) -> None:
    """The clients that are in a collection now, one a line."""
    api = session.api()
    found = api.get(f"{_path(api, name)}/members")
    if as_json:
        print_json(found)
        return
    for client in found:
        click.echo(client)
    if not found:
        click.echo("no client is in it", err=True)


@collection.command()
@_NAME
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
@click.pass_obj
def remove(session: Session, name: str, yes: bool, as_json: bool) -> None:
    """Forget a collection. Refused while something is advertised to it."""
    api = session.api()
    take_away(api, f"collection {name}", _path(api, name), {"collection": name}, yes=yes, as_json=as_json)


def _path(api: Api, name: str) -> str:
    """`CEN/Desks`, as a collection of the site CEN is told from one of this site, by its identifier: a path has no
    place for the slash."""
    if "/" not in name:
        return f"/collections/{segment(name)}"
    code, _, rest = name.partition("/")
    for found in api.get("/collections"):
        if same_name(owner_of(found["id"]), code) and same_name(found["name"], rest):
            return f"/collections/{segment(found['id'])}"
    raise NotFound(f"no collection {name}", hint="keyturn collection list")
