"""`keyturn plan`: plans shown with their reasons and forecast, decided, and watched."""

import sys
import time
from typing import Any

import click

from keyturn.cli.api import Api, segment
from keyturn.cli.printing import listed, print_json, print_table, seconds, wrapped
from keyturn.cli.tools import Session
from keyturn.model.errors import Refused

_JSON = click.option("--json", "as_json", is_flag=True)
_ENDED = ("done", "rejected", "abandoned")


@click.group()
def plan() -> None:
    """Plans: shown, approved, watched."""


@plan.command("list")
@click.option("--all", "ended_too", is_flag=True, help="Also those that have ended.")
@_JSON
@click.pass_obj
def list_(session: Session, ended_too: bool, as_json: bool) -> None:
    """The open plans, and what each waits for."""
    found = session.api().get("/plans", open=not ended_too)
    if as_json:
        print_json(found)
        return
    rows = [(p["id"], p["kind"], p["account"], p["state"], _now(p)) for p in found]
    print_table(("plan", "kind", "account", "state", "note"), rows, empty="no plan is open")


@plan.command()
@click.argument("plan_id", metavar="PLAN")
@click.option("--svg", is_flag=True, help="Print the forecast's timeline as SVG.")
@_JSON
@click.pass_obj
def show(session: Session, plan_id: str, svg: bool, as_json: bool) -> None:
    """A plan: every step with its reason and how far it is, and the forecast."""
    api = session.api()
    if svg:
        click.echo(api.text(f"/plans/{segment(plan_id)}/timeline.svg"))
        return
    found = api.get(f"/plans/{segment(plan_id)}")
    if as_json:
        print_json(found)
    else:
        show_plan(found)


def _decision(verb: str, text: str) -> None:
    @plan.command(verb, help=text)
    @click.argument("plan_id", metavar="PLAN")
    @_JSON
    @click.pass_obj
    def command(session: Session, plan_id: str, as_json: bool) -> None:
        decide(session, plan_id, verb, as_json)


_decision("approve", "Let PLAN run.")
_decision("reject", "Decline PLAN; nothing was done.")
_decision("abandon", "Give PLAN up where it stands; no account is taken from anybody.")


@plan.command()
@_JSON
@click.pass_obj
def questions(session: Session, as_json: bool) -> None:
    """What the stopped plans ask, each question once, with its way out."""
    found = session.api().get("/plans/stopped/questions")
    if as_json:
        print_json(found)
        return
    for question in found:
        count = len(question["plans"])
        click.echo(wrapped(question["text"], f"{count} plan{'s' if count > 1 else ''}: "))
        click.echo(wrapped(question["hint"], "  hint:  "))
        click.echo(f"  plans: {listed(question['plans'])}")
    if not found:
        click.echo("no plan asks anything", err=True)


@plan.command()
@click.argument("plan_id", metavar="PLAN")
@click.option("--alike", is_flag=True, help="Also every other plan that stopped with the same question.")
@_JSON
@click.pass_obj
def resume(session: Session, plan_id: str, alike: bool, as_json: bool) -> None:
    """Go on with PLAN after it stopped with a question; patience begins anew."""
    if not alike:
        decide(session, plan_id, "resume", as_json)
        return
    found = session.api().post(f"/plans/{segment(plan_id)}/resume-alike")
    if as_json:
        print_json(found)
    else:
        click.echo(f"{len(found['resumed'])} plans go on")
        for plan_not_resumed, reason in found["refused"].items():
            click.echo(f"plan {plan_not_resumed} does not: {reason}", err=True)
    if found["refused"]:
        sys.exit(1)


