"""Five sites as real processes: bundles through parents, accounts told by bundle, and `kill -9` of any of them."""

import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from keyturn.cli.api import Api
from keyturn.cli.demo.stage import until
from keyturn.model.errors import KeyturnError
from tests.live.sites import CODES, COMMAND, Sites

SEED = 20030318
LONGEST_S = 180.0
"""For everything on its way to arrive, however busy the machine is."""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    found = Sites(tmp_path_factory.mktemp("sites"))
    try:
        found.found()
        found.join_all()
        for name in ("KtToCen", "KtService"):
            found.keyturn("CEN", "account", "create", f"CORP\\{name}", "--yes")
        until("every site has proven its accounts", lambda: standing(found) == PROVEN, LONGEST_S)
        yield found
    finally:
        found.close()


PROVEN = {"CORP\\KtToCen": (2, 2), "CORP\\KtService": (4, 4)}


def standing(sites: Sites) -> dict[str, tuple[int, int]]:
    """Of each account in use: how many of how many holders have proven its live password."""
    accounts = sites.api("CEN").get("/accounts")
    return {one["account"]: (one["current"], one["holders"]) for one in accounts if one["life"] == "active"}


@pytest.mark.timeout(600)
def test_a_file_of_each_kind_reaches_a_grandchild_and_a_cousin(sites: Sites) -> None:
    for kind in ("status", "inventory", "package"):
        sites.post("CEN", "PHX", f"{kind} down".encode(), kind)
        sites.post("LON", "PHX", f"{kind} across".encode(), kind)
    until("everything has arrived", sites.all_arrived, LONGEST_S)
    assert all_once(sites)


@pytest.mark.timeout(600)
def test_a_secondary_site_says_where_to_type_what_is_its_parents_and_keeps_none_of_it(sites: Sites) -> None:
    for typed, owner in (
        (("account", "rotate", "CORP\\KtService", "--yes"), "CEN"),
        (("package", "add", "Editor"), "EUR"),
        (("site", "invite", "USA", "--token-file", str(sites.root / "no.token")), "EUR"),
    ):
        ended = subprocess.run(
            [*COMMAND, "--dir", str(sites.root / "LON"), *typed], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 2, ended.stderr
        assert "secondary site LON has no" in ended.stderr
        assert f"at site {owner}: keyturn {typed[0]} {typed[1]}" in ended.stderr
    with closing(sqlite3.connect(f"file:{sites.root / 'LON' / 'store.db'}?mode=ro", uri=True)) as store:
        for table in ("accounts", "generations", "plans", "marks", "holdings", "packages"):
            assert store.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


@pytest.mark.timeout(900)
def test_a_shared_account_is_cycled_while_a_parent_is_stopped_half_of_the_time(sites: Sites) -> None:
    """The service account of all four sites below, two of them behind a parent that answers in every other second."""
    plan_id = propose(sites.api("CEN"), "CORP\\KtService")
    deadline = time.monotonic() + LONGEST_S
    try:
        while state(sites, plan_id) != "done":
            assert time.monotonic() < deadline, sites.api("CEN").get(f"/plans/{plan_id}")
            for number in (signal.SIGSTOP, signal.SIGCONT):
                sites.signal("EUR", number)
                time.sleep(1)  # what is stopped is a process, and its time is the real one
    finally:
        sites.signal("EUR", signal.SIGCONT)
    assert wrong(sites) == []
    holders = [of for _, of in standing(sites).values()]
    assert sorted(holders) == [2, 4], "the account that took over has the holders of the first one"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("lasts_s", [20, pytest.param(300, marks=pytest.mark.long)])
def test_sites_killed_at_random_lose_and_double_nothing(sites: Sites, lasts_s: float) -> None:
    chance, ends_at, kills = random.Random(SEED), time.monotonic() + lasts_s, 0
    print(f"seed {SEED}")
    plan_id = propose(sites.api("CEN"), "CORP\\KtToCen")
    number = 0
    while time.monotonic() < ends_at:
        for _ in range(chance.randint(1, 6)):
            start, end = chance.sample(CODES, 2)
            number += 1
            sites.post(start, end, f"{number} ".encode() * chance.randint(1, 20_000))
        victim = chance.choice(CODES)
        time.sleep(chance.uniform(0, 0.5))
        sites.kill(victim)
        sites.start(victim)
        kills += 1
    print(f"{kills} kills, {number} bundles")
    until("everything has arrived", sites.all_arrived, LONGEST_S)
    assert all_once(sites)
    until("the plan is done", lambda: state(sites, plan_id) == "done", LONGEST_S)
    assert wrong(sites) == []


def all_once(sites: Sites) -> bool:
    """Each stream holds exactly what was posted to it, in its order."""
    found: dict[tuple[str, str], list[bytes]] = {}
    for code in CODES:
        found |= sites.arrived(code)
    return found == sites.posted


def propose(api: Api, account: str) -> str:
    plan: dict[str, Any] = api.post("/plans", {"account": account, "kind": "rotate"})
    api.post(f"/plans/{plan['id']}/approve")
    return str(plan["id"])


def state(sites: Sites, plan_id: str) -> str:
    with suppress(KeyturnError):
        return str(sites.api("CEN").get(f"/plans/{plan_id}")["state"])
    return "unknown"


def wrong(sites: Sites) -> list[dict[str, Any]]:
    return [logon for logon in sites.logons() if logon["answer"] != "accepted"]
