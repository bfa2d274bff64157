"""How long it takes to plan a rotation and forecast it, for one site.

    python -m bench.plans [--clients N] [--rounds R]

From an estate in memory, as `plan_rotation` and, where it needed no forecast, `foresee` are called; and the whole
through `propose_rotation`, with a store on disk that knows the proof of every client: it reads the estate, plans,
forecasts, and keeps the plan durably. The ratio says how much of the whole is planning and forecasting. Wanted: 0.3 s
for 1,000 clients. Medians.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keyturn.lifecycle.forecasting import foresee
from keyturn.lifecycle.planning import plan_rotation
from keyturn.model.accounts import Credential
from keyturn.model.estate import Estate, Proof
from keyturn.operations import plans
from tests.estates import ADDITIONAL, DEFAULT, INSTALLATION, RING
from tests.inner_site import PATIENCE, InnerSite, site_in


@dataclass(frozen=True, slots=True)
class Case:
    """`account` is rotated; the estate's other accounts are made too."""

    name: str
    account: str
    estate: str


CASES = (
    Case("in place", "KtInstall", INSTALLATION),
    Case("second account first", "KtClient", ADDITIONAL),
    Case("one of a ring of three", "KtClient_1", RING),
    Case("the site's own account", "SMSClient_PHX", DEFAULT),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--clients", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=7)
    given = options.parse_args()
    print(f"one site, {given.clients:,} clients that come once an hour")
    print(f"{'':26}{'plan and forecast':>18}{'proposed and kept':>19}{'ratio':>8}")
    for case in CASES:
        pure, whole = measured(case, given.clients, given.rounds)
        print(f"{case.name:26}{pure:16.3f} s{whole:17.3f} s{pure / whole:8.2f}", flush=True)


def measured(case: Case, clients: int, rounds: int) -> tuple[float, float]:
    """Seconds for planning and forecasting, and for the whole."""
    with tempfile.TemporaryDirectory() as folder:
        site = furnished(Path(folder), case.estate, clients)
        estate = site.store.estate()
        pure = seconds(lambda: plan_and_forecast(estate, case.account), rounds)
        whole = seconds(lambda: propose(site, case.account), rounds, after=lambda: reject_all(site))
        site.close()
    return pure, whole


def furnished(folder: Path, estate: str, clients: int) -> InnerSite:
    """Every account made, and every client current with each of them."""
    estate = estate.replace("count = 3", f"count = {clients}").replace('"10 s"', '"1 h"')
    site = site_in(folder, estate)
    for managed in site.store.estate().accounts:
        site.create(managed.account.name)
        credential = Credential(site.store.estate().managed(str(managed.account)).account, 1)
        for holder in site.store.estate().all_clients():
            assert site.store.prove(holder.name, credential, Proof.OBSERVED, site.clock())
    return site


def plan_and_forecast(estate: Estate, account: str) -> None:
    found = plan_rotation(estate, estate.managed(account).account, patience=PATIENCE)
    _ = found.forecast or foresee(estate, found.plan)


def propose(site: InnerSite, account: str) -> None:
    plans.propose_rotation(site.parts, account, by="olga")


def reject_all(site: InnerSite) -> None:
    for record in site.store.plans(only_open=True):
        plans.reject(site.parts, record.plan_id, by="paul")


def seconds(work: Callable[[], None], rounds: int, after: Callable[[], None] = lambda: None) -> float:
    """The median of so many rounds, after one that does not count."""
    taken = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
        after()
    return statistics.median(taken[1:])


if __name__ == "__main__":
    main()
