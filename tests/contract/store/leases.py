"""What the contract asks of leases: one worker a plan, each write fenced, the journal durable."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.lifecycle.journal import Mark, Marked
from keyturn.model.accounts import Credential
from keyturn.model.errors import FencedOff
from keyturn.model.estate import AccountLife
from keyturn.model.secret import Secret
from keyturn.operations.ports import Lease, PlanState
from tests.contract.store.setting import Setting
from tests.contract.store.threads import at_once
from tests.contract.store.world import (
    CONN,
    HOLDERS,
    SECOND,
    SECOND_MADE,
    SVC,
    Clock,
    cycle,
    in_place,
    proposal,
    running,
    sealed,
)

Write: TypeAlias = Callable[[Lease], object]

EVERY_WRITE: dict[str, Write] = {
    "write": lambda lease: lease.write("plan-1", 0, Mark.INTENDED),
    "go_on": lambda lease: lease.go_on("plan-1", 0),
    "check": lambda lease: lease.check(),
    "finish": lambda lease: lease.finish(PlanState.DONE),
    "seal": lambda lease: lease.seal(sealed(SECOND), Secret("Turn-2")),
    "promote": lambda lease: lease.promote(Credential(SECOND, 1), SECOND_MADE, 1),
    "settle": lambda lease: lease.settle(SECOND, SECOND_MADE),
    "record": lambda lease: lease.record(Credential(SECOND, 1), "an extra set"),
    "publish": lambda lease: lease.publish(Credential(SECOND, 1), HOLDERS, 1),
    "reclaim": lambda lease: lease.reclaim(Credential(SECOND, 1), offered_before=9e9),
    "become": lambda lease: lease.become(CONN, AccountLife.WITHDRAWN),
}


class LeasesContract(Setting):
    @pytest.fixture
    def approved(self, store: SqlStore) -> SqlStore:
        store.propose(proposal(in_place(SVC)), None)
        store.approve("plan-1", "bob", needed=1)
        return store

    def test_a_plan_held_by_one_worker_is_not_given_to_another(self, approved: SqlStore, clock: Clock) -> None:
        assert approved.lease("plan-1", "worker-1", 60.0)
        clock.pass_s(59)
        assert approved.lease("plan-1", "worker-2", 60.0) is None

    def test_a_lease_that_has_run_out_goes_to_whoever_asks(self, approved: SqlStore, clock: Clock) -> None:
        assert approved.lease("plan-1", "worker-1", 60.0)
        clock.pass_s(60)
        assert approved.lease("plan-1", "worker-2", 60.0)

    def test_a_worker_takes_its_own_plan_back_and_fences_its_earlier_self_off(self, approved: SqlStore) -> None:
        earlier = approved.lease("plan-1", "worker-1", 60.0)
        later = approved.lease("plan-1", "worker-1", 60.0)
        assert earlier
        assert later
        later.check()
        with pytest.raises(FencedOff):
            earlier.check()

    def test_a_plan_given_back_is_free_at_once(self, approved: SqlStore) -> None:
        lease = approved.lease("plan-1", "worker-1", 60.0)
        assert lease
        lease.finish(PlanState.WAITING)
        assert approved.lease("plan-1", "worker-2", 60.0)

    @pytest.mark.parametrize(
        "state", [PlanState.STOPPED, PlanState.DONE, PlanState.ABANDONED], ids=lambda state: state.value
    )
    def test_a_plan_with_nothing_to_carry_out_is_not_leased(self, approved: SqlStore, state: PlanState) -> None:
        lease = approved.lease("plan-1", "worker-1", 60.0)
        assert lease
        lease.finish(state)
        assert approved.lease("plan-1", "worker-1", 60.0) is None

    def test_neither_a_proposal_nor_an_unknown_plan_is_leased(self, store: SqlStore) -> None:
        store.propose(proposal(in_place(SVC)), None)
        assert store.lease("plan-1", "worker-1", 60.0) is None
        assert store.lease("plan-2", "worker-1", 60.0) is None

    def test_of_workers_that_ask_at_the_same_moment_one_gets_the_plan(
        self, approved: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        stores = [approved, open_again()]
        calls = [lambda n=n: stores[n % 2].lease("plan-1", f"worker-{n}", 60.0) for n in range(8)]
        leases = [lease for lease in at_once(*calls) if lease is not None]
        assert len(leases) == 1
        assert not isinstance(leases[0], Exception)
        leases[0].check()

    # Fencing.

    def sealed_by_a_worker(self, store: SqlStore) -> Lease:
        lease = running(store, cycle())
        lease.seal(sealed(SECOND), Secret("Turn-1"))
        lease.settle(SECOND, SECOND_MADE)
        lease.publish(Credential(SECOND, 1), ["pc-1"], 1)
        return lease

    @pytest.mark.parametrize("verb", EVERY_WRITE)
    def test_every_write_works_while_the_lease_holds(self, store: SqlStore, verb: str) -> None:
        EVERY_WRITE[verb](self.sealed_by_a_worker(store))

    @pytest.mark.parametrize("verb", EVERY_WRITE)
    def test_no_write_lands_once_another_worker_holds_the_plan(self, store: SqlStore, clock: Clock, verb: str) -> None:
        lease = self.sealed_by_a_worker(store)
        clock.pass_s(60)
        assert store.lease("plan-1", "worker-2", 60.0)
        self.nothing_lands(store, lease, verb)

    @pytest.mark.parametrize("verb", EVERY_WRITE)
    def test_no_write_lands_after_the_lease_has_run_out(self, store: SqlStore, clock: Clock, verb: str) -> None:
        lease = self.sealed_by_a_worker(store)
        clock.pass_s(60)
        self.nothing_lands(store, lease, verb)

    @pytest.mark.parametrize("verb", EVERY_WRITE)
    def test_no_write_lands_after_the_plan_was_given_back(self, store: SqlStore, verb: str) -> None:
        lease = self.sealed_by_a_worker(store)
        lease.finish(PlanState.WAITING)
        self.nothing_lands(store, lease, verb)

    def nothing_lands(self, store: SqlStore, lease: Lease, verb: str) -> None:
        before = (store.plan("plan-1"), store.estate(), store.offers("pc-1"), store.offers("pc-2"), store.since())
        with pytest.raises(FencedOff, match="plan-1"):
            EVERY_WRITE[verb](lease)
        assert before == (
            store.plan("plan-1"), store.estate(), store.offers("pc-1"), store.offers("pc-2"), store.since()
        )  # fmt: skip

    @pytest.mark.parametrize("verb", [verb for verb in EVERY_WRITE if verb != "finish"])
    def test_every_write_extends_the_lease(self, store: SqlStore, clock: Clock, verb: str) -> None:
        lease = self.sealed_by_a_worker(store)
        clock.pass_s(59)
        EVERY_WRITE[verb](lease)
        clock.pass_s(59)
        assert store.lease("plan-1", "worker-2", 60.0) is None
        lease.check()

    # The journal.

    def test_a_mark_says_when_it_was_written(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, in_place(SVC))
        lease.write("plan-1", 0, Mark.INTENDED)
        done_at = clock.pass_s(5)
        assert lease.write("plan-1", 0, Mark.DONE) == done_at
        intended_at = clock.pass_s(5)
        assert lease.write("plan-1", 1, Mark.INTENDED) == intended_at
        marks = {0: Marked(Mark.DONE, done_at), 1: Marked(Mark.INTENDED, intended_at)}
        assert lease.marks("plan-1") == marks
        assert store.plan("plan-1").marks == marks

    def test_one_step_is_done_and_the_next_begun_at_one_moment(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, in_place(SVC))
        lease.write("plan-1", 0, Mark.INTENDED)
        at = clock.pass_s(5)
        assert lease.go_on("plan-1", 0) == at
        assert lease.marks("plan-1") == {0: Marked(Mark.DONE, at), 1: Marked(Mark.INTENDED, at)}

    def test_a_step_that_was_begun_before_keeps_its_moment(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, in_place(SVC))
        begun = lease.write("plan-1", 1, Mark.INTENDED)
        clock.pass_s(5)
        assert lease.go_on("plan-1", 0) == begun

    def test_a_mark_written_again_keeps_its_moment(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, in_place(SVC))
        intended = lease.write("plan-1", 0, Mark.INTENDED)
        clock.pass_s(5)
        assert lease.write("plan-1", 0, Mark.INTENDED) == intended
        done = lease.write("plan-1", 0, Mark.DONE)
        clock.pass_s(5)
        assert lease.write("plan-1", 0, Mark.DONE) == done

    def test_what_is_done_stays_done(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        done = lease.write("plan-1", 0, Mark.DONE)
        lease.write("plan-1", 0, Mark.INTENDED)
        assert lease.marks("plan-1") == {0: Marked(Mark.DONE, done)}

    def test_a_lease_writes_for_its_own_plan_alone(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        running(store, in_place(CONN), "plan-2")
        with pytest.raises(ValueError, match="plan-2"):
            lease.write("plan-2", 0, Mark.DONE)
        with pytest.raises(ValueError, match="plan-2"):
            lease.go_on("plan-2", 0)
        with pytest.raises(ValueError, match="plan-2"):
            lease.marks("plan-2")

    def test_a_plan_says_where_it_was_left(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        lease.finish(PlanState.WAITING, "waiting for 2", "wait", missing=["pc-1", "pc-2"])
        record = store.plan("plan-1")
        assert (record.state, record.note, record.hint) == (PlanState.WAITING, "waiting for 2", "wait")
        assert record.missing == ("pc-1", "pc-2")

    def test_the_journal_outlives_the_process(self, store: SqlStore, open_again: Callable[[], SqlStore]) -> None:
        lease = running(store, in_place(SVC))
        lease.write("plan-1", 0, Mark.DONE)
        lease.write("plan-1", 1, Mark.INTENDED)
        before = lease.marks("plan-1")
        store.close()
        retaken = open_again().lease("plan-1", "worker-1", 60.0)
        assert retaken
        assert retaken.marks("plan-1") == before
        with pytest.raises(FencedOff):
            lease.check()
