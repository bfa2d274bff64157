"""`keyturn envelope`: sealed copies of passwords, opened by custodians with their own keys."""

from pathlib import Path

import click

from keyturn.cli.printing import print_json
from keyturn.cli.tools import Session, passphrase
from keyturn.escrow.envelope import open_envelope, opened_by

_GENERATION = click.option("--generation", type=int, help="Another generation than the live one.")
_PASSPHRASE = click.option(
    "--passphrase-stdin", is_flag=True, help="Read the passphrase that seals the site from standard input."
)


@click.group()
def envelope() -> None:
    """Sealed copies of passwords."""


@envelope.command()
@click.argument("account")
@_GENERATION
@_PASSPHRASE
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; else standard output.")
@click.pass_obj
def take(session: Session, account: str, generation: int | None, passphrase_stdin: bool, output: Path | None) -> None:
    """Copy the envelope of ACCOUNT out of the site's directory. It stays sealed."""
    sealed = _taken(session, account, generation, passphrase_stdin)
    if output:
        output.write_bytes(sealed)
        sets = " or ".join(" with ".join(names) for names in opened_by(sealed))
        click.echo(f"{output}: opens with {sets}", err=True)
    else:
        click.echo(sealed.decode(), nl=False)


@envelope.command("open")
@click.argument("account_or_file")
@_GENERATION
@_PASSPHRASE
@click.option("--key", "keys", multiple=True, metavar="NAME=FILE", required=True, help="A custodian's age identity.")
@click.option("--json", "as_json", is_flag=True)
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

    Works without a server and, with the plain age tool, without Keyturn.
    """
    file = Path(account_or_file)
    sealed = file.read_bytes() if file.is_file() else _taken(session, account_or_file, generation, passphrase_stdin)
    content, names = open_envelope(sealed, dict(_key(text) for text in keys))
    if as_json:
        shown = {"account": content.account, "generation": content.generation, "opened_with": list(names)}
        print_json({**shown, "password": content.password.reveal()})
        return
    click.echo(f"{content.account} generation {content.generation}, opened with {', '.join(names)}", err=True)
    click.echo(content.password.reveal())


def _taken(session: Session, account: str, generation: int | None, from_stdin: bool) -> bytes:
    return session.tools.envelope(session.directory(), account, generation, passphrase(from_stdin=from_stdin))


def _key(text: str) -> tuple[str, str]:
    """The custodian's name and the identity in the file: its one line that is no comment."""
    name, equals, file = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=FILE", param_hint="--key")
    try:
        lines = Path(file).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{file}: {type(error).__name__}", param_hint="--key") from None
    return name, next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")
