"""A site on disk, and what a `kill -9` leaves of it: the bytes of its files, and what the machines keep."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.lifecycle.budgeted import Budgeted
from keyturn.lifecycle.plan import PlanKind
from keyturn.model.accounts import RealmName
from keyturn.operations import plans
from tests.builtin import Clock
from tests.crash.cases import Case
from tests.crash.stops import Watched
from tests.crash.variants import Variant
from tests.estates import MACHINES
from tests.inner_site import InnerSite, site_in

CORP = RealmName("CORP")
ROUND_S = 20.0
_IN_MEMORY = Path("/dev/shm")


@contextmanager
def quick_folder() -> Iterator[Path]:
    """In memory where the system has such a place: what is killed here is a process and never the machine."""
    folder = Path(mkdtemp(prefix="keyturn-", dir=_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Left:
    """`files` by name, without the index of SQLite's log: whoever opens the database next makes it anew."""

    case: Case
    plan_id: str
    files: dict[str, bytes]
    held: dict[str, dict[str, int]]
    now: float

    @contextmanager
    def opened(self, after_s: float = 0) -> Iterator[InnerSite]:
        """As another process finds it so long afterwards."""
        with self.written() as folder:
            site = site_in(folder, self.case.estate, clock=Clock(self.now + after_s))
            site.held = {name: dict(kept) for name, kept in self.held.items()}
            try:
                yield site
            finally:
                site.close()

    @contextmanager
    def realm(self) -> Iterator[BuiltinRealm]:
        """The realm alone, to be examined: looking costs logons."""
        with self.written() as folder:
            realm = BuiltinRealm(folder / f"{CORP}.db", CORP, ("dc1", "dc2"), now=Clock(self.now))
            try:
                yield realm
            finally:
                realm.close()

    @contextmanager
    def written(self) -> Iterator[Path]:
        """A folder with the files."""
        with quick_folder() as folder:
            for name, content in self.files.items():
                (folder / name).write_bytes(content)
            yield folder


def left_of(site: InnerSite, case: Case, plan_id: str) -> Left:
    return Left(
        case, plan_id, files_in(site.folder), {name: dict(kept) for name, kept in site.held.items()}, site.clock.now
    )


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


def about_to_begin(case: Case) -> Left:
    """A site whose plan is approved and has not begun."""
    with quick_folder() as folder:
        site = site_in(folder, case.estate)
        site.enrol(*MACHINES)
        for managed in site.store.estate().accounts:
            if case.kind is not PlanKind.CREATE:
                site.create(str(managed.account))
        for _ in range(6):
            site.contact(*MACHINES)
        if case.kind is PlanKind.DELETE:
            assert site.run(site.rotate(case.account).plan_id, machines=MACHINES).state == "done"
        propose = {PlanKind.CREATE: plans.propose_creation, PlanKind.DELETE: plans.propose_deletion}
        record = propose.get(case.kind, plans.propose_rotation)(site.parts, case.account, by="olga")
        assert record.plan.kind is case.kind
        plans.approve(site.parts, record.plan_id, by="paul")
        site.close()
        return left_of(site, case, record.plan_id)


def stops(start: Left, variant: type[Variant] = Variant) -> list[Left]:
    """Let the plan run to its end, and keep what each kill would leave. Stops between which no byte changed are one."""
    left = [start]
    with start.opened() as site:

        def look() -> None:
            now = left_of(site, start.case, start.plan_id)
            if replace(now, now=left[-1].now) != left[-1]:
                left.append(now)

        _watch(site, look, variant())
        site.run(start.plan_id, machines=MACHINES, step_s=ROUND_S)
    return left


def _watch(site: InnerSite, look: Callable[[], None], variant: Variant) -> None:
    """Around every port that a plan calls; the ledger of logons is watched inside the budget."""
    ledger, realms, inner = Watched(site.store, look), site.realms, site.parts.store

    class Store:
        def lease(self, plan_id: str, worker: str, lease_s: float) -> Any:
            lease = inner.lease(plan_id, worker, lease_s)
            return None if lease is None else variant.lease(Watched(lease, look), realms(CORP))

        def __getattr__(self, verb: str) -> Any:
            return getattr(ledger, verb)

    site.parts = replace(
        site.parts,
        store=Store(),  # type: ignore[arg-type]
        authorities=lambda name: Budgeted(Watched(realms(name), look), ledger, site.clock),  # type: ignore[arg-type]
    )
