"""`keyturn site …`: sites above and below this one, the links to them, and files sent to them."""

import base64
import hashlib
import os
import ssl
from pathlib import Path

import click

from keyturn.cli.api import segment
from keyturn.cli.client import moment
from keyturn.cli.printing import print_json, print_table
from keyturn.cli.tools import Session, hand_out, read_secret, refuse_existing

_json = click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")


@click.command()
@click.argument("code")
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), help="Write the token there (0600).")
@click.pass_obj
def invite(session: Session, code: str, token_file: Path | None) -> None:
    """Make a one-use token by which the site CODE of the estate joins below this one.

    What to type at that site stands on stderr. The token is printed, or written to a new file that only you can read.
    """
    refuse_existing(token_file)
    door = session.door()
    invitation = session.api().post("/hierarchy/invitations", {"code": code})
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(door.authority_pem)).hexdigest()
    click.echo(f"at site {code}: keyturn site join {invitation['url']} --ca-fingerprint {fingerprint}", err=True)
    click.echo(f"the token lasts {invitation['lasts_s'] / 60:.0f} min", err=True)
    hand_out(invitation["token"], token_file)


@click.command()
@click.argument("parent_url")
@click.option("--ca-fingerprint", "fingerprint", required=True, help="SHA-256 of the parent's certificate authority.")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input.")
@_json
@click.pass_obj
def join(session: Session, parent_url: str, fingerprint: str, token_stdin: bool, as_json: bool) -> None:
    """Join below the site at PARENT_URL, with a token that was made there (`keyturn site invite`)."""
    token = read_secret(from_stdin=token_stdin, prompt="Token")
    body = {"url": parent_url, "fingerprint": fingerprint, "token": token}
    parent = session.api().post("/hierarchy/join", body)
    if as_json:
        print_json(parent)
    else:
        click.echo(f"this site stands below site {parent['code']} now")


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def leave(session: Session, yes: bool) -> None:
    """Let go of the parent and of every site beyond it. What is queued for them is thrown away.

    The parent lets go by `keyturn site dismiss`.
    """
    if not yes:
        click.confirm("Leave the parent, and throw away what is queued for it?", abort=True)
    click.echo(f"this site stands below site {session.api().post('/hierarchy/leave')['code']} no longer")


@click.command()
@click.argument("code")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def dismiss(session: Session, code: str, yes: bool) -> None:
    """Let the child CODE go, and every site below it. What is queued for them is thrown away."""
    if not yes:
        click.confirm(f"Let site {code} go, and throw away what is queued for it?", abort=True)
    session.api().delete(f"/hierarchy/sites/{segment(code)}")
    click.echo(f"site {code} is dismissed")


@click.command()
@_json
@click.pass_obj
def addresses(session: Session, as_json: bool) -> None:
    """Every site that is known here: where it is, through whom it is reached, and with which account."""
    found = session.api().get("/hierarchy/addresses")
    if as_json:
        print_json(found)
        return
    rows = [(a["code"], a["kind"], a["parent"], a["through"], a["url"], _account(a)) for a in found]
    headings = ("site", "kind", "below", "through", "address", "account")
    print_table(headings, rows, empty="this site stands alone: keyturn site invite CODE, or site join")


_STANDS = {"up": "above", "down": "below"}
"""Where a neighbour stands, seen from here. "up" and "down" alone would be read as whether its link works."""


@click.command()
@_json
@click.pass_obj
def links(session: Session, as_json: bool) -> None:
    """How the way to the parent and to each child stands."""
    found = session.api().get("/hierarchy/links")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            n["code"],
            _STANDS[n["direction"]],
            n["state"],
            n["queued"],
            moment(n["last_sent_at"]),
            moment(n["next_try_at"]),
        )
        for n in found
    ]
    headings = ("site", "stands", "state", "queued", "last sent", "next try")
    print_table(headings, rows, empty="this site has no neighbours: keyturn site invite CODE, or site join")
    for one in found:
        if one["trouble"]:
            click.echo(f"{one['code']}: {one['trouble']}", err=True)


@click.command()
@click.argument("code")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--kind",
    type=click.Choice(["control", "status", "inventory", "package"]),
    default="package",
    show_default=True,
    help="What it is.",
)
@_json
@click.pass_obj
def send(session: Session, code: str, file: Path, kind: str, as_json: bool) -> None:
    """Queue FILE, of 16 MB at most, for the site CODE."""
    payload = base64.b64encode(file.read_bytes()).decode()
    queued = session.api().post("/hierarchy/bundles", {"destination": code, "kind": kind, "payload": payload})
    if as_json:
        print_json(queued)
    else:
        click.echo(f"{kind} {queued['sequence']} is queued for site {code}")


@click.command()
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Move all there.")
@_json
@click.pass_obj
def received(session: Session, folder: Path | None, as_json: bool) -> None:
    """What other sites sent and nobody has collected. With --to, each is moved into a file of that folder."""
    found = session.api().get("/hierarchy/received")
    if as_json:
        print_json(found)
    else:
        rows = [(b["source"], b["kind"], b["sequence"], moment(b["created"])) for b in found]
        print_table(("from", "kind", "number", "sent"), rows, empty="nothing is here")
    if folder is not None:
        for bundle in found:
            _move(session, bundle, folder)


def _move(session: Session, bundle: dict[str, str], folder: Path) -> None:
    """The site gives it up only once the file is there, so a crash in between leaves it in both places."""
    wanted = {key: bundle[key] for key in ("source", "kind", "sequence")}
    payload = session.api().post("/hierarchy/collect", {**wanted, "keep": True})["payload"]
    name = f"{bundle['source']}-{bundle['kind']}-{bundle['sequence']}"
    fresh = folder / f".{name}.new"
    with fresh.open("wb") as file:
        file.write(base64.b64decode(payload))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / name)
    session.api().post("/hierarchy/collect", wanted)


def _account(address: dict[str, str]) -> str:
    if address["account"] is None:
        return "its key alone"
    return f"{address['account']} {address['generation']}, {address['standing']}"


COMMANDS = (invite, join, leave, dismiss, addresses, links, send, received)
