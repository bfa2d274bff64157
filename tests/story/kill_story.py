"""`kill -9` of a worker at every step of its plan, at a real realm, and another worker that goes on.

A subclass gives the fixtures `there`, the realm as `tests.story.real_realm` describes it, and `kills`: how many.
"""

import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyturn.lifecycle.execution import PROOF
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.logon import Answer
from keyturn.operations import accounts
from keyturn.operations.ports import PlanState
from tests.crash.disk import quick_folder
from tests.crash.examined import opened as envelope_opened
from tests.inner_site import InnerSite
from tests.story.real_realm import FIRST, SERVICE, SHARED, RealRealm, carried, logs_on, made, opened
from tests.story.realm_victim import STEP_S, WHOLE_PLAN_S, spoken

ROOT = Path(__file__).parents[2]
SEED = 20030318
LONGEST_S = 60.0
"""For a child to say its next word, however busy the machine is."""


class Executioner:
    """Starts one worker after the other in a process that is warm, and kills them."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._heard = b""

    def start(self, folder: Path, plan_id: str, now: float) -> None:
        self._write(f"{folder}\t{plan_id}\t{now}\n")

    def kill(self, stop: int, after_s: float = 0) -> bool:
        """So long after its stop of that number. False if it had ended before."""
        words = [self._word()]
        while words[-1] == "stop" and len(words) < stop:
            words.append(self._word())
        if words[-1] == "stop":
            time.sleep(after_s)  # what is killed is a process, and its time is the real one
        self._write("kill\n")
        while words[-1] not in ("killed", "late"):
            words.append(self._word())
        return "ended" not in words

    def stops(self) -> tuple[int, float]:
        """How many the worker comes to if it is left alone, and how long it takes for all of them, in seconds."""
        begun, number = time.monotonic(), 0
        while self._word() == "stop":
            number += 1
        taken = time.monotonic() - begun
        self._write("kill\n")
        self._word()
        return number, taken

    def _write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()

    def _word(self) -> str:
        assert self._process.stdout
        while b"\n" not in self._heard:
            assert select.select([self._process.stdout], [], [], LONGEST_S)[0], "not a word from the worker"
            more = self._process.stdout.read(4096)
            assert more, "the worker's process is gone"
            self._heard += more
        word, _, self._heard = self._heard.partition(b"\n")
        return word.decode()


@dataclass
class Fleet:
    """One site at one realm, whose accounts are rotated again and again."""

    there: RealRealm
    folder: Path
    executioner: Executioner
    now: float

    def open(self) -> InnerSite:
        site = opened(self.folder, self.there.realm, self.there.opened(), now=self.now)
        self.now = site.clock.now
        return site

    def approved(self, name: str) -> str:
        site = self.open()
        plan_id = site.rotate(name).plan_id
        site.close()
        return plan_id

    def undisturbed(self, name: str) -> tuple[int, float]:
        self.executioner.start(self.folder, self.approved(name), self.now)
        found = self.executioner.stops()
        self.now += WHOLE_PLAN_S
        return found

    def survives(self, name: str, stop: int, after_s: float) -> str | None:
        """The account that bears the role then; None if the worker had ended before it could be killed."""
        before, plan_id = self.there.sets(name), self.approved(name)
        self.executioner.start(self.folder, plan_id, self.now)
        killed = self.executioner.kill(stop, after_s)
        self.now += WHOLE_PLAN_S
        site = self.open()
        record = carried(site, plan_id, step_s=STEP_S)
        assert record.state is PlanState.DONE, f"killed at stop {stop}: {record.state}, {record.note}"
        newest = self.newest(site, name)
        self.is_well(site, newest)
        if newest != name:
            self.retire(site, name, newest)
        elif before is not None:
            assert self.there.sets(name) == before + 1, f"killed at stop {stop}"
        self.now = site.clock.now
        site.close()
        return newest if killed else None

    def clear(self) -> None:
        """The realm as it was."""
        site, authority = self.open(), self.there.opened()
        names = [managed.account.name for managed in site.store.estate().accounts]
        for account in filter(None, map(authority.find, names)):
            authority.delete(account)
        site.close()
        self.there.converge()

    def current(self, name: str) -> str:
        site = self.open()
        found = self.newest(site, name)
        site.close()
        return found

    def newest(self, site: InnerSite, name: str) -> str:
        managed = site.store.estate().managed(name)
        return managed.successor.name if managed.successor else name

    def is_well(self, site: InnerSite, name: str) -> None:
        """What is live is what the store and its envelope have; nobody is locked, no logon was wrong."""
        authority, managed = self.there.opened(), site.store.estate().managed(name)
        assert isinstance(managed.account, Account)
        assert managed.generation
        assert logs_on(authority, site, managed.account, managed.generation) is Answer.ACCEPTED
        sealed = {kept.generation: kept for kept in site.store.envelopes(managed.account)}
        secret = envelope_opened(sealed[managed.generation].envelope)
        assert authority.try_logon(managed.account, secret, protocol=PROOF) is Answer.ACCEPTED
        state = authority.describe(managed.account)
        assert not state.locked
        assert [replica.bad_count for replica in state.replicas if replica.bad_count] == []

    def retire(self, site: InnerSite, name: str, successor: str) -> None:
        """The first is disabled, its second is the only one that was made, and as new as its making."""
        authority = self.there.opened()
        first, second = authority.find(name), authority.find(successor)
        assert first
        assert second
        assert not authority.describe(first).enabled
        number = int(successor.rpartition("_")[2])
        assert authority.find(f"{SHARED}_{number + 1}") is None
        authority.delete(first)


class KillStory:
    @pytest.fixture
    def folder(self) -> Iterator[Path]:
        with quick_folder() as folder:
            yield folder

    @pytest.fixture
    def executioner(self, there: RealRealm) -> Iterator[Executioner]:
        command = [sys.executable, "-m", "tests.story.realm_victim"]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
            assert process.stdin
            process.stdin.write(f"{spoken(there.realm, there.login)}\n".encode())
            yield Executioner(process)
            process.stdin.close()

    @pytest.fixture
    def fleet(self, folder: Path, there: RealRealm, executioner: Executioner) -> Iterator[Fleet]:
        fleet = prepared(there, folder, executioner)
        yield fleet
        fleet.clear()

    @pytest.mark.timeout(3600)
    def test_a_worker_killed_at_any_step_loses_nothing_and_locks_nobody(self, fleet: Fleet, kills: int) -> None:
        """Two of three rotate an account in place, one lets a second account take over."""
        chance = random.Random(SEED)
        shared, per_kind = f"{SHARED}_2", (kills - kills // 3, kills // 3)
        takes = (fleet.undisturbed(SERVICE), fleet.undisturbed(SHARED))
        killed = [0, 0]
        for number in range(2 * kills):
            kind = int(number % 3 == 2)
            stops, taken_s = takes[kind]
            stop = 1 + int((killed[kind] + chance.random()) / per_kind[kind] * stops) % stops
            newest = fleet.survives((SERVICE, shared)[kind], stop, chance.uniform(0, taken_s / stops))
            killed[kind] += newest is not None
            if kind:
                shared = fleet.current(shared)
            if sum(killed) >= kills:
                break
        print(f"seed {SEED}: {killed} of {kills} kills, stops and seconds {takes}")
        assert sum(killed) >= kills


def prepared(there: RealRealm, folder: Path, executioner: Executioner) -> Fleet:
    authority = there.opened()
    authority.create(AccountToBe(there.realm.name, SERVICE), FIRST)
    there.converge()
    fleet = Fleet(there, folder, executioner, time.time())
    site = fleet.open()
    accounts.adopt(site.parts, SERVICE, FIRST, by="olga")
    made(site, SHARED)
    first = authority.find(SHARED)
    assert first
    there.join(first)
    there.converge()
    fleet.now = site.clock.now
    site.close()
    return fleet
