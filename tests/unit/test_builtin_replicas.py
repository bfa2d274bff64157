"""Several replicas of the built-in realm: what each knows for itself, what arrives late, and what does not arrive."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.lifecycle.ports import Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, NotFound
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from tests.builtin import REALM, Clock, password, realm_in

LAG = 8
WRONG = Secret("Never-was-a-key-0")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def realm(tmp_path: Path, clock: Clock) -> Iterator[BuiltinRealm]:
    realm = realm_in(tmp_path, clock, ("dc1", "dc2"), LAG)
    yield realm
    realm.close()


@pytest.fixture
def ada(realm: BuiltinRealm, clock: Clock) -> Account:
    account = realm.create(AccountToBe(REALM, "ada"), password(1))
    clock.turn(LAG)
    return account


def logon(realm: BuiltinRealm, secret: Secret, replica: str) -> Answer:
    return realm.logon("ada", secret, protocol=LogonProtocol.NTLM, replica=replica, source="CLIENT-0001").answer


def wrong(realm: BuiltinRealm, replica: str, times: int) -> None:
    for _ in range(times):
        logon(realm, WRONG, replica)


def counts(realm: BuiltinRealm, account: Account) -> list[int]:
    return [replica.bad_count for replica in realm.describe(account).replicas]


def locks(realm: BuiltinRealm, account: Account) -> list[bool]:
    return [replica.locked for replica in realm.describe(account).replicas]


def versions(realm: BuiltinRealm, account: Account) -> list[int]:
    return [replica.version for replica in realm.describe(account).replicas]


# What each replica knows for itself


def test_four_wrong_on_each_replica_do_not_lock(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    wrong(realm, "dc1", 4)
    wrong(realm, "dc2", 4)
    clock.turn(LAG)
    assert counts(realm, ada) == [4, 4]
    assert not realm.describe(ada).locked


def test_a_success_clears_only_the_count_of_its_replica(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    wrong(realm, "dc1", 2)
    wrong(realm, "dc2", 3)
    assert logon(realm, password(1), "dc1") is Answer.ACCEPTED
    clock.turn(LAG)
    assert counts(realm, ada) == [0, 3]
    assert [replica.last_logon_at for replica in realm.describe(ada).replicas] == [clock.now - LAG, None]


# What arrives late


def test_a_new_password_is_known_to_the_other_replica_after_the_lag(
    realm: BuiltinRealm, ada: Account, clock: Clock
) -> None:
    realm.set_password(ada, password(2))
    clock.turn(LAG - 1)
    assert versions(realm, ada) == [2, 1]
    assert logon(realm, password(1), "dc2") is Answer.ACCEPTED
    clock.turn(1)
    assert versions(realm, ada) == [2, 2]
    assert logon(realm, password(2), "dc2") is Answer.ACCEPTED


def test_a_replica_without_the_new_password_refuses_it_and_counts(
    realm: BuiltinRealm, ada: Account, clock: Clock
) -> None:
    realm.set_password(ada, password(2))
    answers = [logon(realm, password(2), "dc2") for _ in range(6)]
    assert answers == [Answer.WRONG_PASSWORD] * 5 + [Answer.LOCKED]
    assert locks(realm, ada) == [False, True]
    clock.turn(1)
    assert locks(realm, ada) == [True, True]
    assert counts(realm, ada) == [0, 5]
    assert logon(realm, password(2), "dc1") is Answer.LOCKED


def test_a_lock_is_in_a_hurry(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    wrong(realm, "dc1", 5)
    clock.turn(0.9)
    assert locks(realm, ada) == [True, False]
    clock.turn(0.1)
    assert locks(realm, ada) == [True, True]


def test_a_lock_is_never_later_than_the_rest(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    realm.administration.set_replication(0.5, lock_s=3)
    wrong(realm, "dc1", 5)
    clock.turn(0.5)
    assert locks(realm, ada) == [True, True]


def test_a_success_after_the_duration_ends_the_lock_everywhere(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    wrong(realm, "dc1", 5)
    clock.turn(RealmPolicy().lockout_duration_s)
    assert logon(realm, password(1), "dc1") is Answer.ACCEPTED
    realm.administration.set_policy(RealmPolicy(lockout_duration_s=0))  # so that a lock once kept would show again
    clock.turn(1)
    assert locks(realm, ada) == [False, False]


def test_a_new_account_is_unknown_where_it_has_not_arrived(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    grace = realm.create(AccountToBe(REALM, "grace"), password(1))
    assert versions(realm, grace) == [1, 0]
    for _ in range(2):
        assert realm.try_logon(grace, password(1), protocol=LogonProtocol.NTLM, replica="dc2") is Answer.UNKNOWN_ACCOUNT
    clock.turn(LAG)
    assert versions(realm, grace) == [1, 1]
    assert counts(realm, grace) == [0, 0]


def test_a_lock_may_arrive_before_its_account(realm: BuiltinRealm, clock: Clock) -> None:
    ada = realm.create(AccountToBe(REALM, "ada"), password(1))
    wrong(realm, "dc1", 5)
    clock.turn(1)
    assert locks(realm, ada)[0]
    assert logon(realm, password(1), "dc2") is Answer.UNKNOWN_ACCOUNT
    clock.turn(LAG)
    assert logon(realm, password(1), "dc2") is Answer.LOCKED


def test_the_other_replica_answers_for_a_deleted_account_until_it_hears_of_it(
    realm: BuiltinRealm, ada: Account, clock: Clock
) -> None:
    realm.delete(ada)
    with pytest.raises(NotFound):
        realm.describe(ada)
    assert logon(realm, password(1), "dc1") is Answer.UNKNOWN_ACCOUNT
    assert logon(realm, password(1), "dc2") is Answer.ACCEPTED
    clock.turn(LAG)
    assert logon(realm, password(1), "dc2") is Answer.UNKNOWN_ACCOUNT


def test_everything_that_replicates_arrives(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    realm.grant(ada, Rights(groups=frozenset({"SMS Admins"})))
    realm.disable(ada)
    renamed = realm.administration.rename(ada, "lovelace")
    assert logon(realm, password(1), "dc2") is Answer.ACCEPTED
    clock.turn(LAG)
    assert logon(realm, password(1), "dc2") is Answer.UNKNOWN_ACCOUNT
    answer = realm.try_logon(renamed, password(1), protocol=LogonProtocol.NTLM, replica="dc2")
    assert answer is Answer.DISABLED


def test_a_shorter_lag_also_hurries_what_is_on_its_way(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    realm.set_password(ada, password(2))
    clock.turn(2)
    realm.administration.set_replication(2)
    realm.administration.replicate()
    assert versions(realm, ada) == [2, 2]


# Conflicts


def test_of_two_conflicting_sets_the_last_writer_wins(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    realm.set_password(ada, password(2), replica="dc1")
    realm.set_password(ada, password(3), replica="dc2")
    assert logon(realm, password(2), "dc1") is Answer.ACCEPTED
    clock.turn(LAG)
    assert versions(realm, ada) == [2, 2]
    for replica in ("dc1", "dc2"):
        assert logon(realm, password(3), replica) is Answer.ACCEPTED
        assert logon(realm, password(2), replica) is Answer.WRONG_PASSWORD
    assert counts(realm, ada) == [1, 1]


def test_only_the_password_of_the_pinned_replica_proves_anything(
    realm: BuiltinRealm, ada: Account, clock: Clock
) -> None:
    realm.set_password(ada, password(2), replica="dc1")
    realm.set_password(ada, password(3), replica="dc2")
    logon(realm, password(3), "dc2")
    logon(realm, password(2), "dc1")
    clock.turn(LAG)
    logon(realm, password(3), "dc2")
    assert [(event.version, event.current) for event in realm.logons(0)] == [(2, False), (2, True), (2, True)]


def test_the_old_password_on_a_late_replica_is_let_in_and_proves_nothing(realm: BuiltinRealm, ada: Account) -> None:
    realm.set_password(ada, password(2))
    assert logon(realm, password(1), "dc2") is Answer.ACCEPTED
    assert not realm.logons(0)[-1].current


def test_writes_of_different_things_do_not_conflict(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    realm.set_password(ada, password(2), replica="dc2")
    realm.disable(ada)
    clock.turn(LAG)
    assert versions(realm, ada) == [2, 2]
    assert not realm.describe(ada).enabled
    assert logon(realm, password(2), "dc1") is Answer.DISABLED


# Unlocking


def test_unlocking_one_replica_unlocks_the_other_which_keeps_its_count(
    realm: BuiltinRealm, ada: Account, clock: Clock
) -> None:
    wrong(realm, "dc2", 5)
    clock.turn(1)
    realm.unlock(ada, replica="dc1")
    clock.turn(1)
    assert locks(realm, ada) == [False, False]
    assert counts(realm, ada) == [0, 5]
    wrong(realm, "dc2", 1)
    clock.turn(1)
    assert locks(realm, ada) == [True, True]


def test_unlocking_everywhere_clears_every_count(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    wrong(realm, "dc2", 5)
    clock.turn(1)
    wrong(realm, "dc1", 1)
    realm.unlock(ada)
    assert locks(realm, ada) == [False, False]
    assert counts(realm, ada) == [0, 0]
    wrong(realm, "dc2", 4)
    clock.turn(LAG)
    assert locks(realm, ada) == [False, False]


def test_a_lock_on_its_way_does_not_undo_a_later_unlocking(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    wrong(realm, "dc2", 5)
    clock.turn(0.5)
    realm.unlock(ada)
    clock.turn(0.5)
    assert locks(realm, ada) == [False, False]


# Cut links


def test_nothing_passes_a_cut_link_and_everything_when_it_is_healed(
    realm: BuiltinRealm, ada: Account, clock: Clock
) -> None:
    realm.administration.cut("dc2")
    realm.set_password(ada, password(2))
    wrong(realm, "dc2", 5)
    clock.turn(1000)
    assert versions(realm, ada) == [2, 1]
    assert locks(realm, ada) == [False, True]
    realm.administration.heal("dc2")
    assert versions(realm, ada) == [2, 2]
    assert locks(realm, ada) == [True, True]


def test_unlocking_does_not_reach_over_a_cut_link(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    wrong(realm, "dc2", 5)
    clock.turn(1)
    realm.administration.cut("dc2")
    realm.unlock(ada)
    assert locks(realm, ada) == [False, True]
    realm.administration.heal("dc2")
    clock.turn(1)
    assert locks(realm, ada) == [False, False]
    assert counts(realm, ada) == [0, 5]


def test_a_cut_pinned_replica_unlocks_itself_alone(realm: BuiltinRealm, ada: Account, clock: Clock) -> None:
    wrong(realm, "dc1", 5)
    clock.turn(1)
    realm.administration.cut("dc1")
    realm.unlock(ada)
    assert locks(realm, ada) == [False, True]


def test_a_cut_link_leaves_the_others_alone(tmp_path: Path, clock: Clock) -> None:
    realm = realm_in(tmp_path, clock, ("dc1", "dc2", "dc3"), LAG)
    ada = realm.create(AccountToBe(REALM, "ada"), password(1))
    realm.administration.cut("dc2")
    clock.turn(LAG)
    assert versions(realm, ada) == [1, 0, 1]
    realm.close()


# What lasts


def test_what_is_on_its_way_and_what_is_cut_survive_the_process(tmp_path: Path, clock: Clock) -> None:
    first = realm_in(tmp_path, clock, ("dc1", "dc2"), LAG)
    ada = first.create(AccountToBe(REALM, "ada"), password(1))
    first.administration.cut("dc2")
    first.administration.set_replication(20)
    first.close()
    second = realm_in(tmp_path, clock, ("dc1", "dc2"), LAG)
    clock.turn(LAG)
    assert versions(second, ada) == [1, 0]
    second.administration.heal("dc2")
    assert versions(second, ada) == [1, 0]
    clock.turn(20 - LAG)
    assert versions(second, ada) == [1, 1]
    second.close()


def test_a_new_replica_starts_as_a_copy_of_the_pinned_one(tmp_path: Path, clock: Clock) -> None:
    small = realm_in(tmp_path, clock, ("dc1", "dc2"), LAG)
    ada = small.create(AccountToBe(REALM, "ada"), password(1))
    clock.turn(LAG)
    small.set_password(ada, password(2), replica="dc2")
    small.close()
    grown = realm_in(tmp_path, clock, ("dc1", "dc2", "dc3"))
    assert versions(grown, ada) == [1, 2, 1]
    clock.turn(LAG)
    assert versions(grown, ada) == [2, 2, 2]
    grown.close()


@pytest.mark.parametrize("replicas", [("dc1",), ("dc2", "dc1"), ("dc1", "dc3")])
def test_a_replica_is_not_lost_by_a_slip_in_the_estate(
    realm: BuiltinRealm, tmp_path: Path, clock: Clock, replicas: tuple[str, ...]
) -> None:
    with pytest.raises(AuthorityError, match="has the replicas dc1, dc2") as raised:
        realm_in(tmp_path, clock, replicas)
    assert raised.value.permanent
