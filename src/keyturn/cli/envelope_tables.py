"""Envelopes as people read them: one line an account, then the papers, then what calls for somebody."""

from collections.abc import Sequence
from typing import Any

import click

from keyturn.cli.client import moment
from keyturn.cli.printing import print_table, wrapped


def show_envelopes(found: Sequence[dict[str, Any]]) -> None:
    rows = [
        (each["account"], _sealed(each), _for_whom(each), _opened(each), each["out_of_sight"], _drill(each))
        for each in found
    ]
    headings = ("account", "sealed", "opens with", "opened", "copies out", "drill")
    print_table(headings, rows, empty="no account is in its realm yet")
    for line in [*_custodians(found), *_papers(found), *_calls(found)]:
        click.echo(wrapped(line, ""))


def show_verified(found: Sequence[dict[str, Any]]) -> None:
    for each in found:
        which = f"{each['account']} generation {each['generation'] or 'unknown'}"
        click.echo(f"{which}: {'NOT in order' if each['faults'] else 'in order'}")
        for fault in each["faults"]:
            click.echo(wrapped(fault, "  - "))
        if each["note"]:
            click.echo(wrapped(each["note"], "  note: "))
    if not found:
        click.echo("no account is in its realm yet")


def _sealed(each: dict[str, Any]) -> str:
    """`3` while nothing changes, `3 and 4` while a change is undecided."""
    return " and ".join(str(sealed["generation"]) for sealed in each["sealed"]) or "nothing"


def _for_whom(each: dict[str, Any]) -> str:
    sealed = each["sealed"][-1] if each["sealed"] else None
    return f"{sealed['needed']} of {', '.join(c['name'] for c in sealed['custodians'])}" if sealed else "nobody"


def _opened(each: dict[str, Any]) -> str:
    return "never" if each["opened_at"] is None else f"{_day(each['opened_at'])} by {each['opened_by']}"


def _drill(each: dict[str, Any]) -> str:
    drill = each["drill"]
    return f"{'passed' if drill['passed'] else 'FAILED'} {_day(drill['at'])}" if drill else "never"


def _day(at: float) -> str:
    return str(moment(at)).partition(" ")[0]


def _custodians(found: Sequence[dict[str, Any]]) -> list[str]:
    known = {(c["name"], c["fingerprint"]) for each in found for sealed in each["sealed"] for c in sealed["custodians"]}
    return [f"custodian {name}: {fingerprint}" for name, fingerprint in sorted(known)]


def _papers(found: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"paper {paper['serial']} of {each['account']} generation {paper['generation']}, "
        f"printed {moment(paper['printed_at'])} by {paper['printed_by']}: {_standing(paper)}"
        for each in found
        for paper in each["papers"]
    ]


def _standing(paper: dict[str, Any]) -> str:
    if paper["void"]:
        return "VOID"
    return f"confirmed {moment(paper['confirmed_at'])}" if paper["confirmed_at"] else "not confirmed by a drill"


def _calls(found: Sequence[dict[str, Any]]) -> list[str]:
    calls = []
    for each in found:
        if each["due"]:
            opened = f"opened {moment(each['opened_at'])} by {each['opened_by']}"
            calls.append(f"{each['account']} is due: {opened}; keyturn account rotate '{each['account']}'")
        for sealed in each["sealed"]:
            which = f"{each['account']} generation {sealed['generation']}"
            calls += [f"{which}: {damage}" for damage in sealed["damage"]]
            if sealed["renew"]:
                calls.append(f"{which} is sealed for others than keyturn.toml names: keyturn envelope seal")
    return calls
