"""Ways of changing the passwords of many accounts of one server, each at what it costs for one account."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.rotations import Commits, rotations
from keyturn.adapters.engine.embedded import AT_ONCE, EmbeddedEngine
from keyturn.lifecycle.ports import Authority
from keyturn.model.estate import RealmKind
from keyturn.model.secret import Secret
from keyturn.operations import accounts, plans
from tests.builtin import Clock
from tests.inner_site import InnerSite, site_in

_ESTATE = """
product = "generic"

[[realm]]
name = "{realm}"
kind = "{kind}"
replicas = ["server"]

[[site]]
code = "PHX"
realm = "{realm}"
server = "SRV-PHX"
"""
_ACCOUNT = """
[[account]]
name = "{name}"
realm = "{realm}"
role = "service"
sites = ["PHX"]
"""


@dataclass(frozen=True, slots=True)
class Way:
    """`go` sets new passwords of `count` accounts; what comes before it is not measured. The first of several is what
    the others are compared with."""

    name: str
    go: Callable[[], object]
    count: int
    before: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds for one account: until it was done, and of computing in this process, its children and the
    server's processes."""

    ms: float
    here: float
    children: float
    server: float


def furnished(
    folder: Path, authority: Authority, realm: str, kind: RealmKind, live: Secret, names: Sequence[str]
) -> InnerSite:
    """Each account is in the realm with the password `live`, and is taken in by a logon."""
    estate = _ESTATE.format(realm=realm, kind=kind) + "".join(_ACCOUNT.format(name=n, realm=realm) for n in names)
    site = site_in(folder, estate, clock=Clock(time.time()), real={realm: authority})
    for name in names:
        accounts.adopt(site.parts, name, live, by="olga")
    return site


def by_keyturn(site: InnerSite, count: int) -> Iterator[Way]:
    """Every account of the site: proposed, approved, carried out."""
    commits = Commits()
    yield Way("Keyturn, one by one", lambda: rotations(site, commits, 1), count)
    yield Way(f"Keyturn, {AT_ONCE} at once", lambda: rotations(site, commits, AT_ONCE), count)
    yield Way("of that, the worker", lambda: _carry_out(site), count, before=lambda: _decide(site))


def _decide(site: InnerSite) -> None:
    for managed in site.store.estate().accounts:
        record = plans.propose_rotation(site.parts, str(managed.account), by="olga")
        plans.approve(site.parts, record.plan_id, by="paul")


def _carry_out(site: InnerSite) -> None:
    with ThreadPoolExecutor(AT_ONCE) as hands:
        list(EmbeddedEngine().look(site.parts, hands))
    assert not plans.runnable(site.parts)


def another() -> Secret:
    return Secret(f"Turn-the-key-{time.monotonic_ns()}")


def fastest(ways: Sequence[Way], rounds: int, pids: Callable[[], Iterable[str]]) -> dict[Way, Cost]:
    """In turns, so that all of them meet the same machine. `pids` are the server's processes."""
    taken = [{way: _measured(way, pids) for way in ways} for _ in range(rounds)]
    return {way: min((costs[way] for costs in taken), key=lambda cost: cost.ms) for way in ways}


def print_costs(costs: dict[Way, Cost], rounds: int) -> None:
    first = next(iter(costs))
    print(f"{first.count} accounts, the fastest of {rounds} rounds; the last columns are ms of computing for one\n")
    print(f"{'':22}{'/s':>8}{'ms':>9}{'ratio':>8}{'here':>9}{'children':>10}{'server':>9}")
    for way, cost in costs.items():
        print(
            f"{way.name:22}{1000 / cost.ms:8.1f}{cost.ms:9.1f}{costs[first].ms / cost.ms:8.3f}"
            f"{cost.here:9.1f}{cost.children:10.1f}{cost.server:9.1f}"
        )


def _measured(way: Way, pids: Callable[[], Iterable[str]]) -> Cost:
    way.before()
    before = _spent(pids)
    way.go()
    return Cost(*(1000 * (after - was) / way.count for was, after in zip(before, _spent(pids), strict=True)))


def _spent(pids: Callable[[], Iterable[str]]) -> tuple[float, float, float, float]:
    """Seconds: gone by, then of computing."""
    times = os.times()
    server = sum(_ticks(pid) for pid in pids()) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), time.process_time(), times.children_user + times.children_system, server


def _ticks(pid: str) -> int:
    """utime, stime, and those of the children it has waited for (proc(5))."""
    after_the_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_the_name[11:15]))
