"""The root command. A noun's module is imported when it is called, so that `keyturn --help` starts at once."""

import importlib
import sys
from pathlib import Path

import click

from keyturn import __version__
from keyturn.cli.printing import legible, say
from keyturn.cli.tools import Session, Tools
from keyturn.model.errors import AuthorityError, BudgetExhausted, KeyturnError

NOUNS: dict[str, tuple[str, str]] = {
    "init": ("keyturn.cli.site:init", "Found a site in a directory."),
    "up": ("keyturn.cli.site:up", "Run the site: API, agents' routes, access point, worker."),
    "serve": ("keyturn.cli.site:serve", "Run a server beside others, over PostgreSQL."),
    "site": ("keyturn.cli.site:site", "The site itself: components, control file, neighbours, reset."),
    "work": ("keyturn.cli.site:work", "Run a worker beside others, over PostgreSQL."),
    "store": ("keyturn.cli.store:store", "Where the site keeps what it knows, and moving it."),
    "demo": ("keyturn.cli.demo.command:demo", "Show the main job: a plain change, and the same one by Keyturn."),
    "lab": ("keyturn.cli.lab.command:lab", "A throw-away domain, to try Keyturn on something real."),
    "catalogue": ("keyturn.cli.catalogue:catalogue", "How the account of each role may change."),
    "estate": ("keyturn.cli.estate:estate", "Realms, sites, clients and accounts as a file."),
    "account": ("keyturn.cli.account:account", "Accounts: who holds them, and rotating them."),
    "plan": ("keyturn.cli.plan:plan", "Plans: shown, approved, watched."),
    "forecast": ("keyturn.cli.forecast:forecast", "What a change would do, before it is made."),
    "client": ("keyturn.cli.client:client", "Machines with an agent."),
    "agent": ("keyturn.cli.agent:agent", "The agent of this machine."),
    "logon-install": ("keyturn.cli.logon_install:logon_install", "Put this machine's agent right, at logon."),
    "realm": ("keyturn.cli.realm:realm", "Realms checked, and the built-in one's own tools."),
    "envelope": ("keyturn.cli.envelope:envelope", "Sealed copies of passwords."),
    "package": ("keyturn.cli.package:package", "Software to be distributed."),
    "program": ("keyturn.cli.program:program", "What is run of a package, when, and with whose rights."),
    "collection": ("keyturn.cli.collection:collection", "The clients that something is advertised to."),
    "advertise": ("keyturn.cli.advertise:advertise", "Offer a program to a collection."),
    "advertisement": ("keyturn.cli.advertise:advertisement", "Advertisements: shown, approved, cancelled."),
    "person": ("keyturn.cli.person:person", "People and their roles."),
    "login": ("keyturn.cli.person:login", "Log in to a site from another machine."),
    "audit-log": ("keyturn.cli.audit_log:audit_log", "What happened, who asked for it, and proof that it is whole."),
}

FAILED, REFUSED = 1, 2


class Nouns(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in NOUNS:
            return None
        module, _, name = NOUNS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in NOUNS.items()])


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="keyturn")
@click.option(
    "--dir",
    "root",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="KEYTURN_DIR",
    help="The site's directory; else the site logged in to, else the current directory.",
)
@click.pass_context
def keyturn(ctx: click.Context, root: Path | None) -> None:
    """Turns every key in a fleet without locking anyone out.

    Exit status: 0 done, 1 failed, 2 refused or wrong usage.
    """
    tools = ctx.obj
    assert isinstance(tools, Tools)
    ctx.obj = Session(tools, root)


def run(tools: Tools) -> None:
    try:
        keyturn.main(obj=tools, standalone_mode=False)
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code if error.exit_code != FAILED else REFUSED)
    except click.Abort:
        click.echo("stopped; nothing more was done", err=True)
        sys.exit(FAILED)
    except KeyturnError as error:
        tell(error)
        sys.exit(status_of(error))


def tell(error: KeyturnError) -> None:
    say("error: ", legible(error.message))
    if error.hint:
        say("hint:  ", legible(error.hint))


def status_of(error: KeyturnError) -> int:
    """What may succeed when asked again has failed; everything else was refused."""
    from keyturn.cli.api import ServerFailed

    return FAILED if isinstance(error, (AuthorityError, BudgetExhausted, ServerFailed)) else REFUSED
