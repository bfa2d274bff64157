"""`keyturn site reset`, `assign` and `remove`: what removing and installing a site anew means, and doing it."""

import json
from pathlib import Path
from typing import Any

import click

from keyturn.cli.api import Api, segment
from keyturn.cli.over_ssh import Far, far
from keyturn.cli.plan import approved, confirmed, follow, show_plan
from keyturn.cli.printing import listed, print_json, wrapped
from keyturn.cli.site_setup_file import asked_accounts
from keyturn.cli.tools import Session, read_secret
from keyturn.model.secret import Secret
from keyturn.model.setup import SetupAccount, SetupAccounts
from keyturn.site.setup_file import read_setup_accounts

_JSON = click.option("--json", "as_json", is_flag=True)
_YES = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command("reset")
@click.argument("site")
@click.option(
    "--setup-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The SMSAccountSetup.ini that setup was given; its accounts are used and not regenerated.",
)
@click.option("--server-account", metavar="NAME", help="In its place: the Server Connection account to use.")
@click.option("--client-account", metavar="NAME", help="In its place: the default Client Connection account to use.")
@click.option(
    "--passwords-stdin", is_flag=True, help="Read their passwords from standard input, a line each, in order."
)
@click.option("--service-password-stdin", is_flag=True, help="Read the service account's password from standard input.")
@click.option("--recreate-accounts", is_flag=True, help="Delete accounts and make them: they lose their rights.")
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--request-stdin", is_flag=True, help="Read the request from standard input, as --over-ssh sends it.")
@click.option("--over-ssh", "host", metavar="HOST[:PORT]", help="Run it on the machine of SITE, by its own server.")
@click.option("--ssh-user", default="root", show_default=True, help="Whom to be there.")
@click.option("--ssh-identity", type=click.Path(path_type=Path), help="The private key; ~/.ssh/id_ed25519 unless said.")
@click.option("--ssh-known-hosts", type=click.Path(path_type=Path), help="Where its host key stands, likewise.")
@click.option("--there", default="/var/lib/keyturn", show_default=True, help="The directory of SITE on that machine.")
@_YES
@_JSON
@click.pass_obj
def reset(
    session: Session,
    site: str,
    setup_file: Path | None,
    server_account: str | None,
    client_account: str | None,
    passwords_stdin: bool,
    service_password_stdin: bool,
    recreate_accounts: bool,
    only_plan: bool,
    request_stdin: bool,
    host: str | None,
    ssh_user: str,
    ssh_identity: Path | None,
    ssh_known_hosts: Path | None,
    there: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Reset SITE: install its components anew, and give new passwords to the accounts that it made itself.

    The default Client Connection, Server Connection and Remote Service accounts keep their identity and get another
    password; additional Client Connection accounts stay as they are. The plan and what it means for clients are shown
    first. Killed anywhere, it goes on by itself.
    """
    if request_stdin:
        asked = json.loads(read_secret(from_stdin=True, prompt="").reveal(), object_hook=_hidden)
    else:
        named = server_account or client_account
        if named and setup_file:
            raise click.UsageError("either --setup-file or --server-account and --client-account")
        given = _given(setup_file) if setup_file else None
        if named:
            given = asked_accounts(server_account, client_account, stdin=passwords_stdin)
        asked = _asked(site, given, service_password_stdin, recreate_accounts)
    if host is not None:
        _reset_there(far(host, there, ssh_user, ssh_identity, ssh_known_hosts), asked, only_plan, yes, as_json)
    elif only_plan:
        _show(session.api().post("/site-resets/preview", asked), as_json)
    else:
        _reset(session.api(), asked, yes, as_json)


@click.command("reset-report")
@click.argument("plan_id", metavar="PLAN")
@_JSON
@click.pass_obj
def reset_report(session: Session, plan_id: str, as_json: bool) -> None:
    """What the reset PLAN kept, regenerated, made anew and went on without."""
    _tell(session.api(), plan_id, as_json)


@click.command("assign")
@click.argument("system")
@_JSON
@click.pass_obj
def assign(session: Session, system: str, as_json: bool) -> None:
    """Use access point SYSTEM again, which a reset went on without. It is written anew first."""
    api = session.api()
    api.post(f"/left-out/{segment(system)}/assign")
    if as_json:
        print_json({"system": system, "assigned": True})
    else:
        click.echo(f"access point {system} is in use again")


@click.command("remove")
@click.argument("site")
@click.option("--plan", "only_plan", is_flag=True, help="Show who would be orphaned, and do nothing.")
@_YES
@_JSON
@click.pass_obj
def remove(session: Session, site: str, only_plan: bool, yes: bool, as_json: bool) -> None:
    """Take SITE out of the estate, with its systems and clients, because its server is removed.

    Refused while clients would be orphaned by it: they learn a new password at a logon only.
    """
    api = session.api()
    found = api.get(f"/sites/{segment(site)}/removal")
    if as_json:
        print_json(found)
    else:
        _show_removal(found)
    if only_plan:
        raise click.exceptions.Exit(2 if found["orphans"] or found["below"] else 0)
    if found["orphans"] or found["below"] or yes or confirmed(f"Take site {site} out of the estate?"):
        api.post(f"/sites/{segment(site)}/removal")
        click.echo(f"site {site} is out of the estate", err=True)


def _reset(api: Api, asked: dict[str, Any], yes: bool, as_json: bool) -> None:
    proposed = api.post("/site-resets", asked)
    if approved(api, proposed, yes=yes, as_json=as_json):
        follow(api, proposed["id"], as_json=as_json, result=False)
        _tell(api, proposed["id"], as_json)


def _tell(api: Api, plan_id: str, as_json: bool) -> None:
    found = api.get(f"/site-resets/{segment(plan_id)}")
    if as_json:
        print_json(found)
    else:
        _show_report(found)


def _reset_there(there: Far, asked: dict[str, Any], only_plan: bool, yes: bool, as_json: bool) -> None:
    """Its plan is shown before it is asked about here: nobody sits at the other end."""
    words = ["site", "reset", asked["site"], "--request-stdin", *(["--json"] if as_json else [])]
    if only_plan or not yes:
        status = there.keyturn([*words, "--plan"], asked)
        if status or only_plan or not confirmed(f"Reset site {asked['site']} there?"):
            raise click.exceptions.Exit(status)
    raise click.exceptions.Exit(there.keyturn([*words, "--yes"], asked))


def _given(setup_file: Path) -> SetupAccounts:
    return read_setup_accounts(setup_file.read_bytes(), setup_file.name)


def _asked(site: str, given: SetupAccounts | None, service_password_stdin: bool, recreate: bool) -> dict[str, Any]:
    asked: dict[str, Any] = {"site": site, "recreate_accounts": recreate}
    if given is not None:
        asked["setup"] = {"server": _account(given.server), "client": _account(given.client)}
    if service_password_stdin:
        asked["service_password"] = read_secret(from_stdin=True, prompt="")
    return asked


def _account(given: SetupAccount | None) -> dict[str, object] | None:
    return {"name": given.name, "password": given.password} if given else None


def _hidden(read: dict[str, Any]) -> dict[str, Any]:
    """What came in clear shows in no traceback from here on."""
    return {
        key: Secret(value) if "password" in key and isinstance(value, str) else value for key, value in read.items()
    }


def _show(previewed: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(previewed)
    else:
        show_plan(previewed)


def _show_report(found: dict[str, Any]) -> None:
    click.echo(f"reset of site {found['site']}: {found['state']}")
    for title, names in (
        ("kept as they were", found["kept"]),
        ("new password, same identity", found["regenerated"]),
        ("made", found["made"]),
    ):
        if names:
            click.echo(wrapped(", ".join(names), f"  {title}: "))
    for each in found["remade"]:
        click.echo(wrapped(f"{each['account']} ({each['was']}, now {each['now']})", "  new identity: "))
        click.echo("      what named the old one grants nothing until: keyturn site repair-acl")
    for name in found["left_out"]:
        click.echo(f"  left out: {name}; keyturn site assign {name}")


def _show_removal(found: dict[str, Any]) -> None:
    click.echo(f"site {found['site']}, server {found['server']}")
    if found["below"]:
        click.echo(f"  parent of: {listed(found['below'])}")
    if found["orphans"]:
        click.echo(f"  {len(found['orphans'])} clients would be orphaned: {listed(found['orphans'])}")
    else:
        click.echo("  no client would be orphaned")
