"""Rotations a second with everything durable, beside the loop of a tool that keeps nothing but the last password.

    python -m bench.rotations [--accounts N] [--rounds R] [--folder DIR]

Ours: each account's rotation is proposed, approved, and carried out by the embedded worker, over the real store and the
built-in realm. No account has a holder, so that nobody is waited for. Once one after the other; once all of them under
way, as many at once as the worker takes.

Raw: for each account one password set in the same realm, and one durable commit of the new password, sealed by the same
cipher, into a SQLite file beside the store under the same settings. A crash between the two loses the password; nobody
is asked, nothing is proven, no envelope is made, nothing is written in an audit log. It goes on as many threads as
ours where that is faster for it: then one account's set waits for the disk together with another's commit.

All are measured in turns: in memory (/dev/shm), where a commit waits for nothing, so that what is left is computing; in
DIR; and in memory with a wait at each commit, as on a slower disk. A commit is counted, and waits, if it changed
anything, in the store or in the realm. Of the rounds the fastest is told, since others use the machine too.
"""

import argparse
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from keyturn.adapters.engine.embedded import AT_ONCE, EmbeddedEngine
from keyturn.adapters.store.cipher import Cipher, Place, Purpose
from keyturn.model.accounts import Account, Credential
from keyturn.model.secret import Secret
from keyturn.operations import plans
from keyturn.operations.ports import PlanRecord
from tests.estates import HEAD
from tests.inner_site import SEAL_KEY, InnerSite, site_in

SLOWER_MS = (1, 5, 10)
"""Milliseconds a durable commit: from a usual solid-state disk to one that turns."""
MEMORY = Path("/dev/shm")
PROBES = 50
"""Commits by which a disk is measured."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one rotation. `commits` in the store and in the realm together."""

    seconds: float
    commits: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.seconds + other.seconds, self.commits + other.commits)


@dataclass(frozen=True, slots=True)
class Ours:
    proposed: Cost
    approved: Cost
    carried_out: Cost

    @property
    def whole(self) -> Cost:
        return self.proposed + self.approved + self.carried_out


@dataclass(frozen=True, slots=True)
class Result:
    """On one disk."""

    alone: Ours
    at_once: Ours
    raw: Cost

    @property
    def best(self) -> Ours:
        return min(self.alone, self.at_once, key=lambda ours: ours.whole.seconds)


@dataclass(frozen=True, slots=True)
class Disk:
    name: str
    site: InnerSite
    naive: "NaiveStore"
    wait_ms: float = 0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--accounts", type=int, default=48)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--folder", type=Path, help="on the disk to be measured; else the system's temporary folder")
    given = options.parse_args()
    commits = Commits()
    with tempfile.TemporaryDirectory(dir=given.folder) as disk, tempfile.TemporaryDirectory(dir=MEMORY) as memory:
        here, there = (
            (furnished(folder, given.accounts), NaiveStore(folder / "raw.db")) for folder in (Path(disk), Path(memory))
        )
        disks = [Disk("in memory", *there), Disk(f"here, {commit_ms(Path(disk)):.2f} ms", *here)]
        disks += (Disk(f"of {wait_ms} ms", *there, wait_ms) for wait_ms in SLOWER_MS)
        results = {disk.name: measured(disk, commits, given.rounds) for disk in disks}
        for site, naive in (here, there):
            site.close()
            naive.close()
    print(f"{given.accounts} accounts, the fastest of {given.rounds} rounds")
    print_parts(results["in memory"].alone, results["in memory"].raw)
    print_rates(results)


def print_parts(ours: Ours, raw: Cost) -> None:
    parts = {"proposed": ours.proposed, "approved": ours.approved, "carried out": ours.carried_out}
    print(f"\n{'of one rotation':18}{'commits':>8}{'ms of computing':>17}")
    for name, cost in (parts | {"together": ours.whole, "raw": raw}).items():
        print(f"{name:18}{cost.commits:8.1f}{1000 * cost.seconds:17.2f}")


def print_rates(results: dict[str, Result]) -> None:
    print(f"\n{'':18}{'one by one':>14}{f'{AT_ONCE} at once':>22}{'raw':>8}{'ratio':>8}{'of the worker':>15}")
    print(f"{'a commit':18}{'/s':>14}{'/s':>14}{'commits':>8}{'/s':>8}")
    for name, result in results.items():
        alone, at_once, raw = result.alone.whole, result.at_once.whole, result.raw.seconds
        print(
            f"{name:18}{1 / alone.seconds:14.0f}{1 / at_once.seconds:14.0f}{at_once.commits:8.1f}{1 / raw:8.0f}"
            f"{raw / result.best.whole.seconds:8.3f}{raw / result.best.carried_out.seconds:15.3f}"
        )


def measured(disk: Disk, commits: "Commits", rounds: int) -> Result:
    commits.wait_s = disk.wait_ms / 1000
    try:
        results = [
            Result(
                rotations(disk.site, commits, 1),
                rotations(disk.site, commits, AT_ONCE),
                min((raw_loop(disk, commits, threads) for threads in (1, AT_ONCE)), key=lambda cost: cost.seconds),
            )
            for _ in range(rounds)
        ]
    finally:
        commits.wait_s = 0
    return Result(
        min((result.alone for result in results), key=lambda ours: ours.whole.seconds),
        min((result.at_once for result in results), key=lambda ours: ours.whole.seconds),
        min((result.raw for result in results), key=lambda cost: cost.seconds),
    )


