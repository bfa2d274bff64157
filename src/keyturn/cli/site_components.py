"""`keyturn site status`, `messages` and `components`: what runs at the site, and what it has to say."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import click

from keyturn.cli.api import ServerFailed
from keyturn.cli.client import moment
from keyturn.cli.printing import print_json, print_table, seconds, wrapped
from keyturn.cli.tools import Session

_JSON = click.option("--json", "as_json", is_flag=True)
_PAGE = 1000
_LOOK_S, _FOLLOW_S, _OBEYED_WITHIN_S = 0.3, 1.0, 30.0
_AT_WORK = ("starting", "running")
_LETTERS = {"informational": "I", "warning": "W", "error": "E"}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@click.command("status")
@_JSON
@click.pass_obj
def status(session: Session, as_json: bool) -> None:
    """How the site's components stand. Exit status 1 while one fails."""
    found = session.api().get("/site/status")
    if as_json:
        print_json(found)
    else:
        _show(found)
    if found["verdict"] == "critical":
        raise click.exceptions.Exit(1)


@click.command("messages")
@click.option("--component", help="Only of this one: the last words of its name are enough.")
@click.option("--severity", type=click.Choice(list(_LETTERS)), help="Of this severity or worse.")
@click.option("--since", metavar="AGO", help="All of the last 90s, 15m, 12h or 7d, instead of the newest hundred.")
@click.option("--follow", is_flag=True, help="Go on with whatever comes, until Ctrl-C; with --json, one a line.")
@_JSON
@click.pass_obj
def messages(
    session: Session, component: str | None, severity: str | None, since: str | None, follow: bool, as_json: bool
) -> None:
    """What the components have to say, oldest first: when, how grave (I, W or E), number, component, text."""
    asked = {name: value for name, value in (("component", component), ("severity", severity)) if value}
    if since is None:
        found = session.api().get("/site/messages", newest=True, **asked)
    else:
        found = list(_pages(session, 0, asked, time.time() - _ago_s(since)))
    if as_json and not follow:
        print_json(found)
        return
    if not found and not follow:
        click.echo("no component said anything of that")
    number = _print(found, 0, as_json)
    while follow:
        time.sleep(_FOLLOW_S)
        number = _print(_pages(session, number, asked), number, as_json)


@click.group("components")
def components() -> None:
    """The site's components: started, stopped, restarted, paused."""


def _ordering(command: Callable[..., None]) -> Callable[..., None]:
    named = click.argument("names", nargs=-1, metavar="[NAME]...")
    every = click.option("--all", "every", is_flag=True, help="All but the one that starts the others.")
    return named(every(_JSON(click.pass_obj(command))))


@components.command("start")
@_ordering
def start(session: Session, names: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Start components that were stopped or paused, or that wait for their next try."""
    _order(session, "start", names, every, as_json, lambda _, after: after["state"] in _AT_WORK)


@components.command("stop")
@_ordering
def stop(session: Session, names: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Stop components. They stay stopped when the site's process is started again."""
    _order(session, "stop", names, every, as_json, lambda _, after: after["state"] == "stopped")


@components.command("restart")
@_ordering
def restart(session: Session, names: tuple[str, ...], every: bool, as_json: bool) -> None:
    """End components and begin them anew."""
    anew: _Reached = lambda before, after: after["state"] in _AT_WORK and after["since"] != before["since"]  # noqa: E731
    _order(session, "restart", names, every, as_json, anew)


@components.command("pause")
@_ordering
def pause(session: Session, names: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Let components rest, with what they have open kept open."""
    _order(session, "pause", names, every, as_json, lambda _, after: after["state"] == "paused")


_Shown = dict[str, Any]
_Reached = Callable[[_Shown, _Shown], bool]
"""Whether a component came to where it was ordered, by what was shown before and now."""


def _order(session: Session, verb: str, names: tuple[str, ...], every: bool, as_json: bool, reached: _Reached) -> None:
    if bool(names) is every:
        raise click.UsageError("name components, or say --all")
    api = session.api()
    before = _by_name(api.get("/site/status"))
    ordered = api.post("/site/components", {"verb": verb, "names": list(names)})["names"]
    deadline = time.monotonic() + _OBEYED_WITHIN_S
    while True:
        found = api.get("/site/status")
        now = _by_name(found)
        late = [name for name in ordered if not reached(before[name], now[name])]
        if not late or time.monotonic() > deadline:
            break
        time.sleep(_LOOK_S)
    if as_json:
        print_json(found)
    else:
        _show(found)
    if late:
        raise ServerFailed(f"{', '.join(late)} did not {verb} yet", hint="keyturn site status says how it stands")


def _by_name(found: _Shown) -> dict[str, _Shown]:
    return {one["name"]: one for one in found["components"]}


def _show(found: _Shown) -> None:
    now = time.time()
    rows = [
        (one["name"], one["state"], _lasting(one["since"], now), one["failures"], _note(one, now))
        for one in found["components"]
    ]
    print_table(("component", "state", "for", "failed", "note"), rows, empty="no process runs a component")
    for system in found["left_out"]:
        click.echo(f"\naccess point {system} is left out since a reset: keyturn site assign {system}")
    click.echo(f"\nsite {found['site']}: {found['verdict']}")


def _lasting(since: float, now: float) -> str | None:
    return seconds(max(0, round(now - since))) if since else None


def _note(one: _Shown, now: float) -> str:
    due = one["next_start_at"]
    starts = f"; starts in {seconds(max(0, round(due - now)))}" if due else ""
    return f"{one['note']}{starts}"


def _print(found: "Iterator[_Shown] | list[_Shown]", number: int, as_json: bool) -> int:
    """The number of the last one."""
    for one in found:
        number = one["number"]
        if as_json:
            click.echo(json.dumps(one))
        else:
            where = f"{one['machine']} " if one["machine"] else ""
            lead = f"{moment(one['at'])} {_LETTERS[one['severity']]} {one['id']} {where}{one['component']}: "
            click.echo(wrapped(one["text"], lead))
    return number


def _pages(session: Session, after: int, asked: dict[str, str], since: float = 0) -> Iterator[_Shown]:
    api = session.api()
    while page := api.get("/site/messages", after=after, since=since, limit=_PAGE, **asked):
        yield from page
        after = page[-1]["number"]


def _ago_s(text: str) -> float:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not found:
        raise click.BadParameter(f"{text!r} is not like 90s, 15m, 12h or 7d", param_hint="--since")
    return float(found[1]) * _SECONDS[found[2]]
