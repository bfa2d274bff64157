"""A realm that swallows everything sent to it, and plans of another realm: under both engines."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, cast

import pytest
import trustme

from keyturn.adapters.authorities.postgresql.authority import open_authority
from keyturn.adapters.authorities.reaching import Login
from keyturn.adapters.engine import embedded, jobs
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, RealmName
from keyturn.model.estate import Realm, RealmKind
from keyturn.model.secret import Secret
from keyturn.operations.parts import Parts
from keyturn.operations.ports import PlanState
from tests import postgresql
from tests.builtin import Clock
from tests.estates import HEAD, account
from tests.inner_site import InnerSite, site_in

VOID = RealmName("VOID")
MANY = 5 * embedded.AT_ONCE
"""Plans that come to nothing: if they had to be tried first, it would take five times the patience with the realm."""
LONGEST_S = 90.0
ESTATE = (
    HEAD[: HEAD.index("[[client_group]]")]
    + f'\n[[realm]]\nname = "{VOID}"\nkind = "postgresql"\nreplicas = ["127.0.0.1"]\n'
    + account("KtHealthy", "software-installation")
    + "".join(account(f"kt-lost-{n}", "database").replace("CORP", VOID) for n in range(MANY))
)


class Engine(Protocol):
    def start(self, parts: Parts) -> None: ...

    def stop(self) -> None: ...

    def wake(self) -> None: ...


@dataclass
class BlackHole:
    """Takes connections and never says a word."""

    listener: socket.socket
    swallowed: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def open(self) -> None:
        """Until now whoever came was refused."""
        self.listener.listen(MANY)
        threading.Thread(target=self._swallow, daemon=True).start()

    def _swallow(self) -> None:
        while True:
            try:
                self.swallowed.append(self.listener.accept()[0])
            except OSError:
                return

    def let_go(self) -> None:
        """Nobody is kept waiting any longer, and whoever comes is refused again."""
        self.listener.shutdown(socket.SHUT_RDWR)
        for connection in self.swallowed:
            connection.close()


@dataclass
class Asked:
    """An authority, and how often it was asked for something: each plan does so once and gets no further."""

    authority: Authority
    times: int = 0

    def __getattr__(self, verb: str) -> Any:
        self.times += 1
        return getattr(self.authority, verb)


@pytest.fixture
def hole() -> Iterator[BlackHole]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield BlackHole(listener)


@pytest.fixture(params=["embedded", "work"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "embedded":
        yield embedded.EmbeddedEngine()
        return
    with postgresql.running() as server:
        yield jobs.JobEngine(server.url(server.database()))


@pytest.fixture
def void(tmp_path: Path, hole: BlackHole) -> Asked:
    authority = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    connection = (("ca", str(authority)), ("port", str(hole.port)))
    realm = Realm(VOID, RealmKind.POSTGRESQL, ("127.0.0.1",), connection=connection)
    return Asked(open_authority(realm, lambda: Login("keyturn", Secret("Never-gets-there-1"))))


@pytest.fixture
def site(tmp_path: Path, void: Asked, engine: Engine) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ESTATE, clock=Clock(time.time()), real={VOID: cast("Authority", void)})
    site.create("KtHealthy")
    site.parts = replace(site.parts, wake=engine.wake)
    yield site
    site.close()


def test_plans_of_a_realm_that_answers_do_not_wait_for_one_that_does_not(
    site: InnerSite, hole: BlackHole, void: Asked, engine: Engine
) -> None:
    for number in range(MANY):
        site.store.identify(Account(VOID, str(number), f"kt-lost-{number}"))
        site.rotate(f"kt-lost-{number}")
    hole.open()
    void.times = 0
    engine.start(site.parts)
    try:
        _until(lambda: void.times >= embedded.AT_ONCE)
        healthy = site.rotate("KtHealthy").plan_id
        _until(lambda: site.store.plan(healthy).state is PlanState.DONE)
        assert void.times < MANY, "every plan that comes to nothing was tried first"
    finally:
        hole.let_go()
        engine.stop()
    lost = [record for record in site.store.plans() if record.plan.account.realm == VOID]
    assert {record.state for record in lost} <= {PlanState.RUNNING, PlanState.WAITING}


def test_the_import_of_an_estate_asks_a_realm_that_does_not_answer_once(tmp_path: Path, void: Asked) -> None:
    site_in(tmp_path, ESTATE, clock=Clock(time.time()), real={VOID: cast("Authority", void)}).close()
    assert void.times == 1


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # an engine tells nobody how far it is
