"""`keyturn site control`: the site control file shown, compared and changed."""

import base64
from pathlib import Path
from typing import Any

import click

from keyturn.cli.api import segment
from keyturn.cli.client import moment
from keyturn.cli.printing import listed, print_json, print_table
from keyturn.cli.tools import Session, read_secret
from keyturn.model.errors import Refused
from keyturn.site.control.paths import read_path

_JSON = click.option("--json", "as_json", is_flag=True)
_SITE = click.option("--site", help="Send the change to this child site, where it is judged.")
_PATH = "/site/control"


@click.group()
def control() -> None:
    """The site control file: how the site is set up, and every change of that."""


@control.command()
@click.argument("serial", type=click.IntRange(min=0), required=False)
@_JSON
@click.option("--text", is_flag=True, help="In the text form of SMS.")
@click.option("--site", help="The newest document that this site below has sent.")
@click.pass_obj
def show(session: Session, serial: int | None, as_json: bool, text: bool, site: str | None) -> None:
    """The document as it is now, or as it was at SERIAL. Of a secret it shows that there is one."""
    if site is not None and (text or serial is not None):
        raise click.UsageError("--site shows the newest document, and no other form of it")
    if text:
        click.echo(_text(session, serial), nl=False)
        return
    query = {key: value for key, value in (("serial", serial), ("site", site)) if value is not None}
    shown = session.api().get(_PATH, **query)
    if as_json:
        print_json(shown)
        return
    click.echo(f"site {shown['site']}, serial {shown['serial']}")
    for owner, heading in _HEADINGS.items():
        if lines := [line for item in shown["items"] for line in _lines(item, owner)]:
            click.echo("\n".join(["", heading, *(f"  {line}" for line in lines)]))


@control.command()
@_JSON
@click.pass_obj
def history(session: Session, as_json: bool) -> None:
    """Every delta that came, applied or refused, oldest first."""
    found = session.api().get(f"{_PATH}/history")
    if as_json:
        print_json(found)
        return
    rows = [(_made(d), moment(d["at"]), d["author"], d["status"], d["said"] or _operations(d)) for d in found]
    print_table(("serial", "when", "who", "status", "what"), rows, empty="nothing yet")


@control.command()
@click.argument("before", type=click.IntRange(min=0))
@click.argument("after", type=click.IntRange(min=0))
@_JSON
@click.pass_obj
def diff(session: Session, before: int, after: int, as_json: bool) -> None:
    """What serial AFTER says differently from serial BEFORE."""
    found = session.api().get(f"{_PATH}/difference", before=before, after=after)
    if as_json:
        print_json(found)
        return
    lines = [
        *(f"- {line}" for item in found["removed"] for line in _lines(item)),
        *(f"+ {line}" for item in found["added"] for line in _lines(item)),
        *(f"~ {c['path']}: {c['before'] or '(none)'} → {c['after'] or '(none)'}" for c in found["changed"]),
    ]
    click.echo("\n".join(lines) or f"serials {before} and {after} say the same")


@control.command("set")
@click.argument("settings", metavar="SECTION.ITEM.PROPERTY=VALUE...", nargs=-1, required=True)
@click.option("--stdin", is_flag=True, help="Read a secret from standard input instead of asking for it.")
@click.option("--base", type=click.IntRange(min=0), help="The serial that the change was made for.")
@_SITE
@_JSON
@click.pass_obj
def set_(
    session: Session, settings: tuple[str, ...], stdin: bool, base: int | None, site: str | None, as_json: bool
) -> None:
    """Change properties, all of them or none. A property without =VALUE is a secret, which is asked for.

    What describes accounts, servers and the hierarchy is changed in the estate, and is refused here.
    """
    plain = [text.partition("=") for text in settings if "=" in text]
    secret = [text for text in settings if "=" not in text]
    for path in secret:
        read_path(path)  # refused before anybody types a secret
    if len(secret) > 1 and stdin:
        raise click.UsageError("one secret at a time comes on standard input")
    body = {
        "base": base,
        "set": [{"path": path, "value": value} for path, _, value in plain],
        "seal": [{"path": path, "secret": read_secret(from_stdin=stdin, prompt=path)} for path in secret],
    }
    _propose(session, body, site, as_json)


