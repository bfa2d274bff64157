"""`keyturn audit-log`: what happened, who asked for it, and whether the record of it is whole."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyturn.cli.client import moment
from keyturn.cli.printing import print_entries, print_json
from keyturn.cli.tools import Session, passphrase
from keyturn.model.errors import Refused
from keyturn.wire.rest import VerdictShape

if TYPE_CHECKING:
    from keyturn.operations.audit_log import AuditLog

_PASSPHRASE = click.option(
    "--passphrase-stdin", is_flag=True, help="Read the passphrase that seals the site from standard input."
)
_JSON = click.option("--json", "as_json", is_flag=True)
_PAGE = 1000


@click.group("audit-log")
def audit_log() -> None:
    """What happened, who asked for it, and whether the record of it is whole."""


@audit_log.command()
@click.option("--since", default=0, help="Only what came after the event of this number.")
@click.option("--actor", help="Only what this person, machine or plan did.")
@click.option("--account", help="Only what names this account: REALM\\NAME, or the name alone.")
@_JSON
@click.pass_obj
def show(session: Session, since: int, actor: str | None, account: str | None, as_json: bool) -> None:
    """What happened, oldest first, and who asked for it."""
    asked = {name: value for name, value in (("actor", actor), ("account", account)) if value}
    found = list(_pages(session, since, asked))
    if as_json:
        print_json(found)
        return
    print_entries([_entry(event) for event in found], empty="nothing of that has happened")


def _entry(event: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    """What an envelope's event is about ends with the account, which its subject names already."""
    subject, detail = event["subject"], event["detail"].removesuffix(f"; account={event['subject']}")
    return (
        str(event["number"]),
        moment(event["at"]) or "",
        event["actor"],
        event["kind"],
    ), f"{subject} {detail}".strip()


@audit_log.command()
@_PASSPHRASE
@_JSON
@click.pass_obj
def checkpoint(session: Session, passphrase_stdin: bool, as_json: bool) -> None:
    """Print one line that says where the log ends now. Keep it elsewhere: in mail, on paper, on another machine.

    The whole log is verified first.
    """
    from keyturn.operations.audit_log import take_checkpoint

    if session.at_hand:
        with _log(session, passphrase_stdin) as log:
            line = str(take_checkpoint(log))
    else:
        line = session.api().get("/audit-log/checkpoint")["line"]
    if as_json:
        print_json({"line": line})
    else:
        click.echo(line)


@audit_log.command()
@click.option(
    "--checkpoint",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="Checkpoints kept elsewhere, one a line; `-` for standard input.",
)
@_PASSPHRASE
@_JSON
@click.pass_obj
def verify(session: Session, files: tuple[Path, ...], passphrase_stdin: bool, as_json: bool) -> None:
    """Prove that nothing was taken out of the log, altered, moved or put in, or name the first event that does not fit.

    That the newest events were cut off shows against a checkpoint alone. In a site's directory (--dir) the log is read
    there, whether or not a server runs; else the site logged in to is asked. Exit status 1 if the log is not intact.
    """
    if passphrase_stdin and Path("-") in files:
        raise click.UsageError("standard input has the passphrase or the checkpoints, not both")
    kept = "\n".join(_text(file) for file in files)
    found = _verified(session, kept, passphrase_stdin)
    if as_json:
        print_json(asdict(found))
    else:
        _tell(found)
    sys.exit(0 if found.intact else 1)


def _verified(session: Session, kept: str, from_stdin: bool) -> VerdictShape:
    from keyturn.operations.audit_log import read_checkpoints, verify

    checkpoints = read_checkpoints(kept)
    if not session.at_hand:
        return VerdictShape(**session.api().post("/audit-log/verify", {"checkpoints": list(map(str, checkpoints))}))
    with _log(session, from_stdin) as log:
        verdict = verify(log, checkpoints)
    fault = verdict.fault
    number, wrong = (fault.number, fault.wrong) if fault else (None, "")
    return VerdictShape(fault is None, verdict.events, verdict.checkpoints, number, wrong)


def _tell(found: VerdictShape) -> None:
    if not found.intact:
        click.echo(f"event {found.number}: {found.wrong}")
        click.echo(_BEFORE.get(found.events, f"the {found.events} events before it fit"))
        return
    click.echo(f"intact: {found.events} events fit{_compared(found.checkpoints)}")
    if not found.checkpoints:
        click.echo("without a checkpoint kept elsewhere, nobody can tell whether newer events were cut off", err=True)


_BEFORE = {0: "no event fits", 1: "the event before it fits"}


def _compared(checkpoints: int) -> str:
    match checkpoints:
        case 0:
            return ""
        case 1:
            return ", and so does the checkpoint"
        case _:
            return f", and so do {checkpoints} checkpoints"


@contextmanager
def _log(session: Session, from_stdin: bool) -> "Iterator[AuditLog]":
    """Straight from the site's directory: whoever doubts the log need not believe the server."""
    from keyturn.operations.audit_log import AuditLog

    with session.tools.site(session.directory(), passphrase(from_stdin=from_stdin)) as parts:
        yield AuditLog(parts.settings.site, parts.store)


def _pages(session: Session, since: int, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
    api = session.api()
    while page := api.get("/audit-log", since=since, limit=_PAGE, **asked):
        yield from page
        since = page[-1]["number"]


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if file == Path("-") else file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{file} is not UTF-8 text") from None
