"""`kill -9` of a whole server at random moments of rotations, with enrolled agents that keep coming."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest

from keyturn.cli.demo.stage import FULL_NAME, REALM, SITE, Stage, until
from keyturn.wiring import _door

SEED = 20030318
AGENTS = 3
INTERVAL_S = 0.5
LONGEST_S = 60.0
"""For a plan to come to its end, however busy the machine is."""

TAKES_S = {f"{REALM}\\KtInstall": 1.0, FULL_NAME: 4.5}
"""About how long an undisturbed rotation takes: the kill comes within that time after the approval. By the account
that was there first."""

ESTATE = f"""
product = "sms2003"

[[realm]]
name = "{REALM}"

[realm.policy]
lockout_threshold = 3
history = 0
grace = "0 s"

[[site]]
code = "{SITE}"
realm = "{REALM}"
server = "SRV-{SITE}"
logon_installation = true

[[client_group]]
name = "PC"
site = "{SITE}"
kind = "legacy"
count = {AGENTS}
interval = "{INTERVAL_S} s"

[[account]]
name = "KtClient"
realm = "{REALM}"
role = "client-connection-additional"
sites = ["{SITE}"]

[[account]]
name = "KtInstall"
realm = "{REALM}"
role = "software-installation"
sites = ["{SITE}"]
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    found = Stage(tmp_path_factory.mktemp("killed"), AGENTS, INTERVAL_S, _door)
    try:
        found.found()
        estate = found.root / "estate.toml"
        estate.write_text(ESTATE)
        found.keyturn("estate", "import", str(estate))
        found.keyturn("account", "create", f"{REALM}\\KtInstall", "--yes")
        found.enrol(found.names)
        found.run_agents(found.names)
        until("every agent has proven both accounts", lambda: all_hold(found), LONGEST_S)
        yield found
    finally:
        found.close()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
def test_a_server_killed_during_rotations_loses_nothing(stage: Stage, kills: int) -> None:
    chance, in_the_middle = random.Random(SEED), 0
    print(f"seed {SEED}")
    for number, (first, takes_s) in zip(range(kills), cycle(TAKES_S.items()), strict=False):
        account, after_s = newest(stage, first), chance.uniform(0, takes_s)
        print(f"kill {number + 1}: {account}, {after_s:.2f} s after the approval")
        in_the_middle += survives(stage, account, after_s)
    assert in_the_middle >= kills // 4, f"only {in_the_middle} of {kills} kills hit a plan under way"


def survives(stage: Stage, account: str, after_s: float) -> bool:
    """Whether the plan was under way when the server was killed."""
    before = versions(stage)
    plan_id = stage.api.post("/plans", {"account": account, "kind": "rotate"})["id"]
    stage.api.post(f"/plans/{plan_id}/approve")
    time.sleep(after_s)  # what is killed is a process, and its time is the real one
    under_way = stage.api.get(f"/plans/{plan_id}")["state"] != "done"
    stage.kill_server()
    stage.start_server()
    until(f"plan {plan_id} is done", lambda: stage.api.get(f"/plans/{plan_id}")["state"] == "done", LONGEST_S)
    until("all agents hold what is live", lambda: all_hold(stage), LONGEST_S)
    assert [logon for logon in stage.logons(0) if logon["answer"] != "accepted"] == []
    assert not [state["name"] for state in states(stage) if state["locked"]]
    stage.keyturn("envelope", "verify")
    risen = Counter(versions(stage)) - Counter(before)
    assert risen == {newest(stage, account).removeprefix(f"{REALM}\\"): 1}, "one password was set, once"
    return bool(under_way)


def all_hold(stage: Stage) -> bool:
    """Every agent has proven the live password of every account in use, by the server's account and by its own."""
    live = [each for each in stage.api.get("/accounts") if each["life"] == "active"]
    told = all(each["current"] == AGENTS for each in live)
    return told and all(
        kept(stage, name) == {each["account"]: each["generation"] for each in live} for name in stage.names
    )


def kept(stage: Stage, name: str) -> dict[str, int]:
    credentials = stage.status(name).get("credentials", [])
    return {each["account"]: each["generation"] for each in credentials if each["proven"]}


def newest(stage: Stage, account: str) -> str:
    successors = {each["account"]: each["successor"] for each in stage.api.get("/accounts")}
    while successors[account]:
        account = successors[account]
    return account


def versions(stage: Stage) -> dict[str, int]:
    return {state["name"]: state["version"] for state in states(stage)}


def states(stage: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.api.get(f"/realms/{REALM}/accounts")
    return found