def commit_ms(folder: Path) -> float:
    """What a durable commit of one row takes there, the median of some."""
    rows = sqlite3.connect(folder / "probe.db", isolation_level=None)
    rows.execute("PRAGMA journal_mode = WAL")
    rows.execute("PRAGMA synchronous = FULL")
    rows.execute("CREATE TABLE t (n INT)")
    taken = []
    for _ in range(2):  # the log of the first time grows, which costs more; the second writes over it
        rows.execute("PRAGMA wal_checkpoint")
        taken = [_seconds_of(rows, number) for number in range(PROBES)]
    rows.close()
    return 1000 * sorted(taken)[PROBES // 2]


def _seconds_of(rows: sqlite3.Connection, number: int) -> float:
    begun = time.perf_counter()
    rows.execute("INSERT INTO t VALUES (?)", (number,))
    return time.perf_counter() - begun


class Commits:
    """Counts the commits that changed anything, of every SQLite connection that this process has open, and lets each
    of them take `wait_s` longer."""

    def __init__(self) -> None:
        self.wait_s = 0.0
        self._counts: dict[int, int] = {}
        """By connection, on which one thread is at a time."""
        self._opened: list[sqlite3.Connection] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        # Too early to watch it: it is told of a connection that is being opened.
        if event == "sqlite3.connect/handle" and isinstance(arguments[0], sqlite3.Connection):
            self._opened.append(arguments[0])

    def _watch(self, connection: sqlite3.Connection) -> None:
        changes, number = connection.total_changes, len(self._counts)
        self._counts[number] = 0

        def statement(text: str) -> None:
            nonlocal changes
            if text == "COMMIT" and connection.total_changes > changes:
                changes = connection.total_changes
                self._counts[number] += 1
                if self.wait_s:
                    time.sleep(self.wait_s)

        connection.set_trace_callback(statement)

    @contextmanager
    def cost(self, rotations: int) -> Iterator[list[Cost]]:
        """Fills the list it gives with the cost of one of so many."""
        while self._opened:
            with suppress(sqlite3.ProgrammingError):  # closed meanwhile
                self._watch(self._opened.pop())
        filled: list[Cost] = []
        before, begin = sum(self._counts.values()), time.perf_counter()
        yield filled
        seconds = time.perf_counter() - begin
        filled.append(Cost(seconds / rotations, (sum(self._counts.values()) - before) / rotations))


def furnished(folder: Path, count: int) -> InnerSite:
    """`count` accounts that no client holds, each made by its plan."""
    head = HEAD[: HEAD.index("[[client_group]]")]
    accounts = (
        f'\n[[account]]\nname = "KtInstall{number}"\nrealm = "CORP"\nrole = "software-installation"\nsites = ["PHX"]\n'
        for number in range(count)
    )
    site = site_in(folder, head + "".join(accounts))
    for managed in site.store.estate().accounts:
        site.create(str(managed.account))
    return site


def rotations(site: InnerSite, commits: Commits, at_once: int) -> Ours:
    names = [str(managed.account) for managed in site.store.estate().accounts]
    with ThreadPoolExecutor(at_once) as hands:
        connect(site, hands, at_once)
        with commits.cost(len(names)) as proposing:
            proposed = list(hands.map(lambda name: plans.propose_rotation(site.parts, name, by="olga"), names))
        with commits.cost(len(names)) as approving:
            list(hands.map(lambda record: plans.approve(site.parts, record.plan_id, by="paul"), proposed))
        with commits.cost(len(names)) as carrying_out:
            list(EmbeddedEngine().look(site.parts, hands))
    assert all(done(site, record) for record in proposed)
    return Ours(proposing[0], approving[0], carrying_out[0])


def connect(site: InnerSite, hands: ThreadPoolExecutor, at_once: int) -> None:
    """Every thread reads once at the same time, so that each connection is open before its commits are counted."""
    together = threading.Barrier(at_once)

    def read(_: int) -> None:
        with site.store._database.reading() as connection:
            connection.exec_driver_sql("SELECT 1")
            together.wait()

    list(hands.map(read, range(at_once)))


def done(site: InnerSite, record: PlanRecord) -> bool:
    return site.store.plan(record.plan_id).state == "done"


def raw_loop(disk: Disk, commits: Commits, threads: int) -> Cost:
    live = [managed.generation or 0 for managed in disk.site.store.estate().accounts]
    accounts = [m.account for m in disk.site.store.estate().accounts if isinstance(m.account, Account)]

    def rotate(number: int) -> None:
        account, secret = accounts[number], Secret(f"Turn-the-key-{number:06}")
        disk.site.realm().set_password(account, secret)
        disk.naive.keep(Credential(account, live[number] + 1), secret)

    with ThreadPoolExecutor(threads) as hands, commits.cost(len(accounts)) as cost:
        each: Callable[[Callable[[int], None], range], Iterator[None]] = hands.map if threads > 1 else map
        list(each(rotate, range(len(accounts))))
    return cost[0]


class NaiveStore:
    """The last password of each account and nothing else, durable as ours is."""

    def __init__(self, path: Path) -> None:
        self._cipher = Cipher(SEAL_KEY)
        self._turn = threading.Lock()
        self._rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = FULL")
        self._rows.execute("CREATE TABLE passwords (account TEXT PRIMARY KEY, sealed BLOB)")

    def keep(self, credential: Credential, secret: Secret) -> None:
        account = str(credential.account)
        sealed = self._cipher.seal(Place(Purpose.GENERATION, account, credential.generation, ""), secret)
        with self._turn:
            self._rows.execute("BEGIN")
            self._rows.execute("REPLACE INTO passwords VALUES (?, ?)", (account, sealed))
            self._rows.execute("COMMIT")

    def close(self) -> None:
        self._rows.close()


if __name__ == "__main__":
    main()