@control.command()
@click.argument("places", metavar="SECTION.ITEM[.PROPERTY]...", nargs=-1, required=True)
@click.option("--item", "items", is_flag=True, help="The places are whole items.")
@click.option("--base", type=click.IntRange(min=0), help="The serial that the change was made for.")
@_SITE
@_JSON
@click.pass_obj
def remove(
    session: Session, places: tuple[str, ...], items: bool, base: int | None, site: str | None, as_json: bool
) -> None:
    """Take properties away, or with --item whole items."""
    body = {"base": base, "remove_items" if items else "remove": list(places)}
    _propose(session, body, site, as_json)


@control.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("serial", type=click.IntRange(min=0), required=False)
@click.pass_obj
def export(session: Session, file: Path, serial: int | None) -> None:
    """Write the document to FILE, which must not exist, in the text form of SMS (sitectrl.ct0).

    What was in the text imported last and means nothing to Keyturn is in it, byte for byte. Secrets are sealed.
    """
    content = _text(session, serial)
    try:
        with file.open("xb") as new:
            new.write(content)
    except FileExistsError:
        raise Refused(f"{file} exists already", hint="name a new file") from None
    click.echo(f"wrote {file}")


@control.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--base", type=click.IntRange(min=0), help="The serial FILE was made from, if not the one in it.")
@click.option("--leave-estate", is_flag=True, help="Leave what is the estate's as the estate says, and tell it.")
@_JSON
@click.pass_obj
def import_(session: Session, file: Path, base: int | None, leave_estate: bool, as_json: bool) -> None:
    """Take in what FILE, a site control file in the text form of SMS, says differently: all of it or nothing."""
    content = base64.b64encode(file.read_bytes()).decode()
    taken = session.api().put(f"{_PATH}/text", {"content": content, "base": base, "leave_estate": leave_estate})
    if as_json:
        print_json(taken)
    if taken["left"] and not as_json:
        click.echo(f"left to the estate: {listed(taken['left'])}", err=True)
    if taken["delta"] is not None:
        (_refuse if as_json else _told)(taken["delta"])
    elif not as_json:
        click.echo(f"{file} says what the site control file says")


def _text(session: Session, serial: int | None) -> bytes:
    query = {} if serial is None else {"serial": serial}
    return base64.b64decode(session.api().get(f"{_PATH}/text", **query)["content"])


def _propose(session: Session, body: dict[str, Any], site: str | None, as_json: bool) -> None:
    if site is None:
        _tell(session.api().post(f"{_PATH}/deltas", body), as_json)
        return
    sent = session.api().post(f"{_PATH}/deltas/{segment(site)}", body)
    if as_json:
        print_json(sent)
    else:
        click.echo(f"on its way to site {sent['site']}, made for its serial {sent['base']}: keyturn site messages")


def _tell(delta: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(delta)
        _refuse(delta)
    else:
        _told(delta)


def _told(delta: dict[str, Any]) -> None:
    _refuse(delta)
    click.echo(f"applied: the site control file is at serial {delta['serial']}")


def _refuse(delta: dict[str, Any]) -> None:
    """Where nothing came of it."""
    if delta["serial"] is None:
        raise Refused(f"{delta['status']}: {delta['said']}; nothing has changed", hint=delta["hint"])


def _made(delta: dict[str, Any]) -> object:
    return "–" if delta["serial"] is None else delta["serial"]


def _operations(delta: dict[str, Any]) -> str:
    return ", ".join(delta["operations"]) or "the document as it stands"


def _lines(item: dict[str, Any], owner: str | None = None) -> list[str]:
    name = f"{item['section']}.{item['name']}"
    if not item["properties"]:
        return [name] if owner in (None, "estate") else []
    return [f"{name}.{p['name']}={p['value']}" for p in item["properties"] if owner in (None, p["owner"])]


_HEADINGS = {
    "estate": "as the estate says (keyturn estate import):",
    "hierarchy": "as sites have joined (keyturn site links):",
    "control file": "as set here:",
}
