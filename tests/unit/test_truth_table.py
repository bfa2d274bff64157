"""The truth table of wrong and old passwords, every row and column, asked of the real built-in realm.

The rows are what a Samba domain controller was measured to do. NTLM and LDAP share a column; Kerberos has its own
where it differs. Threshold 5, window and duration 30 min, history 24 and a grace of 60 min unless a row says otherwise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import pytest

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from tests.builtin import REALM, Clock, password, realm_in


@dataclass
class World:
    """One account on one replica. `passwords` are those it has had, oldest first."""

    realm: BuiltinRealm
    clock: Clock
    account: Account
    protocol: LogonProtocol
    passwords: list[Secret] = field(default_factory=lambda: [password(1)])

    def logon(self, secret: Secret) -> Answer:
        return self.realm.try_logon(self.account, secret, protocol=self.protocol)


# What may have happened before

Act: TypeAlias = Callable[[World], object]
WRONG = Secret("Never-was-a-key-0")
MIN = 60.0
YEAR = 365 * 24 * 60 * MIN


def policy(**changes: float) -> Act:
    return lambda world: world.realm.administration.set_policy(replace(RealmPolicy(), **changes))


def own_policy(**changes: float) -> Act:
    own = replace(RealmPolicy(), **changes)
    return lambda world: world.realm.administration.set_account_policy(world.account, own)


def standing(**flags: bool) -> Act:
    return lambda world: world.realm.administration.set_standing(world.account, **flags)


def later(seconds: float) -> Act:
    return lambda world: world.clock.turn(seconds)


def bad(times: int) -> Act:
    return lambda world: [world.logon(WRONG) for _ in range(times)]


def change(world: World) -> None:
    world.passwords.append(password(len(world.passwords) + 1))
    world.realm.set_password(world.account, world.passwords[-1])


def same_again(world: World) -> None:
    world.passwords.append(world.passwords[-1])
    world.realm.set_password(world.account, world.passwords[-1])


def disable(world: World) -> None:
    world.realm.disable(world.account)


def unlock(world: World) -> None:
    world.realm.unlock(world.account)


# What is presented then: how many passwords back from the current one, or one that never was

N, N_1, N_2, N_3 = 0, 1, 2, 3
RANDOM = None
NEVER_TRIED = Secret("Never-was-a-key-1")


@dataclass(frozen=True)
class Then:
    """The last answer (None: nobody logged on), the count after it, and whether it moved the last bad moment."""

    answer: Answer | None
    count: int
    moved: bool = False
    locked: bool = False


def refused(count: int) -> Then:
    return Then(Answer.WRONG_PASSWORD, count, moved=True)


def locks(count: int) -> Then:
    """Told as a wrong password like any other."""
    return Then(Answer.WRONG_PASSWORD, count, moved=True, locked=True)


def says(answer: Answer) -> Then:
    return Then(answer, 2)


def rests(count: int) -> Then:
    return Then(None, count)


OK = Then(Answer.ACCEPTED, 0)
PLUS_0 = Then(Answer.WRONG_PASSWORD, 2)
PLUS_1 = refused(3)
LOCKED = Then(Answer.LOCKED, 5, locked=True)


@dataclass(frozen=True)
class Row:
    case: str
    given: tuple[Act, ...]
    presented: int | None
    then: Then
    kerberos: Then | None = None
    tries: int = 1


ROWS = [
    Row("the current password", (bad(2),), N, OK),
    Row("a random wrong one", (bad(2),), RANDOM, PLUS_1),
    Row("the same wrong one again", (), RANDOM, refused(3), tries=3),
    Row("success after 3 bad keeps the moment of the last", (bad(3),), N, OK),
    Row("the 5th wrong one is told as wrong, and locks", (bad(4),), RANDOM, locks(5)),
    Row("the 6th wrong one", (bad(5),), RANDOM, LOCKED),
    Row("the right one when locked", (bad(5),), N, LOCKED),
    Row("N-1 when locked", (change, bad(5)), N_1, LOCKED),
    # The grace of the previous password
    Row("N-1 within grace, history 2", (policy(history=2), change, bad(2)), N_1, OK, PLUS_1),
    Row("N-1 within grace, history 3", (policy(history=3), change, bad(2)), N_1, OK, PLUS_1),
    Row("N-1 within grace, history 24", (change, bad(2)), N_1, OK, PLUS_1),
    Row("N-1 just within grace", (change, later(60 * MIN - 2), bad(2)), N_1, OK, PLUS_1),
    Row("N-1 after grace", (change, later(60 * MIN), bad(2)), N_1, PLUS_0, PLUS_1),
    Row("N-1 after grace, history 2", (policy(history=2), change, later(60 * MIN), bad(2)), N_1, PLUS_0, PLUS_1),
    Row("N-1, grace 0", (policy(grace_s=0), change, bad(2)), N_1, PLUS_0, PLUS_1),
    Row("N-1, but it must change", (change, standing(must_change=True), bad(2)), N_1, PLUS_0, PLUS_1),
    Row("N-1, history 0", (policy(history=0), change, bad(2)), N_1, PLUS_1),
    Row("N-1, history 1", (policy(history=1), change, bad(2)), N_1, PLUS_1),
    # The history
    Row("N-2, history 3", (policy(history=3), change, change, bad(2)), N_2, PLUS_0, PLUS_1),
    Row("N-2, history 24", (change, change, bad(2)), N_2, PLUS_0, PLUS_1),
    Row("N-2 after grace", (change, change, later(60 * MIN), bad(2)), N_2, PLUS_0, PLUS_1),
    Row("N-2, 200 tries", (change, change, bad(2)), N_2, PLUS_0, replace(LOCKED, moved=True), tries=200),
    Row("N-2, history 2", (policy(history=2), change, change, bad(2)), N_2, PLUS_1),
    Row("N-3, history 3", (policy(history=3), change, change, change, bad(2)), N_3, PLUS_1),
    Row("N-3, history 24", (change, change, change, bad(2)), N_3, PLUS_1),
    Row("N-1, history 1 at the change", (policy(history=1), change, policy(), bad(2)), N_1, PLUS_1),
    Row("N-1, history 1 at the check", (change, policy(history=1), bad(2)), N_1, PLUS_1),
    Row("N-2, history 2 at the change", (policy(history=2), change, change, policy(), bad(2)), N_2, PLUS_1),
    Row("N-2, history 2 at the check", (change, change, policy(history=2), bad(2)), N_2, PLUS_1),
    Row("set twice: the previous one is N-2", (change, same_again, bad(2)), N_2, PLUS_0, PLUS_1),
    Row("set twice: the current one", (change, same_again, bad(2)), N_1, OK),
    Row("N-1, own history 1, the realm's 24", (own_policy(history=1), change, bad(2)), N_1, PLUS_1),
    Row("N-1, own history 24, the realm's 1", (policy(history=1), own_policy(), change, bad(2)), N_1, OK, PLUS_1),
    # Accounts that are not to log on: the right password says why, a wrong one counts as ever
    Row("disabled, right", (disable, bad(2)), N, says(Answer.DISABLED)),
    Row("disabled, wrong", (disable, bad(2)), RANDOM, PLUS_1),
    Row("account expired, right", (standing(expired=True), bad(2)), N, says(Answer.ACCOUNT_EXPIRED)),
    Row("account expired, wrong", (standing(expired=True), bad(2)), RANDOM, PLUS_1),
    Row("must change, right", (standing(must_change=True), bad(2)), N, says(Answer.MUST_CHANGE)),
    Row("must change, wrong", (standing(must_change=True), bad(2)), RANDOM, PLUS_1),
    Row("must change, then changed", (standing(must_change=True), change, bad(2)), N, OK),
    Row("password expired, right", (standing(password_expired=True), bad(2)), N, says(Answer.PASSWORD_EXPIRED)),
    Row("password expired, wrong", (standing(password_expired=True), bad(2)), RANDOM, PLUS_1),
    Row("password expired, then changed", (standing(password_expired=True), change, bad(2)), N, OK),
    Row("of the maximum age", (policy(max_age_s=9), later(8), bad(2)), N, says(Answer.PASSWORD_EXPIRED)),
    Row("younger than the maximum age", (policy(max_age_s=9), later(7), bad(2)), N, OK),
    # Thresholds
    Row("threshold 0, 12 wrong", (policy(lockout_threshold=0),), RANDOM, refused(0), tries=12),
    Row("own threshold 0, 12 wrong", (own_policy(lockout_threshold=0),), RANDOM, refused(0), tries=12),
    Row("own threshold 3, the 3rd", (own_policy(lockout_threshold=3), bad(2)), RANDOM, locks(3)),
    # The window runs from the last bad attempt
    Row(
        "one bad every 4 s, window 6 s: the 5th locks",
        (policy(lockout_window_s=6), bad(1), later(4), bad(1), later(4), bad(1), later(4), bad(1), later(3)),
        RANDOM,
        locks(5),
    ),
    Row("the window is over: the stored count stays", (bad(3), later(30 * MIN)), RANDOM, rests(3), tries=0),
    Row("the window is over: the next bad one sets 1", (bad(3), later(30 * MIN)), RANDOM, refused(1)),
    Row("the window is nearly over", (bad(3), later(30 * MIN - 2)), RANDOM, refused(4)),
    # The duration, and unlocking
    Row("the duration is nearly over", (bad(5), later(30 * MIN - 2)), N, LOCKED),
    Row("the duration is over: unlocked, the count stays", (bad(5), later(30 * MIN)), N, rests(5), tries=0),
    Row("the duration is over: the right one", (bad(5), later(30 * MIN)), N, OK),
    Row("the duration is over: a wrong one sets 1", (bad(5), later(30 * MIN)), RANDOM, refused(1)),
    Row("duration 0, ten years later", (policy(lockout_duration_s=0), bad(5), later(10 * YEAR)), N, LOCKED),
    Row("duration 0, unlocked by hand", (policy(lockout_duration_s=0), bad(5), unlock), N, OK),
    Row("unlocking zeroes the count", (bad(5), unlock), N, rests(0), tries=0),
    Row("4 wrong ones after unlocking", (bad(5), unlock), RANDOM, refused(4), tries=4),
    Row("a new password does not unlock", (bad(5), change), N, LOCKED),
    Row("a new password with an unlock", (bad(5), change, unlock), N, OK),
]


@pytest.fixture
def world(tmp_path: Path, protocol: LogonProtocol) -> Iterator[World]:
    clock = Clock()
    realm = realm_in(tmp_path, clock)
    yield World(realm, clock, realm.create(AccountToBe(REALM, "ada"), password(1)), protocol)
    realm.close()


@pytest.mark.parametrize("protocol", LogonProtocol)
@pytest.mark.parametrize("row", ROWS, ids=[row.case for row in ROWS])
def test_the_realm_answers_as_the_table_says(world: World, row: Row) -> None:
    for act in row.given:
        act(world)
    world.clock.turn(1)  # so that a bad attempt shows in the moment of the last one
    before = world.realm.describe(world.account).pinned
    presented = NEVER_TRIED if row.presented is None else world.passwords[-1 - row.presented]
    answers = [world.logon(presented) for _ in range(row.tries)]
    after = world.realm.describe(world.account).pinned
    moved = after.last_bad_at != before.last_bad_at
    told = Then(answers[-1] if answers else None, after.bad_count, moved, after.locked)
    assert told == _column(row, world.protocol)


def _column(row: Row, protocol: LogonProtocol) -> Then:
    return row.kerberos if row.kerberos and protocol is LogonProtocol.KERBEROS else row.then
