"""Draws docs/explanation/order-of-operations.svg from two plans as the planner makes them. `--check` only compares."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import get_args

from keyturn.lifecycle import plan as steps
from keyturn.lifecycle.plan import Step
from keyturn.lifecycle.planning import plan_rotation
from keyturn.lifecycle.sequences import Patience
from keyturn.model.accounts import Account, RealmName, RoleName
from keyturn.model.estate import ClientGroup, Estate, Holder, HolderKind, ManagedAccount, Realm, Site, SiteCode

PICTURE = Path(__file__).parent.parent / "docs" / "explanation" / "order-of-operations.svg"


@dataclass(frozen=True, slots=True)
class Words:
    """What a step does, and what is so when everything stops right after it."""

    does: str
    stopped: str


LANDED = "The realm is asked whether it has happened."
WORDS: dict[type, Words] = {
    steps.Seal: Words("seal password and envelope", "Nothing has changed; what is sealed is kept."),
    steps.SetPassword: Words("set it, prove it by one logon", LANDED),
    steps.CreateAccount: Words("create the second account", LANDED),
    steps.CopyRights: Words("give it the same rights, compare", "Unequal rights stop the plan: nobody has it yet."),
    steps.AwaitConvergence: Words("wait for every replica", "No holder is told before all replicas know."),
    steps.Publish: Words("publish to the holders", "Whoever has it may use it; the others wait."),
    steps.AwaitCanary: Words("wait for the first holder", "One machine has tried. If it failed, no other tries."),
    steps.AwaitUptake: Words("wait for everybody's own logon", "Who is missing is named, and waited for."),
    steps.Withdraw: Words("withdraw the old account", "Nobody needs it; it still works."),
    steps.AwaitQuiet: Words("wait until it is silent", "A logon seen now starts the wait anew."),
    steps.Disable: Words("disable the old account", "It can be enabled again. Deleting is a later plan."),
}
ELSEWHERE = {
    steps.Delete,
    steps.ReachWith,
    steps.VerifyPassword,
    steps.ForgetIdentity,
    steps.StopComponents,
    steps.WriteControlFile,
    steps.ReinstallComponents,
    steps.RecreateAccessPoint,
}
"""Deleting is a plan of its own; reaching stands before the first step where Keyturn's own account is changed; the rest
is of a site reset."""
assert set(WORDS) | ELSEWHERE == set(get_args(Step)), "a step without words"

INSTEAD_OF: dict[type, type] = {steps.CreateAccount: steps.SetPassword}
"""What stands in place where the other plan makes an account."""

SECOND = (steps.Publish,)
"""Steps that come twice: to one holder first, then to all."""

WIDTH, LEFT, TOP, ROW, BOX = 960, 24, 92, 54, 36
COLUMNS = (LEFT, LEFT + 262, LEFT + 540)
BOX_WIDTH = 244
INK, SOFT, LINE, FILL, WAIT = "#1a1a1a", "#444444", "#8a8a8a", "#e3eefa", "#fff3d6"


@dataclass(frozen=True, slots=True)
class Row:
    """One step of both plans; None where one of them has no such step."""

    in_place: str | None
    second_account: str
    stopped: str
    waits: bool


def main() -> None:
    drawn = draw()
    if "--check" in sys.argv:
        sys.exit(0 if PICTURE.read_text() == drawn else f"{PICTURE.name} is out of date: run {Path(__file__).name}")
    PICTURE.write_text(drawn)


def draw() -> str:
    rows = tuple(_rows())
    height = TOP + ROW * len(rows) + 36
    body = [
        *_head(),
        *_boxes(COLUMNS[0], [row.in_place for row in rows], rows),
        *_boxes(COLUMNS[1], [row.second_account for row in rows], rows),
    ]
    body += [_text(COLUMNS[2], TOP + ROW * number + 23, row.stopped) for number, row in enumerate(rows)]
    body.append(
        _text(LEFT, height - 20, "blue: done at once; yellow: waits, and asks a person when patience ends", colour=SOFT)
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            'font-family="DejaVu Sans, Verdana, Arial, sans-serif" role="img">',
            "<title>The order of operations: in place, and with a second account</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *body,
            "</svg>\n",
        ]
    )


def _rows() -> Iterator[Row]:
    """The plan with a second account has every row; the other one leaves some out."""
    in_place = [type(planned.step) for planned in _plan("software-installation").steps]
    seen: list[type] = []
    for kind in (type(planned.step) for planned in _plan("client-connection-additional").steps):
        also = INSTEAD_OF.get(kind, kind)
        yield Row(
            in_place=_does(also, seen) if also in in_place else None,
            second_account=_does(kind, seen),
            stopped=WORDS[kind].stopped,
            waits=kind.__name__.startswith("Await"),
        )
        seen.append(kind)


def _does(kind: type, seen: list[type]) -> str:
    if kind not in SECOND:
        return WORDS[kind].does
    return f"{WORDS[kind].does}, " + ("paced" if kind in seen else "one first")


def _plan(role: str) -> steps.Plan:
    corp, phx = RealmName("CORP"), SiteCode("PHX")
    account = Account(corp, "S-1", "KtClient")
    estate = Estate(
        realms=(Realm(corp),),
        sites=(Site(phx, corp, "SRV-PHX", logon_installation=True),),
        groups=(ClientGroup("PC", 3, Holder("PC", HolderKind.LEGACY_CLIENT, phx)),),
        accounts=(ManagedAccount(account, RoleName(f"sms2003/{role}"), (phx,), generation=1),),
    )
    return plan_rotation(estate, account, patience=Patience()).plan


def _head() -> Iterator[str]:
    for x, title in zip(COLUMNS, ("In place", "With a second account", "If everything stops here"), strict=True):
        yield _text(x, 34, title, size=17, weight="bold")
    yield _text(COLUMNS[0], 56, "the account keeps its name", colour=SOFT)
    yield _text(COLUMNS[1], 56, "the old one works to the end", colour=SOFT)
    yield _text(COLUMNS[2], 56, "the next start goes on from here", colour=SOFT)
    yield f'<line x1="{LEFT}" y1="70" x2="{WIDTH - LEFT}" y2="70" stroke="{LINE}"/>'


def _boxes(x: int, plan: Sequence[str | None], rows: Sequence[Row]) -> Iterator[str]:
    """Joined to the last step before, past the places where this plan has none."""
    middle, above = x + BOX_WIDTH // 2, 0
    for number, words in enumerate(plan):
        if words is None:
            continue
        y = TOP + ROW * number
        if above:
            yield f'<line x1="{middle}" y1="{above}" x2="{middle}" y2="{y}" stroke="{LINE}" stroke-width="2"/>'
        fill = WAIT if rows[number].waits else FILL
        yield f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX}" rx="6" fill="{fill}" stroke="{LINE}"/>'
        yield _text(middle, y + 23, words, anchor="middle")
        above = y + BOX


def _text(
    x: int, y: int, words: str, *, size: int = 14, colour: str = INK, weight: str = "normal", anchor: str = "start"
) -> str:
    how = f'font-size="{size}" fill="{colour}" font-weight="{weight}" text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}" {how}>{escape(words)}</text>'


if __name__ == "__main__":
    main()
