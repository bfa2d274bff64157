"""`keyturn envelope`: sealed copies of passwords, opened by custodians with their own keys."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click

from keyturn.cli.envelope_tables import show_envelopes, show_verified
from keyturn.cli.printing import print_json
from keyturn.cli.sealed import Wanted, from_server, hand_out, read_keys
from keyturn.cli.tools import Session, passphrase
from keyturn.escrow.drill import answer
from keyturn.escrow.envelope import Opened, open_envelope
from keyturn.escrow.outside import EnvelopeError, choices, read_outside
from keyturn.operations.envelopes import Purpose

_FILE = click.Path(path_type=Path, dir_okay=False)
_GENERATION = click.option("--generation", type=int, help="Another generation than the live one.")
_PASSPHRASE = click.option(
    "--passphrase-stdin", is_flag=True, help="Read the passphrase that seals the site from standard input."
)
_KEY = click.option("--key", "keys", multiple=True, metavar="NAME=FILE", required=True, help="A custodian's identity.")
_JSON = click.option("--json", "as_json", is_flag=True)


@click.group()
def envelope() -> None:
    """Sealed copies of passwords."""


@envelope.command("list")
@_JSON
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """For whom each account is sealed, who opened it, what left Keyturn, and when it was last tried."""
    found = session.api().get("/envelopes")
    if as_json:
        print_json(found)
    else:
        show_envelopes(found)


@envelope.command()
@click.argument("account", required=False)
@_JSON
@click.pass_obj
def verify(session: Session, account: str | None, as_json: bool) -> None:
    """Whether every envelope is the one that was sealed, and its password the one the realm has.

    Costs no logon. Exit status 1 when something is not in order.
    """
    found = session.api().get("/envelopes/verification", **({} if account is None else {"account": account}))
    if as_json:
        print_json(found)
    else:
        show_verified(found)
    sys.exit(1 if any(each["faults"] for each in found) else 0)


@envelope.command()
@click.argument("account", required=False)
@click.option("--all", "everything", is_flag=True, help="Every account.")
@_JSON
@click.pass_obj
def seal(session: Session, account: str | None, everything: bool, as_json: bool) -> None:
    """Seal again, for the custodians as keyturn.toml has named them since the server started.

    Copies that left before stay as they are: after a custodian has left, rotate as well.
    """
    if bool(account) == everything:
        raise click.UsageError("name an ACCOUNT, or say --all")
    found = session.api().post("/envelopes/seal", {"account": account})
    if as_json:
        print_json(found)
    else:
        show_envelopes(found)


@envelope.command()
@click.argument("account")
@_GENERATION
@_PASSPHRASE
@click.option("--output", type=_FILE, help="A file; else standard output.")
@click.pass_obj
def take(session: Session, account: str, generation: int | None, passphrase_stdin: bool, output: Path | None) -> None:
    """Copy the envelope of ACCOUNT. It stays sealed; the copy is recorded as out of sight."""
    ask = passphrase(from_stdin=passphrase_stdin)
    sealed = hand_out(session, Wanted(account, generation, Purpose.COPY), ask).envelope
    if output:
        output.write_text(sealed)
        click.echo(f"{output}: opens with {choices(read_outside(sealed.encode()).opens_with)}", err=True)
    else:
        click.echo(sealed, nl=False)


@envelope.command("open")
@click.argument("account_or_file")
@_GENERATION
@_PASSPHRASE
@_KEY
@_JSON
@click.pass_obj
def open_(
    session: Session,
    account_or_file: str,
    generation: int | None,
    passphrase_stdin: bool,
    keys: tuple[str, ...],
    as_json: bool,
) -> None:
    """Open the envelope of an account, or one in a file, with custodians' keys. Prints the password.

    It is recorded, and the account is due for rotation. Works without a server in the site's directory and, with the
    plain age tool, without Keyturn.
    """
    given, file = read_keys(keys), Path(account_or_file)
    if file.is_file():
        opened, recorded = open_envelope(file.read_bytes(), given), False
        click.echo("an opening of a file cannot be recorded: tell the administrator, and rotate the account", err=True)
    else:
        wanted = Wanted(account_or_file, generation, Purpose.OPEN)
        handed = hand_out(session, wanted, passphrase(from_stdin=passphrase_stdin), given)
        opened, recorded = open_envelope(handed.envelope.encode(), given), handed.told
        click.echo(_RECORDED[recorded], err=True)
    _print_opened(opened, recorded, as_json=as_json)


_RECORDED = {
    True: "the opening is recorded; an account whose live password was read is due for rotation",
    False: "NOT RECORDED: the store cannot be written. Note who opened it and when, and rotate the account",
}


@envelope.command("print")
@click.argument("account")
@click.option("--output", type=_FILE, required=True, metavar="FILE.pdf", help="A new file.")
@_PASSPHRASE
@click.pass_obj
def print_(session: Session, account: str, output: Path, passphrase_stdin: bool) -> None:
    """Make a paper for the safe: the sealed envelope of ACCOUNT as codes, who opens it, and how. A4.

    Its serial is recorded; `envelope list` tells when a change has made it void.
    """
    from keyturn.escrow.paper import Printing
    from keyturn.escrow.pdf import draw

    ask = passphrase(from_stdin=passphrase_stdin)
    with _new(output) as file:
        handed = hand_out(session, Wanted(account, None, Purpose.PRINT), ask)
        file.write(draw(handed.envelope.encode(), Printing(handed.serial, f"{datetime.now(UTC):%Y-%m-%d}")))
    click.echo(f"{output}: {handed.account} generation {handed.generation}, serial {handed.serial}")


@envelope.command()
@click.argument("account")
@_KEY
@click.option("--serial", default="", help="Of the paper that was taken out of the safe for the drill.")
@click.option("--file", "file", type=_FILE, help="What was read from that paper, or another copy; else the store's.")
@_JSON
@click.pass_obj
def drill(session: Session, account: str, keys: tuple[str, ...], serial: str, file: Path | None, as_json: bool) -> None:
    """Prove that custodians can open the envelope of ACCOUNT, and by one logon that it holds the live password.

    The password is not shown and stays on this machine. Exit status 1 when the drill fails.
    """
    given = read_keys(keys)
    wanted = Wanted(account, None, Purpose.DRILL)
    copy = file.read_bytes() if file else None
    handed = from_server(session, wanted, given if copy is None else None)
    try:
        opened = open_envelope(copy if copy is not None else handed.envelope.encode(), given)
        said = answer(opened.content, handed.challenge)
        _tell_damage(opened)
    except EnvelopeError as fault:
        click.echo(f"it does not open: {fault.message}", err=True)
        said = ""
    end = {"account": handed.account, "challenge": handed.challenge, "answer": said, "serial": serial}
    ended: dict[str, Any] = session.api().post("/envelopes/drill", end)
    if as_json:
        print_json(ended)
    else:
        result = "passed" if ended["passed"] else f"FAILED: {ended['why']}"
        click.echo(f"drill of {handed.account} generation {ended['generation']}: {result}")
    sys.exit(0 if ended["passed"] else 1)


@contextmanager
def _new(output: Path) -> Iterator[IO[bytes]]:
    """A file that was not there, 0600, made before anything is recorded; gone again when something fails."""
    try:
        file = os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise click.BadParameter(f"{output}: {error.strerror}", param_hint="--output") from None
    try:
        with file:
            yield file
    except BaseException:
        output.unlink()
        raise


def _print_opened(opened: Opened, recorded: bool, *, as_json: bool) -> None:
    content = opened.content
    _tell_damage(opened)
    if as_json:
        shown = {"account": content.account, "generation": content.generation, "site": content.site}
        shown |= {"opened_with": list(opened.by), "damaged": list(opened.damaged), "recorded": recorded}
        print_json({**shown, "password": content.password.reveal()})
        return
    click.echo(f"{content.account} generation {content.generation}, opened with {', '.join(opened.by)}", err=True)
    click.echo(content.password.reveal())


def _tell_damage(opened: Opened) -> None:
    for fault in opened.damaged:
        click.echo(f"warning: {fault}", err=True)
