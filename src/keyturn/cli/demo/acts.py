"""The acts: a plain change with its consequence, the same change by Keyturn, a killed server, an opened envelope."""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from keyturn.cli.demo.stage import ACCOUNT, FULL_NAME, REALM, Stage, until
from keyturn.cli.printing import listed

Say = Callable[[str], None]
THRESHOLD = 5
_WAIT_S = 45


@dataclass
class Naive:
    """A plain password change. `actual_first_lockout_s` counts from the change, by the realm's own log."""

    locked: bool
    failed_logons: int
    orphaned: list[str]
    forecast_first_lockout_s: float | None
    actual_first_lockout_s: float | None


@dataclass
class ByKeyturn:
    failed_logons: int
    orphaned: list[str]
    lockouts: int
    offline_named: list[str]
    generations: dict[str, int] = field(default_factory=dict)
    killed: bool = False
    resumed: bool = False


@dataclass
class Opened:
    opened_with: list[str]
    logs_on: bool


def plain_change(stage: Stage, say: Say) -> Naive:
    """What happens when somebody just sets a new password, as the forecast says beforehand."""
    stage.run_agents(stage.names, "--ungated", "--interval", str(stage.interval_s))
    until("every agent has logged on", lambda: all(_let_in(stage, name) for name in stage.names), _WAIT_S)
    say(f"{len(stage.names)} agents log on with {FULL_NAME} every {stage.interval_s:g} s")
    foreseen = json.loads(stage.keyturn("forecast", "--naive", FULL_NAME, "--json"))
    say(f"forecast: locked after {foreseen['first_lockout_s']:.2f} s, {len(foreseen['orphaned'])} orphaned")

    stage.keyturn("realm", "set-password", FULL_NAME, "--password-stdin", stdin=_new_password() + "\n")
    changed_at = _account(stage)["password_set_at"]
    until("every agent has come again", lambda: all(_refused(stage, n) for n in stage.names), _WAIT_S)

    logons = stage.logons(changed_at)
    wrong = [e for e in logons if e["answer"] == "wrong-password"]
    locked = _account(stage)["locked"]
    orphaned = [name for name in stage.names if stage.status(name)["orphaned"]]
    naive = Naive(
        locked=locked,
        failed_logons=sum(e["answer"] != "accepted" for e in logons),
        orphaned=orphaned,
        forecast_first_lockout_s=foreseen["first_lockout_s"],
        actual_first_lockout_s=round(wrong[THRESHOLD - 1]["at"] - changed_at, 3) if locked else None,
    )
    say(f"the password is changed, past everybody who holds it: {'LOCKED' if locked else 'not locked'}")
    if naive.actual_first_lockout_s is not None:
        say(f"after {naive.actual_first_lockout_s:.2f} s, at the {THRESHOLD}th wrong password")
    say(f"{naive.failed_logons} failed logons; orphaned: {listed(orphaned, 3)}")
    return naive


