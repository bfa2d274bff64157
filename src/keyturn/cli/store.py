"""`keyturn store`: where a site keeps what it knows, and carrying it to another database."""

from dataclasses import asdict

import click

from keyturn.cli.printing import print_json, print_table
from keyturn.cli.tools import Session, operator, passphrase, read_secret


@click.group()
def store() -> None:
    """Where the site keeps what it knows: a file in its directory, or a PostgreSQL database."""


@store.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def show(session: Session, as_json: bool) -> None:
    """Print the store's address. It holds no password."""
    address = session.tools.store_address(session.directory())
    if as_json:
        print_json({"store": address})
    else:
        click.echo(address)


@store.command()
@click.argument("address")
@click.option("--password-stdin", is_flag=True, help="Read the password of the database account from standard input.")
@click.option("--login", metavar="NAME", help="An account that acts as USER, whose password this is.")
@click.option("--passphrase-stdin", is_flag=True, help="Read the passphrase that seals the site from it, first.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def move(
    session: Session, address: str, password_stdin: bool, login: str | None, passphrase_stdin: bool, as_json: bool
) -> None:
    """Carry the store of a site that is stopped to ADDRESS, an empty database.

    ADDRESS is postgresql://USER@HOST/DATABASE or sqlite:///PATH. Everything is copied and compared before the site's
    settings name the new store; the old one stays as it was, and opens no more. A move that was cut off is ended by the
    same command. Refused at a secondary site, which has a queue of its own and no more.
    """
    if login and not password_stdin:
        raise click.UsageError("--login needs --password-stdin: its password is read from standard input")
    ask = passphrase(from_stdin=passphrase_stdin)
    if passphrase_stdin:
        sealing = ask()
        ask = lambda: sealing  # noqa: E731 - the lines of standard input come in this order
    password = read_secret(from_stdin=True, prompt="") if password_stdin else None
    moved = session.tools.move_store(session.directory(), ask, address, password, login, operator())
    if as_json:
        print_json(asdict(moved))
        return
    if moved.old == moved.new:
        click.echo(f"the store is there already: {moved.new}")
        return
    print_table(("table", "rows"), sorted(moved.rows.items()), empty="nothing was left to copy")
    click.echo(f"the store is now {moved.new}")
    click.echo(f"{moved.old} is as it was, and opens no more: remove it when the new one is in your backups")
