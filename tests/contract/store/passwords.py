"""What the contract asks of passwords: sealed before use, promoted when proven, opened in their place, never lost."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.model.accounts import Account, AccountToBe, Credential
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import AccountLife
from keyturn.model.secret import Secret
from keyturn.operations.ports import Lease, PlanState
from tests.contract.store.setting import Setting
from tests.contract.store.world import (
    CONN,
    CONN_NAMED,
    CORP,
    SECOND,
    SECOND_MADE,
    SVC,
    SVC_NAMED,
    THE_ESTATE,
    Clock,
    cycle,
    in_place,
    make_live,
    proposal,
    running,
    sealed,
)


class VaultContract(Setting):
    @pytest.fixture
    def lease(self, store: SqlStore) -> Lease:
        return running(store, in_place(SVC))

    def test_a_sealed_candidate_opens_and_tells_its_replica_and_mark(self, lease: Lease) -> None:
        lease.seal(sealed(SVC, 1, version=7), Secret("Turn-1"))
        assert lease.sealed(Credential(SVC, 1)) == sealed(SVC, 1, version=7)
        assert lease.open(Credential(SVC, 1)) == Secret("Turn-1")

    def test_a_password_of_any_characters_is_kept(self, lease: Lease) -> None:
        odd = "\x00'; -- \\ \U0001f511 \ud800 ü" + "x" * 5000
        lease.seal(sealed(SVC), Secret(odd))
        assert lease.open(Credential(SVC, 1)).reveal() == odd

    def test_the_envelope_is_there_with_the_candidate(self, store: SqlStore, lease: Lease) -> None:
        lease.seal(sealed(SVC), Secret("Turn-1"))
        assert store.envelope(SVC, 1) == (1, b"CORP\\SMSService 1 6")

    def test_without_an_envelope_nothing_is_sealed(self, store: SqlStore, lease: Lease) -> None:
        def no_paper(*_: object) -> bytes:
            raise OSError("no paper")

        database = replace(store._database, envelope=no_paper)
        broken = SqlStore(database).lease("plan-1", "worker-1", 60.0)
        assert broken
        with pytest.raises(OSError, match="no paper"):
            broken.seal(sealed(SVC), Secret("Turn-1"))
        assert broken.sealed(Credential(SVC, 1)) is None

    def test_sealing_again_keeps_the_first_candidate(self, store: SqlStore, lease: Lease) -> None:
        lease.seal(sealed(SVC, 1, version=7), Secret("Turn-1"))
        lease.seal(sealed(SVC, 1, version=8), Secret("Turn-one-more"))
        assert lease.open(Credential(SVC, 1)) == Secret("Turn-1")
        assert lease.sealed(Credential(SVC, 1)) == sealed(SVC, 1, version=7)
        assert store.envelope(SVC, 1) == (1, b"CORP\\SMSService 1 6")

    def test_a_second_candidate_is_refused_while_the_first_is_undecided(self, lease: Lease) -> None:
        lease.seal(sealed(SVC, 1), Secret("Turn-1"))
        with pytest.raises(Refused, match="generation 1 is live is not known"):
            lease.seal(sealed(SVC, 2), Secret("Turn-2"))
        lease.promote(Credential(SVC, 1), SVC, 1)
        lease.seal(sealed(SVC, 2), Secret("Turn-2"))

    def test_a_generation_of_another_plan_is_not_sealed_again(self, store: SqlStore, lease: Lease) -> None:
        make_live(lease, SVC)
        lease.finish(PlanState.DONE)
        with pytest.raises(Refused, match="not by this plan"):
            running(store, in_place(SVC), "plan-2").seal(sealed(SVC, 1), Secret("Turn-2"))
        assert store.secret(Credential(SVC, 1)) == Secret("Turn-1")

    def test_what_was_never_sealed_is_not_found(self, store: SqlStore, lease: Lease) -> None:
        assert lease.sealed(Credential(SVC, 1)) is None
        for opening in (lease.open, store.secret):
            with pytest.raises(NotFound, match="generation 1 was never sealed"):
                opening(Credential(SVC, 1))
        with pytest.raises(NotFound):
            lease.promote(Credential(SVC, 1), SVC, 1)
        with pytest.raises(NotFound):
            lease.seal(sealed(AccountToBe(CORP, "stranger")), Secret("Turn-1"))

    # Promotion.

    def test_a_promoted_candidate_is_the_live_generation(self, store: SqlStore, lease: Lease) -> None:
        make_live(lease, SVC)
        assert store.account(SVC).generation == 1
        assert store.account(SVC).life is AccountLife.ACTIVE
        assert lease.sealed(Credential(SVC, 1)) == replace(sealed(SVC), promoted=True, version=1)

    def test_a_sealed_candidate_is_not_live(self, store: SqlStore, lease: Lease) -> None:
        lease.seal(sealed(SVC), Secret("Turn-1"))
        assert store.account(SVC).generation is None

    def test_the_generation_before_the_live_one_is_kept(self, store: SqlStore, lease: Lease) -> None:
        for generation in (1, 2, 3):
            make_live(lease, SVC, generation, f"Turn-{generation}")
        assert store.account(SVC).generation == 3
        for generation in (1, 2, 3):
            assert store.secret(Credential(SVC, generation)) == Secret(f"Turn-{generation}")
            assert store.envelope(SVC, generation)[0] == generation

    def test_promoting_again_changes_nothing(self, store: SqlStore, lease: Lease) -> None:
        make_live(lease, SVC)
        before = store.estate()
        lease.promote(Credential(SVC, 1), SVC, 1)
        assert store.estate() == before

    def test_an_account_disabled_before_is_active_with_its_new_password(self, store: SqlStore, lease: Lease) -> None:
        lease.become(SVC, AccountLife.DISABLED)
        make_live(lease, SVC)
        assert store.account(SVC).life is AccountLife.ACTIVE

    def test_a_password_proven_for_another_identity_is_not_promoted(self, store: SqlStore, lease: Lease) -> None:
        lease.seal(sealed(SVC), Secret("Turn-1"))
        with pytest.raises(Refused, match="another identity"):
            lease.promote(Credential(SVC, 1), CONN, 1)
        assert store.account(SVC).generation is None

    # Accounts that a plan makes.

    def test_a_plan_goes_on_by_the_name_after_the_account_was_made(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, cycle())
        first = Credential(SECOND, 1)
        lease.seal(sealed(SECOND), Secret("Turn-1"))
        assert lease.identity(SECOND) is None
        clock.pass_s(5)
        lease.settle(SECOND, SECOND_MADE)
        lease.promote(first, SECOND_MADE, 1)
        assert lease.identity(SECOND) == SECOND_MADE
        assert lease.open(first) == lease.open(Credential(SECOND_MADE, 1)) == Secret("Turn-1")
        lease.publish(first, ["pc-1"], 1)
        assert lease.holders(SECOND) == lease.holders(SECOND_MADE) == {"pc-1"}
        made = store.account(SECOND)
        assert (made.account, made.generation, made.created_at) == (SECOND_MADE, 1, clock())

    def test_it_succeeds_whom_its_plan_says(self, store: SqlStore) -> None:
        lease = running(store, cycle())
        lease.seal(sealed(SECOND), Secret("Turn-1"))
        assert store.account(CONN).successor is None
        lease.settle(SECOND, SECOND_MADE)
        assert store.account(CONN).successor == SECOND_MADE
        assert store.predecessors(SECOND_MADE) == (CONN,)
        assert store.predecessors(CONN) == ()
        assert store.account(SECOND).successor is None

    def test_settling_again_changes_nothing(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, cycle())
        lease.seal(sealed(SECOND), Secret("Turn-1"))
        lease.settle(SECOND, SECOND_MADE)
        before = store.estate()
        clock.pass_s(5)
        lease.settle(SECOND, SECOND_MADE)
        assert store.estate() == before

    def test_a_settled_account_is_not_given_another_identity(self, store: SqlStore) -> None:
        lease = running(store, cycle())
        with pytest.raises(Refused, match="another identity"):
            lease.settle(SECOND, SVC)
        lease.settle(SECOND, SECOND_MADE)
        for other in (replace(SECOND_MADE, sid="S-1-5-21-7-9999"), SVC):
            with pytest.raises(Refused, match="another identity"):
                lease.settle(SECOND, other)
        assert lease.identity(SECOND) == SECOND_MADE

    def test_an_account_is_its_own_identity(self, lease: Lease) -> None:
        stranger = Account(CORP, "S-1-5-21-7-9999", "stranger")
        assert lease.identity(stranger) is stranger
        assert lease.identity(SVC_NAMED) == SVC
        assert lease.identity(AccountToBe(CORP, "stranger")) is None

    # Handed in, and remarks.

    def test_a_password_handed_in_is_there_for_its_plan_and_generation_alone(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC), given=Secret("Given-1"))
        other = running(store, in_place(CONN), "plan-2")
        assert lease.given(Credential(SVC, 1)) == Secret("Given-1")
        assert lease.given(Credential(SVC_NAMED, 1)) == Secret("Given-1")
        assert lease.given(Credential(SVC, 2)) is None
        assert other.given(Credential(SVC, 1)) is None
        assert other.given(Credential(CONN, 1)) is None

    @pytest.mark.parametrize("end", [PlanState.REJECTED, PlanState.ABANDONED])
    def test_a_password_handed_in_is_not_kept_beyond_a_plan_that_did_not_use_it(
        self, store: SqlStore, end: PlanState
    ) -> None:
        store.propose(proposal(in_place(SVC)), (Credential(SVC, 1), Secret("Given-1")))
        store.decide("plan-1", end, "bob")
        lease = running(store, in_place(SVC), "plan-2")
        assert lease.given(Credential(SVC, 1)) is None
        assert not self.still_kept(store)

    def still_kept(self, store: SqlStore) -> list[object]:
        from sqlalchemy import select

        from keyturn.adapters.store.schema import given

        with store._database.reading() as connection:
            return list(connection.execute(select(given)))

    def test_a_remark_is_told_once(self, store: SqlStore, lease: Lease) -> None:
        for remark in ("an extra set", "an extra set", "refused"):
            lease.record(Credential(SVC, 1), remark)
        told = [(event.actor, event.subject, event.detail) for event in store.since()]
        assert told == [
            ("plan plan-1", "CORP\\SMSService generation 1", "an extra set"),
            ("plan plan-1", "CORP\\SMSService generation 1", "refused"),
        ]

    def test_generations_outlive_the_process(
        self, store: SqlStore, lease: Lease, open_again: Callable[[], SqlStore]
    ) -> None:
        make_live(lease, SVC)
        lease.seal(sealed(SVC, 2), Secret("Turn-2"))
        store.close()
        again = open_again()
        assert again.account(SVC).generation == 1
        assert again.secret(Credential(SVC, 2)) == Secret("Turn-2")
        retaken = again.lease("plan-1", "worker-1", 60.0)
        assert retaken
        assert retaken.sealed(Credential(SVC, 2)) == sealed(SVC, 2)


class AdoptionContract(Setting):
    def test_an_adopted_password_is_live_with_its_envelope(self, empty: SqlStore) -> None:
        empty.replace("", THE_ESTATE, by="ann")
        empty.adopt(sealed(SVC_NAMED), SVC, Secret("Live-1"))
        adopted = empty.account(SVC)
        assert (adopted.account, adopted.generation, adopted.life) == (SVC, 1, AccountLife.ACTIVE)
        assert empty.secret(Credential(SVC, 1)) == Secret("Live-1")
        assert empty.envelope(SVC) == (1, b"CORP\\SMSService 1 6")

    def test_adopting_the_live_password_again_changes_nothing(self, store: SqlStore) -> None:
        store.adopt(sealed(SVC), SVC, Secret("Live-1"))
        before = store.estate()
        store.adopt(sealed(SVC, 2), SVC, Secret("Live-1"))
        assert store.estate() == before

    def test_a_number_that_is_taken_is_passed_over(self, store: SqlStore) -> None:
        store.adopt(sealed(SVC, 1), SVC, Secret("Live-1"))
        store.adopt(sealed(SVC, 1), SVC, Secret("Live-2"))
        assert store.account(SVC).generation == 2
        assert store.secret(Credential(SVC, 1)) == Secret("Live-1")
        assert store.secret(Credential(SVC, 2)) == Secret("Live-2")
        assert store.envelope(SVC)[1] == b"CORP\\SMSService 2 6"

    def test_an_account_under_a_plan_is_not_adopted(self, store: SqlStore) -> None:
        store.propose(proposal(in_place(SVC)), None)
        with pytest.raises(Refused, match="open plan"):
            store.adopt(sealed(SVC), SVC, Secret("Live-1"))
        store.approve("plan-1", "bob", needed=1)
        lease = store.lease("plan-1", "worker-1", 60.0)
        assert lease
        lease.seal(sealed(SVC), Secret("Turn-1"))
        with pytest.raises(Refused, match="open plan"):
            store.adopt(sealed(SVC), SVC, Secret("Live-1"))

    @pytest.mark.parametrize("end", [PlanState.STOPPED, PlanState.ABANDONED])
    def test_adopting_settles_a_candidate_that_is_not_live(self, store: SqlStore, end: PlanState) -> None:
        lease = running(store, in_place(SVC))
        lease.seal(sealed(SVC, 1), Secret("Turn-1"))
        lease.finish(end)
        store.adopt(sealed(SVC, 1), SVC, Secret("Live-2"))
        assert store.account(SVC).generation == 2
        assert store.secret(Credential(SVC, 1)) == Secret("Turn-1")
        if end is PlanState.STOPPED:
            store.decide("plan-1", PlanState.ABANDONED, "bob")
        store.propose(proposal(in_place(SVC, 3), "plan-2"), None)
        with pytest.raises(Refused, match="ended"):
            store.decide("plan-1", PlanState.RUNNING, "bob")

    def test_adopting_promotes_a_candidate_that_proves_to_be_live(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        lease.seal(sealed(SVC, 1), Secret("Turn-1"))
        lease.finish(PlanState.STOPPED)
        store.adopt(sealed(SVC, 1), SVC, Secret("Turn-1"))
        assert store.account(SVC).generation == 1
        with pytest.raises(NotFound):
            store.secret(Credential(SVC, 2))

    def test_a_stranger_is_not_adopted(self, store: SqlStore) -> None:
        stranger = Account(CORP, "S-1-5-21-7-9999", "stranger")
        with pytest.raises(NotFound):
            store.adopt(sealed(stranger), stranger, Secret("Live-1"))

    def test_the_envelope_is_that_of_the_live_generation_unless_said(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        make_live(lease, SVC, 1)
        make_live(lease, SVC, 2, "Turn-2")
        lease.seal(sealed(SVC, 3), Secret("Turn-3"))
        assert store.envelope(SVC)[0] == 2
        assert store.envelope(SVC, 1)[0] == 1
        assert store.envelope(SVC, 3)[0] == 3

    def test_where_there_is_no_envelope_none_is_found(self, store: SqlStore) -> None:
        for account, generation in ((SVC, None), (SVC, 1), (AccountToBe(CORP, "stranger"), None)):
            with pytest.raises(NotFound):
                store.envelope(account, generation)
        bare = SqlStore(replace(store._database, envelope=lambda *_: b""))
        bare.adopt(sealed(CONN_NAMED), CONN, Secret("Live-1"))
        with pytest.raises(NotFound, match="no envelope"):
            bare.envelope(CONN)
