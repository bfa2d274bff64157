"""Components of a real `keyturn up`: ordered from the command line, and what a `kill -9` leaves of that."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from keyturn.cli.demo.stage import Stage, StageError, until
from keyturn.wiring import _door

WITHIN_S = 60.0


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    found = Stage(tmp_path_factory.mktemp("components"), 1, 1, _door)
    try:
        found.found()
        until("every component runs", lambda: states(found) == {"running"}, WITHIN_S)
        yield found
    finally:
        found.close()


def shown(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = stage.api.get("/site/status")
    return found


def states(stage: Stage) -> set[str]:
    return {one["state"] for one in shown(stage)["components"]}


def state(stage: Stage, name: str) -> str:
    return next(str(one["state"]) for one in shown(stage)["components"] if one["name"] == name)


def restart(stage: Stage) -> None:
    stage.kill_server()
    stage.start_server()


def test_a_component_that_was_stopped_stays_so_after_a_kill_and_the_others_come_back(stage: Stage) -> None:
    said = stage.keyturn("site", "components", "stop", "status-manager")
    assert "site DMO: warning" in said
    restart(stage)
    until("the others run again", lambda: state(stage, "KEYTURN_ACCOUNT_MANAGER") == "running", WITHIN_S)
    assert state(stage, "SMS_STATUS_MANAGER") == "stopped"
    stage.keyturn("site", "components", "start", "status-manager")
    until("every component runs", lambda: states(stage) == {"running"}, WITHIN_S)
    assert "site DMO: ok" in stage.keyturn("site", "status")


def test_a_plan_waits_while_the_account_manager_is_stopped_and_goes_on_afterwards(stage: Stage) -> None:
    stage.keyturn("site", "components", "stop", "account-manager")
    plan_id = stage.api.post("/plans", {"kind": "rotate", "account": "KtClient"})["id"]
    stage.api.post(f"/plans/{plan_id}/approve")
    restart(stage)
    plan = stage.api.get(f"/plans/{plan_id}")
    assert (plan["state"], plan["steps"][0]["mark"]) == ("running", "")
    assert "account manager" in plan["note"]
    stage.keyturn("site", "components", "start", "account-manager")
    until("it goes on", lambda: stage.api.get(f"/plans/{plan_id}")["steps"][2]["mark"] == "done", WITHIN_S)


def test_messages_are_printed_one_a_line_for_programs_and_wrapped_for_people(stage: Stage) -> None:
    found = json.loads(stage.keyturn("site", "messages", "--component", "status-manager", "--since", "1h", "--json"))
    assert {500, 60000, 60004} <= {one["id"] for one in found}
    lines = stage.keyturn("site", "messages").splitlines()
    assert max(map(len, lines)) < 80
    assert any(" I 500 SMS_STATUS_MANAGER: started in up" in line for line in lines)


def test_the_table_of_components_fits_eighty_columns(stage: Stage) -> None:
    assert max(map(len, stage.keyturn("site", "status").splitlines())) <= 80


def test_the_component_that_starts_the_others_is_not_stopped(stage: Stage) -> None:
    with pytest.raises(StageError) as refused:
        stage.keyturn("site", "components", "stop", "site-component-manager")
    assert "starts the other components" in refused.value.hint
