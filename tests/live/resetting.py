"""A site that is reset over real processes: its estate, and what its server tells of the reset."""

import json
from collections.abc import Iterator
from typing import Any

from keyturn.cli.demo.stage import Stage, until
from keyturn.model.errors import KeyturnError

CLIENTS = tuple(f"PC-{number:04d}" for number in range(1, 21))
HOLDERS = (*CLIENTS, "CAP1", "SRV-DMO")
ACCOUNTS = {
    "SMSService": "service",
    "SMSServer_DMO": "server-connection",
    "SMSClient_DMO": "client-connection-default",
    "KtExtra": "client-connection-additional",
}
SITE = """
product = "sms2003"

[[realm]]
name = "CORP"

[realm.policy]
lockout_threshold = 5
history = 0

[[site]]
code = "DMO"
realm = "CORP"
server = "SRV-DMO"
"""
HOLDING = """
[[site_system]]
name = "CAP1"
site = "DMO"
roles = ["client-access-point"]

[[client_group]]
name = "PC"
site = "DMO"
kind = "legacy"
count = 20
interval = "1 s"
"""
OWN = "".join(
    f'\n[[account]]\nname = "{name}"\nrealm = "CORP"\nrole = "{role}"\nsites = ["DMO"]\n'
    for name, role in ACCOUNTS.items()
)


def found(stage: Stage) -> None:
    """With a site that runs: the estate taken in, and its accounts made."""
    estate = stage.root / "estate.toml"
    estate.write_text(SITE + HOLDING + OWN)
    stage.keyturn("estate", "import", str(estate))
    for name in ACCOUNTS:
        stage.keyturn("account", "create", f"CORP\\{name}", "--yes")


def all_is_well_after(stage: Stage) -> None:
    """The reset has ended, nobody was refused, and everything runs again."""
    until("the reset has ended", lambda: record(stage)["state"] not in ("running", "waiting"), 240)
    assert record(stage)["state"] == "done", record(stage)["note"]
    assert [logon for logon in stage.logons(0) if logon["answer"] != "accepted"] == []
    until("every component runs", lambda: json.loads(stage.keyturn("site", "status", "--json"))["verdict"] == "ok", 120)
    report = json.loads(stage.keyturn("site", "reset-report", record(stage)["id"], "--json"))
    assert report["regenerated"] == ["CORP\\SMSServer_DMO", "CORP\\SMSClient_DMO"]
    assert report["kept"] == ["CORP\\SMSService", "CORP\\KtExtra"]


def served(stage: Stage) -> Iterator[bool]:
    for account in stage.api.get("/accounts"):
        yield account["current"] == account["holders"] or account["account"].endswith("KtExtra")


def record(stage: Stage) -> dict[str, Any]:
    """The reset, as the server tells of it; empty while there is none, or no answer."""
    try:
        found: list[dict[str, Any]] = stage.api.get("/plans")
    except KeyturnError:
        return {"state": "running", "steps": []}
    return next((plan for plan in found if plan["kind"] == "site-reset"), {"state": "running", "steps": []})


def mark(stage: Stage, step: str) -> str:
    return next((str(each["mark"]) for each in record(stage)["steps"] if each["step"] == step), "")