@plan.command()
@click.argument("plan_id", metavar="PLAN")
@click.argument("clients", nargs=-1, required=True, metavar="CLIENT…")
@click.option("--yes", is_flag=True, help="Give them up without asking.")
@_JSON
@click.pass_obj
def release(session: Session, plan_id: str, clients: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Give up holders that will not return, so that PLAN no longer waits for them.

    The consequence is forecast and shown first.
    """
    api = session.api()
    body = {"holders": list(clients)}
    consequence = api.post(f"/plans/{segment(plan_id)}/release-forecast", body)
    if not as_json:
        click.echo(f"giving up {listed(clients)}:")
        show_forecast(consequence)
    if not yes and not confirmed(f"Give up {listed(clients)}?"):
        raise click.Abort
    released = api.post(f"/plans/{segment(plan_id)}/release", body)
    if as_json:
        print_json({"plan": released, "forecast": consequence})
    else:
        click.echo(f"plan {released['id']} no longer waits for {listed(clients)}")


@plan.command()
@click.argument("plan_id", metavar="PLAN")
@click.argument("holders", nargs=-1, required=True, metavar="HOLDER...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
@click.pass_obj
def confirm(session: Session, plan_id: str, holders: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Say of HOLDERs without an agent that they work with the new password.

    Somebody has given it to them (`keyturn envelope open`) and seen them log on with it. Whoever is confirmed and does
    not have it is cut off when the old one is retired.
    """
    if not yes and not confirmed(f"Do {listed(holders)} work with the new password?"):
        raise click.Abort
    found = session.api().post(f"/plans/{segment(plan_id)}/confirm", {"holders": list(holders)})
    if as_json:
        print_json(found)
    else:
        click.echo(f"plan {found['id']}: {listed(holders)} taken for proven, on your word")


@plan.command()
@click.argument("plan_id", metavar="PLAN")
@_JSON
@click.pass_obj
def watch(session: Session, plan_id: str, as_json: bool) -> None:
    """Follow PLAN until it is done or asks a person. Ctrl-C stops the watching, not the plan."""
    follow(session.api(), plan_id, as_json=as_json)


def decide(session: Session, plan_id: str, verb: str, as_json: bool) -> None:
    decided = session.api().post(f"/plans/{segment(plan_id)}/{verb}")
    if as_json:
        print_json(decided)
    else:
        click.echo(f"plan {decided['id']} ({decided['kind']} {decided['account']}): {decided['state']}")


def go_through(api: Api, proposal: dict[str, object], *, yes: bool, as_json: bool) -> None:
    """Propose, show, ask, approve, follow."""
    proposed = api.post("/plans", proposal)
    if approved(api, proposed, yes=yes, as_json=as_json):
        follow(api, proposed["id"], as_json=as_json)


def approved(api: Api, proposed: dict[str, Any], *, yes: bool, as_json: bool) -> bool:
    """Show the plan, ask, approve. A program is not asked: without `yes` it gets the plan, which waits."""
    if not as_json:
        show_plan(proposed)
    if not yes and (as_json or not confirmed("Approve this plan?")):
        if as_json:
            print_json(proposed)
        else:
            click.echo(f"plan {proposed['id']} waits: keyturn plan approve {proposed['id']}")
        return False
    api.post(f"/plans/{proposed['id']}/approve")
    return True


def follow(api: Api, plan_id: str, *, as_json: bool, result: bool = True) -> None:
    """Until the plan has ended or stopped: its steps as they are done, and whom it waits for. Without `result`, where
    it stands in the end is for the caller to say."""
    try:
        found = _followed(api, plan_id, as_json=as_json)
    except KeyboardInterrupt:
        click.echo(f"plan {plan_id} goes on unwatched: keyturn plan watch {plan_id}", err=True)
        sys.exit(1)
    if result and as_json:
        print_json(found)
    elif result:
        click.echo(f"plan {found['id']} ({found['kind']} {found['account']}): {found['state']}")
    if found["state"] == "stopped":
        raise Refused(found["note"], found["hint"])


def _followed(api: Api, plan_id: str, *, as_json: bool) -> dict[str, Any]:
    said = ""
    shown = -1
    while True:
        found: dict[str, Any] = api.get(f"/plans/{segment(plan_id)}")
        done = sum(step["mark"] == "done" for step in found["steps"])
        if not as_json:
            for step in found["steps"][max(shown, 0) : done]:
                click.echo(f"  done  {step['text']}", err=True)
            waits = f"  waits: {_now(found)}"
            if found["state"] == "waiting" and waits != said:
                click.echo(waits, err=True)
                said = waits
        shown = max(shown, done)
        if found["state"] in _ENDED or found["state"] in ("stopped", "proposed"):
            return found
        time.sleep(0.3)


def _now(found: dict[str, Any]) -> str:
    """What a plan waits for, and who or what has not come yet."""
    note: str = found["note"]
    return f"{note}; missing: {listed(found['missing'])}" if found["missing"] else note


def show_plan(found: dict[str, Any]) -> None:
    via = f", by {' then '.join(found['via'])}" if found["via"] else ""
    name = f"plan {found['id']}".rstrip()  # one that is only looked at has none
    click.echo(f"{name}: {found['kind']} {found['account']}{via} [{found['state']}]")
    for step in found["steps"]:
        mark = {"done": "✓", "intended": "…"}.get(step["mark"], " ")
        click.echo(wrapped(step["text"], f" {mark}{step['number'] + 1:>2}. "))
        click.echo(wrapped(step["reason"], "      because "))
    for note in found["notes"]:
        click.echo(wrapped(note, "note: "))
    show_forecast(found["forecast"])
    if found["note"]:
        click.echo(f"now: {_now(found)}")


def show_forecast(forecast: dict[str, Any]) -> None:
    lockout = forecast["first_lockout_s"]
    click.echo(
        "forecast: nobody is locked out"
        if lockout is None
        else f"forecast: the account locks after {seconds(lockout)}, by {listed(forecast['blamed'])}"
    )
    if forecast["orphaned"]:
        click.echo(f"          orphaned ({len(forecast['orphaned'])}): {listed(forecast['orphaned'])}")
    if forecast["recovered"]:
        click.echo(f"          back by logon script ({len(forecast['recovered'])}): {listed(forecast['recovered'])}")
    click.echo("          safe" if forecast["safe"] else "          NOT safe")


def confirmed(question: str) -> bool:
    """Asked of a person only; without a terminal the answer is no."""
    return sys.stdin.isatty() and click.confirm(question)
