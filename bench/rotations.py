"""Rotations a second with everything durable, beside the loop of a tool that keeps nothing but the last password.

    python -m bench.rotations [--accounts N] [--rounds R] [--folder DIR]

Ours: each account's rotation is proposed, approved, and carried out by the worker, over the real store and the built-in
realm. No account has a holder, so that nobody is waited for.

Raw: for each account one password set in the same realm, and one durable commit of the new password, sealed by the same
cipher, into a SQLite file beside the store under the same settings. A crash between the two loses the password; nobody
is asked, nothing is proven, no envelope is made, nothing is written in an audit log.

All are measured in turns, in DIR and in memory (/dev/shm), where a commit waits for nothing: the difference is the
disk's share. A commit is counted if it changed anything. The last lines are calculated: what it takes in memory, and
for each commit the time of such a disk. Of the rounds the fastest is told, since others use the machine too.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from keyturn.adapters.store.cipher import Cipher, Place, Purpose
from keyturn.model.accounts import Account, Credential
from keyturn.model.secret import Secret
from keyturn.operations import plans
from keyturn.operations.ports import PlanRecord
from tests.estates import HEAD
from tests.inner_site import SEAL_KEY, InnerSite, site_in

DISKS_MS = (0.1, 1, 5, 10)
"""Milliseconds a durable commit: from a fast solid-state disk to one that turns."""
MEMORY = Path("/dev/shm")
CARRIED_OUT, OURS, RAW = "carried out", "ours", "raw"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one rotation. `commits` in the store and in the realm together."""

    seconds: float
    commits: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.seconds + other.seconds, self.commits + other.commits)

    def on(self, disk_ms: float) -> float:
        """Seconds on such a disk, for a cost measured in memory."""
        return self.seconds + self.commits * disk_ms / 1000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--accounts", type=int, default=50)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--folder", type=Path, help="on the disk to be measured; else the system's temporary folder")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as disk, tempfile.TemporaryDirectory(dir=MEMORY) as memory_disk:
        here, memory = measured((Path(disk), Path(memory_disk)), given.accounts, given.rounds)
    print(f"{given.accounts} accounts, the fastest of {given.rounds} rounds")
    print(f"{'of one rotation':22}{'commits':>8}{'ms in memory':>14}{'ms here':>9}{'disk':>6}")
    for name, cost in here.items():
        cpu, whole = 1000 * memory[name].seconds, 1000 * cost.seconds
        print(f"{name:22}{cost.commits:8.1f}{cpu:14.2f}{whole:9.2f}{max(0, 1 - cpu / whole):6.0%}")
    print(f"here: ours {1 / here[OURS].seconds:.0f} /s, raw {1 / here[RAW].seconds:.0f} /s, {ratios(here, None)}")
    for disk_ms in DISKS_MS:
        print(f"at {disk_ms:4g} ms a commit: {ratios(memory, disk_ms)}")


def ratios(costs: dict[str, Cost], disk_ms: float | None) -> str:
    """Of rotations a second, ours to raw. `disk_ms` None: as measured."""
    raw, ours, worker = (
        costs[name].seconds if disk_ms is None else costs[name].on(disk_ms) for name in (RAW, OURS, CARRIED_OUT)
    )
    return f"ratio {raw / ours:.3f}, of the worker's part alone {raw / worker:.3f}"


def measured(folders: Sequence[Path], accounts: int, rounds: int) -> list[dict[str, Cost]]:
    """The costs by what is done, for each folder."""
    commits = Commits()
    pairs = [(furnished(folder, accounts), NaiveStore(folder / "raw.db")) for folder in folders]
    costs = [
        [rotations(site, commits) | {RAW: raw_loop(site, naive, commits)} for site, naive in pairs]
        for _ in range(rounds)
    ]
    for site, naive in pairs:
        site.close()
        naive.close()
    return [fastest(of_folder) for of_folder in zip(*costs, strict=True)]


def fastest(rounds: Sequence[dict[str, Cost]]) -> dict[str, Cost]:
    return {name: min((costs[name] for costs in rounds), key=lambda cost: cost.seconds) for name in rounds[0]}


class Commits:
    """Counts the commits that changed anything, of every SQLite connection that this process has open."""

    def __init__(self) -> None:
        self.count = 0
        self._opened: list[sqlite3.Connection] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        # Too early to watch it: it is told of a connection that is being opened.
        if event == "sqlite3.connect/handle" and isinstance(arguments[0], sqlite3.Connection):
            self._opened.append(arguments[0])

    def _watch(self, connection: sqlite3.Connection) -> None:
        changes = connection.total_changes

        def statement(text: str) -> None:
            nonlocal changes
            if text == "COMMIT":
                self.count += connection.total_changes > changes
                changes = connection.total_changes

        connection.set_trace_callback(statement)

    @contextmanager
    def cost(self, rotations: int) -> Iterator[list[Cost]]:
        """Fills the list it gives with the cost of one of so many."""
        while self._opened:
            with suppress(sqlite3.ProgrammingError):  # closed meanwhile
                self._watch(self._opened.pop())
        filled: list[Cost] = []
        before, begin = self.count, time.perf_counter()
        yield filled
        seconds = time.perf_counter() - begin
        filled.append(Cost(seconds / rotations, (self.count - before) / rotations))


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


def rotations(site: InnerSite, commits: Commits) -> dict[str, Cost]:
    """By what is done, for all accounts one after the other."""
    names = [str(managed.account) for managed in site.store.estate().accounts]
    with commits.cost(len(names)) as proposing:
        proposed = [plans.propose_rotation(site.parts, name, by="olga") for name in names]
    with commits.cost(len(names)) as approving:
        for record in proposed:
            plans.approve(site.parts, record.plan_id, by="paul")
    with commits.cost(len(names)) as carrying_out:
        plans.advance_open(site.parts, "worker")
    assert all(done(site, record) for record in proposed)
    ours = proposing[0] + approving[0] + carrying_out[0]
    return {"proposed": proposing[0], "approved": approving[0], CARRIED_OUT: carrying_out[0], OURS: ours}


def done(site: InnerSite, record: PlanRecord) -> bool:
    return site.store.plan(record.plan_id).state == "done"


def raw_loop(site: InnerSite, naive: "NaiveStore", commits: Commits) -> Cost:
    live = [managed.generation or 0 for managed in site.store.estate().accounts]
    accounts = [managed.account for managed in site.store.estate().accounts if isinstance(managed.account, Account)]
    with commits.cost(len(accounts)) as cost:
        for number, account in enumerate(accounts):
            secret = Secret(f"Turn-the-key-{number:06}")
            site.realm().set_password(account, secret)
            naive.keep(Credential(account, live[number] + 1), secret)
    return cost[0]


class NaiveStore:
    """The last password of each account and nothing else, durable as ours is."""

    def __init__(self, path: Path) -> None:
        self._cipher = Cipher(SEAL_KEY)
        self._rows = sqlite3.connect(path, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = FULL")
        self._rows.execute("CREATE TABLE passwords (account TEXT PRIMARY KEY, sealed BLOB)")

    def keep(self, credential: Credential, secret: Secret) -> None:
        account = str(credential.account)
        sealed = self._cipher.seal(Place(Purpose.GENERATION, account, credential.generation, ""), secret)
        self._rows.execute("BEGIN")
        self._rows.execute("REPLACE INTO passwords VALUES (?, ?)", (account, sealed))
        self._rows.execute("COMMIT")

    def close(self) -> None:
        self._rows.close()


if __name__ == "__main__":
    main()
