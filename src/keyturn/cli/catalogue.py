"""`keyturn catalogue`: the tables of account roles, for people and as JSON. Needs no server."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from keyturn.lifecycle.catalogue.products import PRODUCTS, row, rows
from keyturn.lifecycle.catalogue.rules import CatalogueRow, Method, MethodPart
from keyturn.model.accounts import RoleName

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@click.option("--product", type=click.Choice(list(PRODUCTS)), default="sms2003", show_default=True)
@click.argument("role", required=False)
@click.option("--json", "as_json", is_flag=True, help="A list of objects, also for one role.")
def catalogue(product: str, role: str | None, as_json: bool) -> None:
    """Show how the account of each role gets a new password, or all that is known of one ROLE."""
    found = rows(product) if role is None else (row(RoleName(f"{product}/{role}")),)
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in found], indent=2))
    else:
        _show(_overview(found) if role is None else _detail(found[0]))


def _as_json(one: CatalogueRow) -> dict[str, object]:
    """The published shape: other programs read exactly these keys."""
    return {
        "role": one.role,
        "title": one.title,
        "name_pattern": one.name_pattern,
        "password_created_by": one.password_created_by,
        "manual_change": one.manual_change,
        "methods": [list(method) for method in one.methods],
        "site_reset": one.site_reset,
        "second_account_when": list(one.second_account_when),
        "source": one.source,
    }


_SPOKEN: dict[MethodPart, str] = {
    MethodPart.OPERATING_SYSTEM: "OS",
    MethodPart.SQL_SERVER: "SQL",
    MethodPart.SITE_RESET: "site reset",
    MethodPart.CONSOLE: "console",
    MethodPart.SMS: "SMS",
    MethodPart.CLIENT_REINSTALL: "client reinstall",
}


def _overview(found: Iterable[CatalogueRow]) -> "Table":
    from rich.table import Table  # half of the start-up time, which `--json` need not pay

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    # Widths by which the longest rows of every product stay whole in 80 columns.
    table.add_column("role", no_wrap=True)
    table.add_column("by hand", min_width=len("recommended"))
    table.add_column("method", no_wrap=True)
    table.add_column("second account")
    for one in found:
        table.add_row(
            one.role, _words(one.manual_change), _methods(one.methods), _words("\n".join(one.second_account_when))
        )
    return table


def _detail(one: CatalogueRow) -> "Table":
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    for label, value in _facts(one):
        grid.add_row(label, value)
    return grid


def _facts(one: CatalogueRow) -> list[tuple[str, str]]:
    """Label and value, without those that say nothing."""
    known = [
        ("title", one.title),
        ("role", one.role),
        ("name", one.name_pattern or "as the administrator chooses"),
        ("password made by", "the product, at random" if one.password_created_by == "random" else "the administrator"),
        ("change by hand", _words(one.manual_change)),
        ("method", _methods(one.methods)),
        ("site reset", _words(one.site_reset)),
        ("with setup file", "the reset needs the same file again" if one.from_setup_file else ""),
        ("second account", _words(", ".join(one.second_account_when)) or "not needed"),
        ("held by", _words(one.held_by)),
        ("maintained by", one.maintained_by),
        ("tool", one.tool),
        ("Keyturn's way", _words(one.change)),
        ("after a second", _words(one.change_after_second) if one.second_account_when else ""),
        ("guideline", one.guideline),
        ("longest password", f"{one.max_password_length} characters" if one.max_password_length else ""),
        ("not in a password", one.forbidden_characters),
        ("could be a gMSA", "yes" if one.could_be_gmsa else "no"),
        ("source", one.source),
    ]
    return [(label, value) for label, value in known if value]


def _methods(methods: Iterable[Method]) -> str:
    return "\n".join(("or " if number else "") + _spoken(method) for number, method in enumerate(methods))


def _spoken(method: Method) -> str:
    return ", then ".join(_SPOKEN[part] for part in method)


def _words(slug: str) -> str:
    return slug.replace("-", " ")


def _show(table: "Table") -> None:
    from rich.console import Console

    # Names hold brackets and ampersands; none of it is markup.
    Console(markup=False, emoji=False, highlight=False).print(table)
