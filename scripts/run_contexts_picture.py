"""Draws docs/explanation/run-contexts.svg: for each kind of client and program, who executes and who reaches the
network. `--check` only compares. The rows are what `resolve_run_context` says.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path

from keyturn.distribution.run_context import (
    ClientState,
    ExecuteAs,
    LocalSystem,
    LoggedOnUser,
    NetworkIdentity,
    RunContext,
    resolve_run_context,
)
from keyturn.model.software import ClientAccounts, ClientKind, LoggedOn, PackageId, Program, Rights

PICTURE = Path(__file__).parent.parent / "docs" / "explanation" / "run-contexts.svg"

ACCOUNTS = ClientAccounts(
    client_connection=("Client Connection accounts",),
    network_access=("network access account",),
    software_installation=("software installation account",),
)
ADMINISTRATIVE = Program(PackageId("PHX00001"), "Install", "setup")
BY_THE_USER = replace(ADMINISTRATIVE, rights=Rights.USER, logged_on=LoggedOn.USER_LOGGED_ON)
BY_THE_INSTALLER = replace(ADMINISTRATIVE, software_installation_account=True)

ROWS = (
    ("Advanced client", "with the user's rights", ClientKind.ADVANCED, BY_THE_USER),
    ("Advanced client", "administrative", ClientKind.ADVANCED, ADMINISTRATIVE),
    ("Legacy client", "with the user's rights", ClientKind.LEGACY, BY_THE_USER),
    ("Legacy client", "administrative", ClientKind.LEGACY, ADMINISTRATIVE),
    ("Legacy client", "administrative, and told to use", ClientKind.LEGACY, BY_THE_INSTALLER),
)

WIDTH, ROW, TOP = 980, 92, 64
CLIENT_X, RUNS_X, POINT_X, SHARE_X = 20, 235, 485, 745
INK, SOFT, LINE = "#1a1a1a", "#444444", "#8a8a8a"
MACHINE, PERSON, ACCOUNT, NOBODY = "#fde8d7", "#e6f4e6", "#e3eefa", "#f2f2f2"


def main() -> None:
    drawn = draw()
    if "--check" in sys.argv:
        sys.exit(0 if PICTURE.read_text() == drawn else f"{PICTURE.name} is out of date: run {Path(__file__).name}")
    PICTURE.write_text(drawn)


def draw() -> str:
    height = TOP + ROW * len(ROWS) + 8
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
        f' font-size="13" role="img">',
        "<title>For each kind of client and program: who executes it, and who reaches the network for it</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *_heads(),
        *(line for number, row in enumerate(ROWS) for line in _row(TOP + ROW * number, *row)),
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def _heads() -> Iterator[str]:
    heads = {
        CLIENT_X: "the program",
        RUNS_X: "who executes it",
        POINT_X: "who reaches a distribution point",
        SHARE_X: "who reaches any other share",
    }
    for x, text in heads.items():
        yield f'<text x="{x}" y="36" font-weight="bold" fill="{INK}">{escape(text)}</text>'


def _row(y: int, client: str, program: str, kind: ClientKind, asked: Program) -> Iterator[str]:
    context = resolve_run_context(asked, ClientState(kind, ACCOUNTS, ("the user",)))
    assert isinstance(context, RunContext)
    yield f'<line x1="{CLIENT_X}" y1="{y}" x2="{WIDTH - 20}" y2="{y}" stroke="{LINE}" stroke-width="0.5"/>'
    yield _text(CLIENT_X, y + 34, client, bold=True)
    yield _text(CLIENT_X, y + 53, program)
    if asked.software_installation_account:
        yield _text(CLIENT_X, y + 70, "the installation account")
    yield _arrow(RUNS_X + 215, POINT_X - 8, y + 46)
    yield from _box(RUNS_X, y, 215, [str(context.execute_as)], _colour(context.execute_as), _raised(asked, kind))
    yield from _box(POINT_X, y, 235, _order(context.to_points), ACCOUNT if context.to_points else NOBODY)
    yield from _box(SHARE_X, y, 215, _order(context.to_shares), ACCOUNT if context.to_shares else NOBODY)


def _order(identities: tuple[NetworkIdentity, ...]) -> list[str]:
    names = [str(identity) for identity in identities]
    if len(names) == 1:
        return names
    return [f"{number}. {name}" for number, name in enumerate(names, 1)] or ["nobody: the run fails"]


def _raised(program: Program, kind: ClientKind) -> str:
    raised = kind is ClientKind.LEGACY and program.rights is Rights.ADMINISTRATIVE
    return "raised for this run alone" if raised else ""


def _colour(identity: ExecuteAs) -> str:
    match identity:
        case LocalSystem():
            return MACHINE
        case LoggedOnUser():
            return PERSON
        case _:
            return ACCOUNT


def _box(x: int, y: int, width: int, lines: list[str], fill: str, note: str = "") -> Iterator[str]:
    yield f'<rect x="{x}" y="{y + 12}" width="{width}" height="{ROW - 24}" rx="6" fill="{fill}" stroke="{INK}"/>'
    lines = [*lines, note] if note else lines
    first = y + 50 - 9 * (len(lines) - 1)
    for number, line in enumerate(lines):
        colour = SOFT if line == note else INK
        yield f'<text x="{x + 12}" y="{first + 18 * number}" fill="{colour}">{escape(line)}</text>'


def _arrow(x1: int, x2: int, y: int) -> str:
    return (
        f'<path d="M{x1} {y} H{x2}" stroke="{SOFT}" stroke-width="1.5" fill="none"/>'
        f'<path d="M{x2 + 6} {y} l-8 -5 v10 z" fill="{SOFT}"/>'
    )


def _text(x: int, y: int, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}"{weight} fill="{INK}">{escape(text)}</text>'


if __name__ == "__main__":
    main()
