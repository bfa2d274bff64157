"""`keyturn program`: what is run of a package, when, and with whose rights."""

from typing import Any

import click

from keyturn.cli.api import segment
from keyturn.cli.authoring import take_away, tell_findings, tell_waiting
from keyturn.cli.printing import print_facts, print_json, print_table, seconds
from keyturn.cli.tools import Session
from keyturn.cli.values import DURATION, one_of
from keyturn.model.software import Afterwards, DetectionKind, LoggedOn, Overrun, Rights, owner_of

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs: JSON on stdout.")


@click.group()
def program() -> None:
    """Programs of packages: what is run, when, and with whose rights."""


@program.command()
@click.argument("package", metavar="PACKAGE")
@click.argument("name")
@click.option("--command-line", required=True, help="Run in the folder of the package's content, by no shell.")
@click.option("--rights", type=one_of(Rights), default="administrative", show_default=True)
@click.option("--logged-on", type=one_of(LoggedOn), default=None, help="When it may run.")
@click.option("--every-user", is_flag=True, help="Once for every user that logs on.")
@click.option("--drive", default="", help="`*` or a letter such as S:, for Windows; else by its UNC name.")
@click.option("--afterwards", type=one_of(Afterwards), default="nothing", show_default=True)
@click.option("--unattended/--attended", default=True, show_default=True, help="Whether it asks nobody for input.")
@click.option("--max-run", "max_run_s", type=DURATION, help="As in 30min; unknown: it is watched for 12 hours.")
@click.option("--overrun", type=one_of(Overrun), default="end-it", show_default=True, help="After that.")
@click.option("--run-first", nargs=2, metavar="PACKAGE NAME", help="The program that runs before its first run.")
@click.option("--software-installation-account", is_flag=True, help="Legacy clients run it under that account.")
@click.option("--share", "shares", multiple=True, help=r"\\host\share that it reaches besides; may be repeated.")
@click.option("--success-code", "success_codes", type=int, multiple=True, help="Instead of 0; repeatable.")
@click.option("--detect-file", "files", multiple=True, metavar="PATH[=SHA256]", help="There after a good run.")
@click.option(
    "--detect-package", "packages", multiple=True, metavar="NAME[=VERSION]", help="Or NAME>=VERSION; of dpkg or rpm."
)
@click.option("--detect-command", "commands", multiple=True, metavar="COMMAND", help="Ends with exit code 0.")
@click.option("--replace", "replacing", is_flag=True, help="In the place of the program of this name.")
@_JSON
@click.pass_obj
def add(
    session: Session,
    /,
    package: str,
    name: str,
    logged_on: str | None,
    run_first: tuple[str, str] | None,
    success_codes: tuple[int, ...],
    files: tuple[str, ...],
    packages: tuple[str, ...],
    commands: tuple[str, ...],
    replacing: bool,
    as_json: bool,
    **rest: Any,
) -> None:
    """Add the program NAME to PACKAGE. Properties that do not go together are refused, with the way out.

    Without --logged-on, a program with a user's rights runs only while a user is logged on, an administrative one
    whether or not.
    """
    by_user = rest["rights"] == Rights.USER or rest["every_user"]
    wanted = {
        "package": package,
        "name": name,
        "logged_on": logged_on or (LoggedOn.USER_LOGGED_ON if by_user else LoggedOn.WHETHER_OR_NOT),
        "run_first": {"package": run_first[0], "name": run_first[1]} if run_first else None,
        "success_codes": success_codes or (0,),
        "detection": [
            *(_detection(DetectionKind.FILE, text) for text in files),
            *(_detection(DetectionKind.PACKAGE, text) for text in packages),
            *({"kind": DetectionKind.COMMAND, "subject": text} for text in commands),
        ],
        **rest,
    }
    api = session.api()
    taken = api.post("/programs", {"program": wanted, "replacing": replacing})
    if as_json:
        print_json(taken)
        return
    tell_findings(taken["warnings"])
    made = taken["program"]
    click.echo(f"program {made['package']} {made['name']}: {runs_as(made)}")
    click.echo(f"  {made['command_line']}")
    tell_waiting(api, lambda offer: made in offer["programs"])


@program.command("list")
@click.option("--package", default="", help="Of one package.")
@_JSON
@click.pass_obj
def list_(session: Session, package: str, as_json: bool) -> None:
    """Every program."""
    found = session.api().get("/programs", package=package)
    if as_json:
        print_json(found)
        return
    rows = [(p["package"], owner_of(p["package"]), p["name"], runs_as(p), p["command_line"]) for p in found]
    print_table(
        ("package", "of site", "program", "runs", "command line"),
        rows,
        empty="no program: keyturn program add PACKAGE NAME",
    )


@program.command()
@click.argument("package", metavar="PACKAGE")
@click.argument("name")
@_JSON
@click.pass_obj
def show(session: Session, package: str, name: str, as_json: bool) -> None:
    """A program with everything that was said of it."""
    found = session.api().get(f"/packages/{segment(package)}/programs/{segment(name)}")
    if as_json:
        print_json(found)
    else:
        show_program(found)


@program.command()
@click.argument("package", metavar="PACKAGE")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
@click.pass_obj
def remove(session: Session, package: str, name: str, yes: bool, as_json: bool) -> None:
    """Forget the program NAME of PACKAGE. Refused while it is advertised, or runs before another one."""
    path, named = f"/packages/{segment(package)}/programs/{segment(name)}", {"package": package, "name": name}
    take_away(session.api(), f"program {package} {name}", path, named, yes=yes, as_json=as_json)


def show_program(found: dict[str, Any]) -> None:
    """For people: what differs from the usual is said, and the rest is not. The command line stays one line."""
    first = found["run_first"]
    facts = (
        ("runs", runs_as(found)),
        ("for", "every user that logs on, once each" if found["every_user"] else ""),
        ("first", f"{first['package']} {first['name']}" if first else ""),
        ("drive", found["drive"]),
        ("attended", "" if found["unattended"] else "it may ask the user for input"),
        ("at most", f"{seconds(found['max_run_s'])}, then {found['overrun']}" if found["max_run_s"] else ""),
        ("afterwards", "" if found["afterwards"] == Afterwards.NOTHING else found["afterwards"]),
        ("shares", ", ".join(found["shares"])),
        ("succeeds with", "" if found["success_codes"] == [0] else ", ".join(map(str, found["success_codes"]))),
        ("detected by", "; ".join(_detected(rule) for rule in found["detection"])),
    )
    click.echo(f"program {found['package']} {found['name']}")
    click.echo(f"  {'command line':14} {found['command_line']}")
    print_facts(facts, 14)


def runs_as(found: dict[str, Any]) -> str:
    whose = "administrative" if found["rights"] == Rights.ADMINISTRATIVE else "as the user"
    if found["software_installation_account"]:
        whose += ", Software Installation account"
    return f"{whose}, {found['logged_on'].replace('-', ' ')}"


def _detection(kind: DetectionKind, text: str) -> dict[str, str]:
    subject, _, value = text.partition("=")
    if kind is DetectionKind.PACKAGE and subject.endswith(">"):  # NAME>=VERSION reads naturally, and means the same
        return {"kind": kind, "subject": subject[:-1], "value": f">={value}"}
    return {"kind": kind, "subject": subject, "value": value}


def _detected(rule: dict[str, str]) -> str:
    return f"{rule['kind']} {rule['subject']}" + (f" ({rule['value']})" if rule["value"] else "")
