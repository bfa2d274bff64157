"""Rotations, kills, backups put back, machines out of an old image, other people: in any order, over the real store.

After every step the examiner compares what Keyturn says with what it knows itself. An account is `strange` while
somebody else's password is live or the store is older than the realm: then Keyturn may not know, and must not harm.
"""

from collections import Counter
from contextlib import ExitStack, suppress
from functools import cache
from itertools import combinations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.accounts import Account
from keyturn.model.errors import KeyturnError
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations import accounts, plans
from keyturn.operations.doubts import look_into_doubts
from keyturn.operations.estates import import_estate
from keyturn.operations.plans import advance_plan, runnable
from keyturn.operations.ports import PlanState
from keyturn.wire.estate_file.reading import read_estate
from tests.builtin import Clock
from tests.crash.disk import files_in, quick_folder
from tests.crash.examined import Examined, Killed, opened
from tests.crash.memory_realm import OURSELVES
from tests.estates import INSTALLATION, MACHINES, account

WINDOW_S = 1800
RESTORING_S = 2 * WINDOW_S
"""A store is not put back from a backup within one lockout window of the last time."""

ESTATE = (INSTALLATION + account("KtClient", "client-connection-additional")).replace(
    "lockout_threshold = 5", 'lockout_threshold = 5\nlockout_window = "30 min"\nhistory = 0\ngrace = "0 s"'
)

ROUND_S = 20
MOST_OF_THEIRS = 2

which = st.integers(0, 5)
machines = st.sampled_from(MACHINES)
absences = st.frozensets(machines, max_size=2)


@cache
def founded() -> tuple[dict[str, bytes], Examined]:
    """Both accounts made, and every machine current: the files, and what the examiner knew when they were closed."""
    with quick_folder() as folder:
        site = Examined(folder, Clock())
        import_estate(site.site.parts, ESTATE, read_estate(ESTATE, roles=role_names()), by="olga")
        site.site.enrol(*MACHINES)
        site.kept = {name: {} for name in MACHINES}
        for name in ("KtInstall", "KtClient"):
            site.site.create(name)
        for _ in range(4):
            for name in MACHINES:
                site.contact(name)
        site.close()
        return files_in(folder), site


