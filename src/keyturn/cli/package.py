"""`keyturn package`: software to be distributed."""

from typing import Any

import click

from keyturn.cli.api import Api, ServerFailed, segment
from keyturn.cli.authoring import take_away, tell_waiting
from keyturn.cli.package_inspect import inspect
from keyturn.cli.package_reading import how_far, read
from keyturn.cli.printing import listed, print_facts, print_json, print_table
from keyturn.cli.tools import Session
from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.software import owner_of

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")
_ID = click.argument("package_id", metavar="ID")


@click.group()
def package() -> None:
    """Software to be distributed."""


@package.command()
@click.argument("name")
@click.option("--source", default="", help=r"A folder of the site server, or \\host\share\folder. Read at once.")
@click.option("--publisher", default="")
@click.option("--version", "product_version", default="", help="The product's own.")
@click.option("--language", default="")
@click.option("--access", multiple=True, metavar="ACCOUNT", help=r"REALM\name that may read it; else every user.")
@_JSON
@click.pass_obj
def add(session: Session, /, as_json: bool, **wanted: Any) -> None:
    """Make a package called NAME. Without a source its programs need no files."""
    api = session.api()
    made = api.post("/packages", wanted)
    if made["source"]:
        click.echo(f"package {made['package_id']} is made; its source is being read", err=True)
        try:
            _update(api, made["package_id"], {}, as_json=as_json)
        except ServerFailed:  # it may be reading still
            raise
        except KeyturnError:
            again = f"keyturn package update {made['package_id']}"
            click.echo(f"package {made['package_id']} stays, without files; once that is put right: {again}", err=True)
            raise
    elif as_json:
        print_json({"package": made, "content": None, "new": False})
    else:
        click.echo(f"package {made['package_id']}: {made['name']}, without files")


@package.command()
@_ID
@click.option("--source", help="Read this one instead, from now on.")
@click.option("--all", "every_file", is_flag=True, help="Read files again that have not changed since they were read.")
@_JSON
@click.pass_obj
def update(session: Session, package_id: str, source: str | None, every_file: bool, as_json: bool) -> None:
    """Read the package's source again: the files that have changed since they were read.

    A new version is brought to the distribution points by itself. What runs administratively waits for another
    person's approval again, where two persons are needed.
    """
    _update(session.api(), package_id, {"source": source, "every_file": every_file}, as_json=as_json)


