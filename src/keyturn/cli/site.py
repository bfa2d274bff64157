"""`keyturn init` and `keyturn up`: a site founded in a directory, and run; `keyturn site`: its access points."""

import stat
from pathlib import Path

import click

from keyturn.cli.site_addresses import COMMANDS as HIERARCHY
from keyturn.cli.site_components import components, messages, status
from keyturn.cli.site_control import control
from keyturn.cli.site_inboxes import apply_acl, inbox_file, inboxes, repair_acl
from keyturn.cli.site_reset import assign, remove, reset, reset_report
from keyturn.cli.site_setup_file import setup_file
from keyturn.cli.tools import Session, passphrase
from keyturn.model.errors import Refused


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--site", default="PHX", show_default=True, help="The site code: three letters or digits.")
@click.option("--realm", default="CORP", show_default=True, help="The name of the built-in realm.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8443, show_default=True, type=click.IntRange(1, 65535))
@click.option("--name", "names", multiple=True, help="A host name agents and people call it by; may be repeated.")
@click.option(
    "--custodian", "custodians", multiple=True, metavar="NAME=AGE_RECIPIENT", help="Who can help open envelopes."
)
@click.option("--needed", default=1, show_default=True, help="How many custodians it takes together.")
@click.option(
    "--patience", "uptake_s", default=14 * 86400.0, help="Seconds to wait for holders before a person is asked."
)
@click.option("--quiet", "quiet_s", default=2 * 86400.0, help="Seconds of silence before an old account is disabled.")
@click.option("--contact", "contact_s", default=3600.0, help="Seconds between an agent's contacts.")
@click.option("--two-person-approval", is_flag=True, help="Nobody approves a plan of their own.")
@click.option("--seal-with-passphrase", is_flag=True, help="Make the seal key from a passphrase, asked at every start.")
@click.option("--passphrase-stdin", is_flag=True, help="Read that passphrase from standard input.")
@click.option("--no-default-account", is_flag=True, help="Make no default Client Connection account.")
@click.pass_obj
def init(
    session: Session,
    directory: Path,
    site: str,
    realm: str,
    host: str,
    port: int,
    names: tuple[str, ...],
    custodians: tuple[str, ...],
    needed: int,
    uptake_s: float,
    quiet_s: float,
    contact_s: float,
    two_person_approval: bool,
    seal_with_passphrase: bool,
    passphrase_stdin: bool,
    no_default_account: bool,
) -> None:
    """Found a site in DIRECTORY, which must be empty or not exist.

    Makes the site's certificate authority, its seal key, its store, a built-in realm, and in it the site's default
    Client Connection account with a random password, as setup does.
    """
    from keyturn.operations.founding import Founding

    founding = Founding(
        root=directory,
        site=site,
        realm=realm,
        host=host,
        port=port,
        names=names or ("127.0.0.1", "localhost"),
        custodians=[_pair(text) for text in custodians],
        needed=needed,
        uptake_s=uptake_s,
        quiet_s=quiet_s,
        contact_s=contact_s,
        two_person_approval=two_person_approval,
        seal_passphrase=seal_with_passphrase,
        default_account=not no_default_account,
    )
    for line in session.tools.init(founding, passphrase(from_stdin=passphrase_stdin, new=True)):
        click.echo(line)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--passphrase-stdin", is_flag=True, help="Read the passphrase that seals the site from standard input.")
@click.pass_obj
def up(session: Session, directory: Path | None, passphrase_stdin: bool) -> None:
    """Run the site of DIRECTORY until it is stopped with Ctrl-C or SIGTERM.

    It may be killed at any moment: the next start goes on where this one was.
    """
    root = directory or session.directory()
    ask = passphrase(from_stdin=passphrase_stdin)
    session.tools.up(root, ask, _say)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option(
    "--listen", metavar="HOST:PORT", help="Where to listen, behind the name and port that the site is called by."
)
@click.option("--passphrase-stdin", is_flag=True, help="Read the passphrase that seals the site from standard input.")
@click.pass_obj
def serve(session: Session, directory: Path | None, listen: str | None, passphrase_stdin: bool) -> None:
    """Run a server of the site of DIRECTORY beside others, over one PostgreSQL store.

    It takes requests and calls the workers; plans are carried forward by `keyturn work`.
    """
    root = directory or session.directory()
    session.tools.serve(root, passphrase(from_stdin=passphrase_stdin), _host_and_port(listen), _say)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--passphrase-stdin", is_flag=True, help="Read the passphrase that seals the site from standard input.")
@click.pass_obj
def work(session: Session, directory: Path | None, passphrase_stdin: bool) -> None:
    """Run a worker of the site of DIRECTORY beside others, over one PostgreSQL store.

    It may be killed at any moment: another takes its plans over when their lease has ended.
    """
    session.tools.work(directory or session.directory(), passphrase(from_stdin=passphrase_stdin), _say)


@click.group()
def site() -> None:
    """The site itself: components, control file, access points, neighbours, reset."""


for command in HIERARCHY:
    site.add_command(command)
site.add_command(control)
site.add_command(setup_file)
for command in (inboxes, inbox_file, apply_acl, repair_acl):
    site.add_command(command)
for command in (status, messages, components):
    site.add_command(command)
for command in (reset, reset_report, assign, remove):
    site.add_command(command)


@site.command()
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="What the share exports.",
)
@click.pass_obj
def publish(session: Session, folder: Path) -> None:
    """Write the files of the client access point into a folder that a share exports.

    The same as the access point over HTTPS serves. Each is replaced whole, so a client reads the old one or the new
    one; what else is in the folder stays. Credentials in them are sealed to each client's own key.
    """
    files = session.api().get("/access-point/files")
    try:
        for box in {file["box"] for file in files}:
            _make(folder / box)
        for file in files:
            _replace(folder / file["box"] / file["name"], file["content"])
    except OSError as error:
        raise Refused(f"{error.filename} cannot be written: {error.strerror}") from None
    click.echo(f"{len(files)} files in {folder}")


def _make(folder: Path) -> None:
    """Open to whom the folder above is open, whatever this process would keep from others by default."""
    if not folder.exists():
        folder.mkdir()
        folder.chmod(stat.S_IMODE(folder.parent.stat().st_mode))


def _replace(path: Path, content: str) -> None:
    """Readable for whoever may look into the folder."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(content, encoding="utf-8")
    fresh.chmod(path.parent.stat().st_mode & 0o666)
    fresh.replace(path)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _host_and_port(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{text!r} is not HOST:PORT", param_hint="--listen")
    return host.strip("[]"), int(port)


def _pair(text: str) -> tuple[str, str]:
    name, equals, recipient = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=AGE_RECIPIENT", param_hint="--custodian")
    return name, recipient
