"""Check-ins that share a transaction: each is answered or refused alone, and none before it is durable."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from keyturn.adapters.store.schema import generations
from keyturn.model.accounts import Account
from keyturn.model.errors import AuthorityError, KeyturnError
from keyturn.operations import clients
from keyturn.server import agents
from keyturn.server.serving import _refused
from keyturn.wire import agent as wire
from keyturn.wire.sealed import recipient_of
from tests.estates import ADDITIONAL, MACHINES
from tests.inner_site import InnerSite, site_in
from tests.server.machine import ACCOUNT, HOST, Machine

CHECK_IN = wire.write(wire.CheckIn((wire.Held(ACCOUNT, 1),), "test"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ADDITIONAL)
    site.create("KtClient")
    yield site
    site.close()


def app_of(site: InnerSite) -> Starlette:
    return Starlette(
        routes=agents.routes(site.parts, b"", frozenset({HOST})), exception_handlers={KeyturnError: _refused}
    )


def enrolled(site: InnerSite, name: str) -> Machine:
    machine = Machine(TestClient(app_of(site), base_url=f"https://{HOST}"), site.clock, name)
    token = clients.invite(site.parts, name, by="test")
    key = machine.key.public_key().public_bytes_raw()
    body = wire.write(wire.Enrol(token, name, key, recipient_of(machine.identity)))
    assert machine.send("POST", wire.ENROL, body).status_code == 200
    return machine


def current(site: InnerSite, name: str) -> Machine:
    machine = enrolled(site, name)
    machine.check_in()
    proof = wire.write(wire.Proof(1, "accepted"))  # type: ignore[arg-type]
    assert machine.send("PUT", wire.proof_path(name, ACCOUNT), proof).status_code == 200
    return machine


def statuses(site: InnerSite, requests: Sequence[dict[str, str]]) -> list[int]:
    """Of check-ins with these headers, sent at the same moment: all but the first wait for it and go together."""

    async def everything() -> list[int]:
        transport = httpx2.ASGITransport(app_of(site), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=f"https://{HOST}") as http:
            sent = (http.post(wire.CHECK_IN, content=CHECK_IN, headers=headers) for headers in requests)
            return [answer.status_code for answer in await asyncio.gather(*sent)]

    return asyncio.run(everything())


def check_in(machine: Machine) -> dict[str, str]:
    return machine.signed("POST", wire.CHECK_IN, CHECK_IN)


def test_of_the_same_request_sent_many_times_at_once_one_counts(site: InnerSite) -> None:
    first, second = (current(site, name) for name in MACHINES[:2])
    twin = check_in(second)
    answers = statuses(site, [check_in(first), *[twin] * 7])
    assert answers[0] == 200
    assert sorted(answers[1:]) == [200, *[401] * 6]


def test_a_stranger_a_forger_and_a_late_request_fail_nobody_else(site: InnerSite) -> None:
    first, second, third = (current(site, name) for name in MACHINES)
    stranger = Machine(first.http, site.clock, "PC-9999")
    forger = Machine(first.http, site.clock, second.name)
    old = second.signed("POST", wire.CHECK_IN, CHECK_IN, age=400)
    sent = [check_in(first), check_in(stranger), check_in(second), check_in(forger), old, {}, check_in(third)]
    assert statuses(site, sent) == [200, 401, 200, 401, 401, 401, 200]


def test_a_password_that_does_not_open_fails_the_one_it_was_for(site: InnerSite) -> None:
    first, second = (current(site, name) for name in MACHINES[:2])
    newcomer = enrolled(site, MACHINES[2])
    with site.store._database.writing() as connection:
        connection.execute(generations.update().values(sealed=b"altered"))
    assert statuses(site, [check_in(first), check_in(newcomer), check_in(second)]) == [200, 400, 200]


def test_an_agent_whose_answer_was_lost_asks_again_and_is_told_the_same(site: InnerSite, tmp_path: Path) -> None:
    machine = enrolled(site, MACHINES[0])
    lost = check_in(machine)
    assert statuses(site, [lost]) == [200]
    site.close()
    after = site_in(tmp_path, "", clock=site.clock)
    machine.http = TestClient(app_of(after), base_url=f"https://{HOST}")
    assert machine.http.post(wire.CHECK_IN, content=CHECK_IN, headers=lost).status_code == 401
    (again,) = machine.check_in().directions
    assert isinstance(again, wire.Adopt)
    after.close()


def test_a_number_that_was_answered_stays_used_after_a_kill(site: InnerSite, tmp_path: Path) -> None:
    machine = current(site, MACHINES[0])
    requests = [check_in(machine) for _ in range(50)]
    site.close()
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert server.stdin
    assert server.stdout
    for headers in requests:
        print(headers, file=server.stdin, flush=True)
    answered = [server.stdout.readline() for _ in range(5)]
    server.send_signal(signal.SIGKILL)
    server.wait()
    answered += server.stdout.readlines()
    server.stdin.close()
    server.stdout.close()
    assert set(answered) == {"200\n"}
    after = site_in(tmp_path, "")
    assert statuses(after, [requests[len(answered) - 1]]) == [401]
    assert statuses(after, [check_in(machine)]) == [200]
    after.close()


_SERVER = """
import ast
import sys
from pathlib import Path
from tests.inner_site import site_in
from tests.server.test_check_ins_at_once import statuses

site = site_in(Path(sys.argv[1]), "")
for line in sys.stdin:
    print(*statuses(site, [ast.literal_eval(line)]), flush=True)
"""


def test_a_realm_that_takes_its_time_holds_up_no_contact(site: InnerSite, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, answers = current(site, MACHINES[0]), threading.Event()
    headers = [machine.signed("POST", wire.CHECK_IN, CHECK_IN) for _ in range(3)]

    def describe(account: Account) -> NoReturn:
        answers.wait()
        raise AuthorityError(f"nobody tells of {account}", permanent=False)

    monkeypatch.setattr(site.realm(), "describe", describe)
    monkeypatch.setattr(agents, "LOOK_S", 0.05)

    async def contacts() -> list[wire.Directions]:
        transport = httpx2.ASGITransport(app_of(site))
        async with httpx2.AsyncClient(transport=transport, base_url=f"https://{HOST}") as http:
            try:
                sent = [await http.post(wire.CHECK_IN, content=CHECK_IN, headers=each) for each in headers]
            finally:
                answers.set()
        return [wire.read(wire.Directions, answer.content) for answer in sent]

    for directions in asyncio.run(contacts()):
        assert directions.directions == (wire.Use(ACCOUNT, 1),)
