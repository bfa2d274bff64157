"""`keyturn site setup-file`: SMSAccountSetup.ini written and checked. Needs no server."""

import os
from pathlib import Path

import click

from keyturn.cli.printing import print_json
from keyturn.cli.tools import read_secret
from keyturn.model.errors import Refused
from keyturn.model.setup import SetupAccount, SetupAccounts
from keyturn.site.setup_file import Finding, SetupFile, Weight, inspect, written

DEFAULT_NAME = Path("SMSAccountSetup.ini")


@click.group("setup-file")
def setup_file() -> None:
    """SMSAccountSetup.ini: the accounts that setup uses instead of making its own."""


@setup_file.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT_NAME)
@click.option("--server", metavar="NAME", help="The account for [ServerAccount].")
@click.option("--client", metavar="NAME", help="The account for [ClientAccount].")
@click.option("--stdin", is_flag=True, help="Read the passwords from standard input, a line each, the server's first.")
@click.option("--json", "as_json", is_flag=True)
def write(file: Path, server: str | None, client: str | None, stdin: bool, as_json: bool) -> None:
    """Write FILE (SMSAccountSetup.ini unless said), which only you can read.

    The accounts must exist. A site that was set up with such a file needs the same one at every reset: keep it, or keep
    the names, as their passwords can be written into a new one.
    """
    if server is None and client is None:
        raise click.UsageError("--server NAME, --client NAME, or both")
    if file.exists():
        raise Refused(f"{file} exists already", hint="name a new file")
    _write_private(file, written(asked_accounts(server, client, stdin=stdin)).reveal().encode("utf-8"))
    _tell(file, inspect(file.read_bytes()), as_json)


@setup_file.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True)
def check(file: Path, as_json: bool) -> None:
    """Whether FILE is an account setup file. Every problem is told, with its line; passwords are never shown."""
    read = inspect(file.read_bytes())
    _tell(file, read, as_json)
    if read.errors:
        raise Refused(f"{file} would not be taken", hint="each line above says why")


def asked_accounts(server: str | None, client: str | None, *, stdin: bool) -> SetupAccounts:
    """The same accounts from the command line, without a file: their passwords are asked for, the server's first."""
    return SetupAccounts(server=_account(server, "server", stdin=stdin), client=_account(client, "client", stdin=stdin))


def _account(name: str | None, which: str, *, stdin: bool) -> SetupAccount | None:
    if name is None:
        return None
    return SetupAccount(name, read_secret(from_stdin=stdin, prompt=f"Password of the {which} account {name}"))


def _write_private(file: Path, content: bytes) -> None:
    """0600 from its first byte."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as new:
        new.write(content)


def _tell(file: Path, read: SetupFile, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "file": str(file),
                "server": read.accounts.server.name if read.accounts.server else None,
                "client": read.accounts.client.name if read.accounts.client else None,
                "findings": [{"line": f.line, "weight": f.weight, "said": f.said} for f in read.findings],
            }
        )
        return
    for section, account in (("server", read.accounts.server), ("client", read.accounts.client)):
        click.echo(f"{section} account: {account.name if account else 'made by setup'}")
    for finding in read.findings:
        click.echo(_line(file, finding), err=True)


def _line(file: Path, finding: Finding) -> str:
    place = f"{file}:{finding.line}" if finding.line else str(file)
    return f"{place}: {'warning: ' if finding.weight is Weight.WARNING else ''}{finding.said}"
