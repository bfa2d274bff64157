"""The truth table of wrong and old passwords, asked of a real domain controller and compared logon by logon with
`keyturn.lockout.policy`, from which the forecast and the built-in realm have theirs."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import pytest

from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.lifecycle.ports import Authority
from keyturn.lockout.policy import Standing, judge
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from tests.builtin import password
from tests.samba import OURS, REALM, Samba, running

USUAL = RealmPolicy(lockout_threshold=5, lockout_window_s=60, lockout_duration_s=60, history=24)
LONG_AGO = 130_000_000_000_000_000
"""A moment of 2012, as `accountExpires` writes it."""


@dataclass
class World:
    """One account on the first controller, and what the table says of it. `passwords` are oldest first."""

    samba: Samba
    authority: Authority
    account: Account
    protocol: LogonProtocol
    policy: RealmPolicy
    standing: Standing
    passwords: list[Secret] = field(default_factory=lambda: [password(1)])

    def logs_on(self, secret: Secret) -> None:
        """As the table says, in answer, count and lock."""
        newest_first = self.passwords[::-1]
        behind = newest_first.index(secret) if secret in newest_first else None
        told, self.standing = judge(self.standing, behind, self.protocol, self.policy, time.time())
        answer = self.authority.try_logon(self.account, secret, protocol=self.protocol)
        found = self.authority.describe(self.account).pinned
        seen = (answer, found.bad_count, found.locked)
        assert seen == (told, self.standing.bad_count, self.standing.locked(self.policy, time.time()))


Act: TypeAlias = Callable[[World], object]


def present(back: int) -> Act:
    """The password so many sets ago."""
    return lambda world: world.logs_on(world.passwords[-1 - back])


def wrong(times: int) -> Act:
    return lambda world: [world.logs_on(password(9000 + number)) for number in range(times)]


def same_wrong(times: int) -> Act:
    return lambda world: [world.logs_on(password(9999)) for _ in range(times)]


def change(world: World) -> None:
    world.passwords.append(password(len(world.passwords) + 1))
    _set(world)


def same_again(world: World) -> None:
    world.passwords.append(world.passwords[-1])
    _set(world)


def _set(world: World) -> None:
    world.authority.set_password(world.account, world.passwords[-1])
    world.standing = replace(world.standing, password_set_at=time.time(), must_change=False)


def disable(world: World) -> None:
    world.authority.disable(world.account)
    world.standing = replace(world.standing, disabled=True)


def expire(world: World) -> None:
    world.samba.write(world.samba.dn(world.account.name), accountExpires=LONG_AGO)
    world.standing = replace(world.standing, expired=True)


def must_change(world: World) -> None:
    world.samba.write(world.samba.dn(world.account.name), pwdLastSet=0)
    world.standing = replace(world.standing, must_change=True)


def unlock(world: World) -> None:
    world.authority.unlock(world.account)
    world.standing = replace(world.standing, bad_count=0, locked_at=None)


def later(seconds: float) -> Act:
    """Real time: a controller's clock is the machine's."""
    return lambda world: time.sleep(seconds)


@dataclass(frozen=True)
class Row:
    case: str
    acts: tuple[Act, ...]
    policy: RealmPolicy = USUAL


ROWS = (
    Row("the current password, after 3 bad", (wrong(3), present(0))),
    Row("the 5th wrong one locks, then nothing counts", (wrong(7), present(0))),
    Row("the same wrong one again counts each time", (same_wrong(3),)),
    Row("N-1 within grace", (change, wrong(2), present(1), present(1))),
    Row("N-1 within grace, history 2", (change, wrong(2), present(1)), replace(USUAL, history=2)),
    Row("N-1, but it must change", (change, must_change, present(1))),
    Row("N-1, history 1", (change, present(1), present(1)), replace(USUAL, history=1)),
    Row("N-2", (change, change, wrong(1), present(2), present(2), present(2))),
    Row("N-2, history 2", (change, change, present(2), present(2)), replace(USUAL, history=2)),
    Row("N-3", (change, change, change, present(3), present(3))),
    Row("set twice: the previous one is N-2", (change, same_again, wrong(1), present(2), present(0))),
    Row("disabled", (disable, wrong(2), present(0), wrong(1))),
    Row("account expired", (expire, wrong(2), present(0), wrong(1))),
    Row("must change", (must_change, present(0), wrong(2), change, present(0))),
    Row("threshold 0", (wrong(7), present(0)), replace(USUAL, lockout_threshold=0)),
    Row("threshold 3", (wrong(4), present(0)), replace(USUAL, lockout_threshold=3)),
    Row("unlocked", (wrong(5), unlock, wrong(4), present(0))),
    Row("a new password does not unlock", (wrong(5), change, present(0), unlock, present(0))),
)

BRIEF = replace(USUAL, lockout_threshold=3, lockout_window_s=2, lockout_duration_s=2)
# Samba reckons in whole seconds, so a lock may last up to one longer.
ROWS_IN_TIME = (
    Row("the window is over: the next bad one sets 1", (wrong(2), later(2.2), wrong(1), present(0)), BRIEF),
    Row("the duration is over: the right one", (wrong(3), present(0), later(3.2), present(0)), BRIEF),
    Row("the duration is over: a wrong one sets 1", (wrong(3), later(3.2), wrong(1)), BRIEF),
)


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running() as samba:
        yield samba


@pytest.fixture
def authority(samba: Samba) -> Authority:
    """On the first controller alone: what the other one counts is its own."""
    return open_authority(samba.realm(samba.hosts[:1]), lambda: OURS)


@pytest.fixture
def account(authority: Authority) -> Iterator[Account]:
    account = authority.create(AccountToBe(REALM, f"kt-{secrets.token_hex(4)}"), password(1))
    yield account
    authority.delete(account)


@pytest.mark.parametrize("protocol", LogonProtocol)
@pytest.mark.parametrize("row", ROWS, ids=[row.case for row in ROWS])
def test_a_controller_answers_as_the_table_says(
    samba: Samba, authority: Authority, account: Account, protocol: LogonProtocol, row: Row
) -> None:
    _play(samba, authority, account, protocol, row)


@pytest.mark.parametrize("row", ROWS_IN_TIME, ids=[row.case for row in ROWS_IN_TIME])
def test_a_controller_forgets_as_the_table_says(samba: Samba, authority: Authority, account: Account, row: Row) -> None:
    _play(samba, authority, account, LogonProtocol.LDAP, row)


def test_the_previous_password_is_refused_once_the_grace_is_over_and_counts_for_kerberos_alone(
    samba: Samba, authority: Authority, account: Account
) -> None:
    samba.set_policy(USUAL)
    samba.adlab("grace", "0", "dc1")
    authority.set_password(account, password(2))
    for protocol, count in ((LogonProtocol.NTLM, 0), (LogonProtocol.LDAP, 0), (LogonProtocol.KERBEROS, 1)):
        assert authority.try_logon(account, password(1), protocol=protocol) is Answer.WRONG_PASSWORD
        assert authority.describe(account).pinned.bad_count == count
    samba.adlab("grace", "60", "dc1")


def _play(samba: Samba, authority: Authority, account: Account, protocol: LogonProtocol, row: Row) -> None:
    samba.set_policy(row.policy)
    world = World(samba, authority, account, protocol, row.policy, Standing(password_set_at=time.time()))
    for act in row.acts:
        act(world)