def by_keyturn(stage: Stage, offline: str, say: Say) -> ByKeyturn:
    """The same change as a plan, with one machine away and the server killed half way."""
    present = [name for name in stage.names if name != offline]
    stage.run_agents(stage.names)
    until("every agent has proven the account", lambda: _current(stage) == len(stage.names), _WAIT_S)
    stage.stop_agent(offline)
    say(f"{len(stage.names)} agents hold {FULL_NAME}; {offline} is switched off")

    started = time.time()
    plan_id = stage.api.post("/plans", {"account": FULL_NAME, "kind": "rotate"})["id"]
    plan = stage.api.post(f"/plans/{plan_id}/approve")
    say(f"plan {plan_id}: {plan['kind']} {plan['account']}, {len(plan['steps'])} steps, approved")

    half = len(present) // 2
    until("half of the agents have moved", lambda: _moved(stage, present) >= half, _WAIT_S)
    moved = _moved(stage, present)
    stage.kill_server()
    say(f"kill -9 of the server, {moved} of {len(present)} agents moved")
    stage.start_server()
    say("the server is started again; the plan goes on")
    until("only the offline machine is missing", lambda: _missing(stage, plan_id) == [offline], _WAIT_S)
    named = _missing(stage, plan_id)
    # The site knows of a logon a moment before the agent shows it.
    until("all others show the new account", lambda: _moved(stage, present) == len(present), _WAIT_S)
    alive = _account(stage)["enabled"]
    say(f"all others have moved; waiting for {listed(named)}, {FULL_NAME} {'stays alive' if alive else 'IS GONE'}")

    stage.run_agents([offline])
    say(f"{offline} is switched on again")
    until("the plan is done", lambda: _plan(stage, plan_id)["state"] == "done", _WAIT_S)
    logons = stage.logons(started)
    states = stage.api.get(f"/realms/{REALM}/accounts")
    retired = next(s for s in states if s["name"] == ACCOUNT)
    result = ByKeyturn(
        failed_logons=sum(e["answer"] != "accepted" for e in logons),
        orphaned=[name for name in stage.names if stage.status(name).get("orphaned", True)],
        lockouts=sum(e["answer"] == "locked" for e in logons) + sum(s["locked"] for s in states),
        offline_named=named,
        generations=_generations(stage),
        killed=True,
        resumed=_plan(stage, plan_id)["state"] == "done",
    )
    say(f"it has proven the new account; {FULL_NAME} is {'still enabled' if retired['enabled'] else 'disabled'}")
    say(f"{result.failed_logons} failed logons, {result.lockouts} lockouts, {len(result.orphaned)} orphaned")
    return result


def open_envelope(stage: Stage, say: Say) -> Opened:
    """Two of three custodians open the sealed copy, and its password logs on."""
    successor = next(a["successor"] for a in stage.api.get("/accounts") if a["account"] == FULL_NAME)
    keys = [f"--key={name}={stage.root / f'{name}.key'}" for name in ("alice", "carol")]
    content = json.loads(stage.keyturn("envelope", "open", successor, *keys, "--json"))
    logs_on = _logs_on(stage, content["account"], content["password"])
    who = " and ".join(content["opened_with"])
    say(f"{who} open the envelope of {successor}; its password {'logs on' if logs_on else 'is REFUSED'}")
    return Opened(content["opened_with"], logs_on)


def _logs_on(stage: Stage, account: str, password: str) -> bool:
    import urllib3

    door = stage.door(stage.directory)
    headers = urllib3.make_headers(basic_auth=f"{account}:{password}")
    with urllib3.PoolManager(ca_cert_data=door.authority_pem, retries=False, timeout=30) as pool:
        return pool.request("GET", f"{door.url}/cap/clidata.box/site.json", headers=headers).status == 200


def _new_password() -> str:
    return f"Aa1-{secrets.token_urlsafe(16)}"


def _let_in(stage: Stage, name: str) -> bool:
    return stage.status(name).get("answer") == "accepted"


def _refused(stage: Stage, name: str) -> bool:
    return stage.status(name).get("answer") not in ("accepted", None)


def _account(stage: Stage) -> dict[str, Any]:
    return next(a for a in stage.api.get(f"/realms/{REALM}/accounts") if a["name"] == ACCOUNT)


def _current(stage: Stage) -> int:
    return int(next(a["current"] for a in stage.api.get("/accounts") if a["account"] == FULL_NAME))


def _moved(stage: Stage, names: list[str]) -> int:
    """How many have proven an account that succeeds the first one."""
    return sum(
        any(c["account"] != FULL_NAME and c["proven"] for c in stage.status(name).get("credentials", []))
        for name in names
    )


def _plan(stage: Stage, plan_id: str) -> dict[str, Any]:
    found: dict[str, Any] = stage.api.get(f"/plans/{plan_id}")
    return found


def _missing(stage: Stage, plan_id: str) -> list[str]:
    return list(_plan(stage, plan_id)["missing"])


def _generations(stage: Stage) -> dict[str, int]:
    return {a["account"]: a["generation"] for a in stage.api.get("/accounts") if a["generation"] is not None}
