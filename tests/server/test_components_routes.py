"""Components over the API and for agents: shown, ordered, and what an agent hears while they rest."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from keyturn.operations import people
from keyturn.operations.ports import Person, PersonRole
from keyturn.operations.status_messages import Retention, forget_old, report
from keyturn.server.serving import Listening, site_app
from keyturn.site.components import ComponentName, Standing, State
from keyturn.site.status_messages import MessageId, Severity, StatusMessage
from keyturn.wire import agent as wire
from tests.estates import ADDITIONAL
from tests.inner_site import InnerSite, site_in

SENDER = ComponentName.SENDER
LISTENING = Listening("127.0.0.1", 0, Path(), Path(), b"PEM", frozenset({"testserver"}))


class NoEngine:
    def start(self, parts: object) -> None: ...

    def stop(self) -> None: ...


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ADDITIONAL)
    site.store.people.add(Person("olga", frozenset({PersonRole.VIEWER, PersonRole.OPERATOR})), "")
    stand(site, State.RUNNING)
    site.store.forget_messages(0, 0)  # what taking the estate in has told
    yield site
    site.close()


def stand(site: InnerSite, state: State, note: str = "") -> None:
    now = site.clock.now
    known = [Standing(SENDER, state, now - 60, 2, None, note, "up", now)]
    site.store.stand(
        "up", [*known, Standing(ComponentName.ACCOUNT_MANAGER, State.RUNNING, now, heard_at=now)], forget_before=0
    )


def api(site: InnerSite, *, rests: bool = False) -> TestClient:
    token = people.issue(site.parts, "olga", 3600).reveal()
    app = site_app(site.parts, LISTENING, NoEngine(), lambda: rests)
    return TestClient(app, headers={"authorization": f"Bearer {token}"}, raise_server_exceptions=False)


def test_how_components_stand_is_shown_with_their_last_word(site: InnerSite) -> None:
    report(site.parts, SENDER, MessageId.STARTED, process="up")
    stand(site, State.FAILING, "MemoryError")
    shown = api(site).get("/api/v1/site/status").json()
    sender = next(one for one in shown["components"] if one["name"] == SENDER)
    assert (shown["site"], shown["verdict"]) == ("PHX", "critical")
    assert (sender["state"], sender["failures"], sender["note"], sender["wanted"]) == (
        "failing",
        2,
        "MemoryError",
        "run",
    )
    assert (sender["last_message"]["id"], sender["last_message"]["text"]) == (500, "started in up")


def test_without_any_process_the_account_manager_is_shown_as_stopped(tmp_path: Path) -> None:
    site = site_in(tmp_path, ADDITIONAL)
    site.store.people.add(Person("olga", frozenset({PersonRole.VIEWER})), "")
    [only] = api(site).get("/api/v1/site/status").json()["components"]
    assert (only["name"], only["state"]) == ("KEYTURN_ACCOUNT_MANAGER", "stopped")
    site.close()


def test_components_are_ordered_by_the_last_words_of_their_names(site: InnerSite) -> None:
    answer = api(site).post("/api/v1/site/components", json={"verb": "stop", "names": ["sender"]})
    assert answer.json() == {"names": ["SMS_LAN_SENDER"]}
    assert site.store.orders()[SENDER].by == "olga"


@pytest.mark.parametrize(
    ("names", "status"), [(["site-component-manager"], 409), (["despooler"], 409), (["nobody"], 404), ([1], 422)]
)
def test_what_cannot_be_ordered_is_refused(site: InnerSite, names: list[str], status: int) -> None:
    assert api(site).post("/api/v1/site/components", json={"verb": "stop", "names": names}).status_code == status
    assert site.store.orders() == {}


def test_messages_are_asked_for_by_component_and_severity(site: InnerSite) -> None:
    report(site.parts, SENDER, MessageId.STARTED, process="up")
    report(site.parts, SENDER, MessageId.STOPPED, by="olga")
    site.store.keep_message(StatusMessage(1, "PHX", "sender of a client", 10, Severity.ERROR, "mine", "PC-0001"))

    def texts(**asked: object) -> list[str]:
        return [one["text"] for one in api(site).get("/api/v1/site/messages", params=asked).json()]

    assert texts() == ["started in up", "stopped, as olga asked", "mine"]
    assert texts(component="sender", severity="warning") == ["stopped, as olga asked"]
    assert texts(component="Sender of a client") == ["mine"]
    assert texts(component="Available Programs Manager") == [], "of any client, and none has said anything"
    assert api(site).get("/api/v1/site/messages", params={"component": "nobody"}).status_code == 404
    assert texts(severity="error") == ["mine"]
    assert texts(newest=True, limit=1) == ["mine"]


def test_old_messages_are_forgotten_and_it_is_said_how_many(site: InnerSite) -> None:
    age_s = Retention().age_s
    report(site.parts, SENDER, MessageId.STARTED, process="up")
    site.clock.turn(age_s)
    assert forget_old(site.parts) == 0
    site.clock.turn(1)
    assert forget_old(site.parts) == 1
    assert [one["id"] for one in api(site).get("/api/v1/site/messages").json()] == [MessageId.FORGOTTEN]


def test_while_the_client_configuration_manager_rests_agents_are_told_to_come_again_and_people_are_served(
    site: InnerSite,
) -> None:
    resting = api(site, rests=True)
    for method, path in (("POST", wire.CHECK_IN), ("GET", wire.AUTHORITY), ("GET", f"/cap/{wire.FOLDER}/x")):
        assert resting.request(method, path).status_code == 503
    assert resting.get("/api/v1/site/status").status_code == 200
    assert api(site).get(wire.AUTHORITY).content == b"PEM"