class Fleet(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ended = ExitStack()
        folder = self.ended.enter_context(quick_folder())
        files, first = founded()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        kept = {name: dict(held) for name, held in first.kept.items()}
        self.it = Examined(folder, Clock(first.clock.now), dict(first.live), list(first.ours), Counter(), kept)
        self.ended.callback(lambda: self.it.close())
        self.strange: set[str] = set()
        self.restored = False
        self.backups: list[bytes] = []
        self.images: list[dict[str, tuple[int, Secret]]] = []

    def teardown(self) -> None:
        self.ended.close()

    # What Keyturn is asked to do, and does.

    @rule(number=which)
    def rotate(self, number: int) -> None:
        with suppress(KeyturnError):
            self.it.site.rotate(str(self._any(number)))

    @rule(number=which, rounds=st.integers(1, 20), away=absences, kills=st.lists(st.integers(0, 60), max_size=4))
    def rotate_and_work(self, number: int, rounds: int, away: frozenset[str], kills: list[int]) -> None:
        self.rotate(number)
        self.work(rounds, away, kills)

    @rule(rounds=st.integers(1, 20), away=absences, kills=st.lists(st.integers(0, 60), max_size=4))
    def work(self, rounds: int, away: frozenset[str], kills: list[int]) -> None:
        """Worker and machines take turns. The process is killed after so many moments, the next one after the next."""
        remaining = list(kills)
        for _ in range(rounds):
            self.it.calls_left = self.it.calls_left or (remaining.pop() if remaining else None)
            try:
                look_into_doubts(self.it.site.parts)
                for record in runnable(self.it.site.parts):
                    advance_plan(self.it.site.parts, record.plan_id, "worker")
            except Killed:
                self.it.close()
                self.it.open()
            calls_left, self.it.calls_left = self.it.calls_left, None
            for name in sorted(set(MACHINES) - away):
                self.a_machine_comes(name)
            self.the_live_password_opens()
            self.it.clock.turn(ROUND_S)
            self.it.calls_left = calls_left
        self.it.calls_left = None

    @rule(seconds=st.sampled_from([5, 61, 700, 3601]))
    def time_passes(self, seconds: int) -> None:
        self.it.clock.turn(seconds)

    @precondition(lambda self: self._stopped())
    @rule(number=which, resumed=st.booleans())
    def a_person_answers(self, number: int, resumed: bool) -> None:
        stopped = self._stopped()
        decide = plans.resume if resumed else plans.abandon
        decide(self.it.site.parts, stopped[number % len(stopped)], by="olga")

    @precondition(lambda self: self.strange)
    @rule(number=which)
    def a_person_tells_the_live_password(self, number: int) -> None:
        name = sorted(self.strange)[number % len(self.strange)]
        with suppress(KeyturnError):
            accounts.adopt(self.it.site.parts, name, self.it.live[name], by="olga")

    # Machines, of which any may be away for any time.

    @rule(name=machines)
    def a_machine_comes(self, name: str) -> None:
        for tried in self.it.contact(name):
            its = tried.account
            if its.name in self.strange:
                continue
            # A store put back gives numbers out again, so what a machine keeps may be another password of that number.
            if tried.handed or not self.restored:
                assert tried.secret == self.it.live[its.name], f"{name} was served a wrong {its}"
                retired_since = self.restored and tried.answer is Answer.DISABLED
                assert tried.answer is Answer.ACCEPTED or retired_since, f"{name} was refused {its}: {tried.answer}"

    @rule(name=machines)
    def an_image_of_a_machine_is_made(self, name: str) -> None:
        self.images.append(dict(self.it.kept[name]))

    @precondition(lambda self: self.images)
    @rule(name=machines, number=which)
    def a_machine_comes_out_of_an_old_image(self, name: str, number: int) -> None:
        self.it.kept[name] = dict(self.images[number % len(self.images)])

    @rule(name=machines)
    def a_machine_is_reinstalled(self, name: str) -> None:
        self.it.kept[name] = {}

    # Custodians, administrators, other people.

    @rule(number=which)
    def a_custodian_takes_an_envelope_away(self, number: int) -> None:
        its = self._any(number)
        _, envelope = self.it.site.store.envelope(its)
        self.it.left.setdefault(its.name, []).append(envelope)
        if its.name not in self.strange and not self._undecided(its):
            assert opened(envelope) == self.it.live[its.name]

    @precondition(lambda self: self.it.theirs.total() < MOST_OF_THEIRS)
    @rule(number=which)
    def somebody_else_sets_a_password(self, number: int) -> None:
        its = self._any(number)
        self.it.set_by_somebody_else(its)
        self.strange.add(its.name)

    @rule()
    def the_store_is_backed_up(self) -> None:
        self.backups.append(self.it.backup())

    @precondition(lambda self: self.backups)
    @rule(number=which)
    def a_backup_is_put_back(self, number: int) -> None:
        self.it.restore(self.backups[number % len(self.backups)])
        self.it.clock.turn(RESTORING_S)
        self.restored = True
        self.strange |= {its.name for its in self._in_the_realm() if not self._current(its)}

    # What holds after every step.

    @invariant()
    def the_live_password_opens(self) -> None:
        """From an envelope that Keyturn itself would hand out, unless the account is strange."""
        for its in self._in_the_realm():
            if self._current(its):
                self.strange.discard(its.name)
            else:
                assert its.name in self.strange, f"the live password of {its} cannot be opened"

    @invariant()
    def nobody_is_locked_out(self) -> None:
        realm = self.it.site.realm()
        assert not [its for its in self._in_the_realm() if realm.describe(its).locked]

    @invariant()
    def one_bad_attempt_of_ours_a_window_at_most(self) -> None:
        log = self.it.site.realm().logons(0)
        bad = [e for e in log if e.source == OURSELVES and e.answer is Answer.WRONG_PASSWORD]
        for one, other in combinations(bad, 2):
            assert one.account != other.account or abs(one.at - other.at) >= WINDOW_S

    @invariant()
    def the_version_rises_by_one_with_every_password_of_ours(self) -> None:
        assert max(Counter(secret.reveal() for secret in self.it.ours).values()) == 1, "one password was set twice"
        realm = self.it.site.realm()
        total = sum(realm.describe(its).pinned.version for its in self._in_the_realm())
        assert total == len(self.it.ours) + self.it.theirs.total()

    @invariant()
    def one_candidate_at_most_is_undecided(self) -> None:
        for its in self._in_the_store():
            assert sum(not kept.live for kept in self.it.site.store.envelopes(its)) <= 1

    # Looking.

    def _in_the_realm(self) -> tuple[Account, ...]:
        return self.it.site.realm().administration.accounts()

    def _in_the_store(self) -> list[Account]:
        managed = self.it.site.store.estate().accounts
        return [m.account for m in managed if isinstance(m.account, Account) and m.generation]

    def _any(self, number: int) -> Account:
        known = self._in_the_store()
        return known[number % len(known)]

    def _current(self, its: Account) -> bool:
        try:
            return self.it.is_current(its)
        except KeyturnError:
            return False

    def _undecided(self, its: Account) -> bool:
        return any(not kept.live for kept in self.it.site.store.envelopes(its))

    def _stopped(self) -> list[str]:
        return [r.plan_id for r in self.it.site.store.plans(only_open=True) if r.state is PlanState.STOPPED]


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=settings().max_examples // 8, stateful_step_count=20)
TestFleet = pytest.mark.timeout(1800)(TestFleet)