@package.command("list")
@_JSON
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every package."""
    found = session.api().get("/packages")
    if as_json:
        print_json(found)
        return
    rows = [
        (p["package_id"], owner_of(p["package_id"]), p["name"], p["source_version"] or None, p["source"]) for p in found
    ]
    print_table(("package", "of site", "name", "version", "source"), rows, empty="no package: keyturn package add NAME")


@package.command()
@_ID
@_JSON
@click.pass_obj
def show(session: Session, package_id: str, as_json: bool) -> None:
    """A package: its content, its programs, and which distribution points have it."""
    found = session.api().get(f"/packages/{segment(package_id)}")
    if as_json:
        print_json(found)
        return
    this = found["package"]
    facts = (
        ("of site", owner_of(this["package_id"])),
        ("name", this["name"]),
        ("publisher", this["publisher"]),
        ("product version", this["product_version"]),
        ("language", this["language"]),
        ("source", this["source"]),
        ("content", _said(found["content"])),
        ("being read", how_far(found["reading"]) if found["reading"] else ""),
        ("read by", ", ".join(this["access"]) or "every user"),
        ("programs", ", ".join(found["programs"])),
    )
    click.echo(f"package {this['package_id']}")
    print_facts(facts, 16)
    there = {record["system"]: record for record in found["there"]}
    rows = [_stands(system, there.get(system)) for system in dict.fromkeys((*found["points"], *there))]
    print_table(
        ("distribution point", "state", "there", "note"),
        rows,
        empty=_nowhere(this),
    )


@package.command()
@_ID
@click.option("--allow", multiple=True, metavar="ACCOUNT", help=r"REALM\name; may be repeated.")
@click.option("--remove", multiple=True, metavar="ACCOUNT", help="Who may read it no longer; may be repeated.")
@_JSON
@click.pass_obj
def access(session: Session, package_id: str, allow: tuple[str, ...], remove: tuple[str, ...], as_json: bool) -> None:
    """Say which accounts may read the package at a distribution point, besides the machines.

    Its content is not distributed anew. Without any account left, every user of the realm may read it.
    Refused for an account that neither the estate nor its realm knows; where the realm cannot be asked, it is taken.
    """
    if not allow and not remove:
        raise Refused("neither --allow nor --remove was said", hint=f"keyturn package show {package_id}")
    changed = session.api().post(f"/packages/{segment(package_id)}/access", {"allow": allow, "remove": remove})
    if as_json:
        print_json(changed)
    else:
        click.echo(f"package {changed['package_id']} is read by {', '.join(changed['access']) or 'every user'}")


@package.command()
@_ID
@click.option("--to", "systems", multiple=True, metavar="SYSTEM", help="These distribution points, and no others.")
@_JSON
@click.pass_obj
def distribute(session: Session, package_id: str, systems: tuple[str, ...], as_json: bool) -> None:
    """Have the package brought to distribution points: to every one of the site, unless some are named.

    `keyturn package show` tells how far it is.
    """
    chosen = session.api().post(f"/packages/{segment(package_id)}/distribute", {"systems": systems})
    if as_json:
        print_json(chosen)
    else:
        click.echo(f"package {package_id} goes to {listed(chosen)}")


@package.command()
@_ID
@_JSON
@click.pass_obj
def refresh(session: Session, package_id: str, as_json: bool) -> None:
    """Have every distribution point of the package compared with what it is to have, file by file, and put right.

    Until that is done, no client is sent there.
    """
    points = session.api().post(f"/packages/{segment(package_id)}/refresh", {})
    if as_json:
        print_json(points)
    elif points:
        click.echo(f"package {package_id} is compared at {listed(points)}: keyturn package show {package_id}")
    else:
        click.echo(f"no distribution point has anything of it yet: keyturn package show {package_id}", err=True)


@package.command()
@_ID
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
@click.pass_obj
def remove(session: Session, package_id: str, yes: bool, as_json: bool) -> None:
    """Forget the package, with its programs, and take it off the distribution points.

    Refused while one of its programs is advertised.
    """
    path, named = f"/packages/{segment(package_id)}", {"package_id": package_id}
    take_away(session.api(), f"package {package_id}", path, named, yes=yes, as_json=as_json)


package.add_command(inspect)


def _update(api: Api, package_id: str, wanted: dict[str, object], *, as_json: bool) -> None:
    found = read(api, package_id, wanted, quiet=as_json)
    if as_json:
        print_json(found)
        return
    this = found["package"]
    what = _said(found["content"]) if found["new"] else f"nothing new, {_said(found['content'])}"
    click.echo(f"package {this['package_id']}: {this['name']}, {what}")
    if found["new"]:
        tell_waiting(api, lambda offer: this["package_id"] in offer["contents"])


def _nowhere(this: dict[str, Any]) -> str:
    where = "; clients read it at its source" if this["source"].startswith("\\\\") else ""
    return f"no distribution point has it{where}: keyturn package distribute {this['package_id']}"


def _said(content: dict[str, Any] | None) -> str:
    if content is None:
        return ""
    files = "1 file" if content["files"] == 1 else f"{content['files']:,} files"
    held = f"{files}, {content['size']:,} bytes"
    return f"version {content['version']}, {held}, {content['digest'][:16]}"


def _stands(system: str, record: dict[str, Any] | None) -> tuple[object, ...]:
    if record is None:
        return system, "waiting", None, ""
    return system, record["state"], record["there"] or None, record["reason"]
