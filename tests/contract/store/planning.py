"""What the contract asks of plans: proposed, approved, decided; and never two open ones over one account."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.lifecycle.journal import Mark, Marked
from keyturn.lifecycle.plan import Delete, Plan, PlanKind, Publish
from keyturn.model.accounts import Account, AccountToBe, Credential
from keyturn.model.errors import FencedOff, NotFound, Refused
from keyturn.model.estate import Proof
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.ports import PlanState
from tests.contract.store.setting import Setting
from tests.contract.store.threads import at_once
from tests.contract.store.world import (
    CONN,
    CORP,
    HOLDERS,
    SECOND,
    SVC,
    Clock,
    cycle,
    in_place,
    make_live,
    plan_of,
    proposal,
    running,
    sealed,
)

ENDED = (PlanState.DONE, PlanState.REJECTED, PlanState.ABANDONED)


def brought_to(store: SqlStore, state: PlanState) -> None:
    """A plan of SVC that nobody has begun, in the state wanted."""
    store.propose(proposal(in_place(SVC)), None)
    if state is PlanState.REJECTED:
        store.decide("plan-1", PlanState.REJECTED, "bob")
    elif state is not PlanState.PROPOSED:
        store.approve("plan-1", "bob", needed=1)
    if state is PlanState.ABANDONED:
        store.decide("plan-1", PlanState.ABANDONED, "bob")
    elif state in (PlanState.WAITING, PlanState.STOPPED, PlanState.DONE):
        lease = store.lease("plan-1", "worker-1", 60.0)
        assert lease
        lease.finish(state)


class PlanningContract(Setting):
    def test_a_plan_is_read_back_as_it_was_proposed(self, store: SqlStore) -> None:
        record = replace(proposal(cycle()), note="n", hint="h", missing=("pc-1", "pc-2"))
        store.propose(record, None)
        assert store.plan("plan-1") == record

    def test_a_plan_is_found_by_the_beginning_of_its_id_where_that_is_unique(self, store: SqlStore) -> None:
        store.propose(proposal(in_place(SVC), "7f3a-1"), None)
        store.propose(proposal(in_place(CONN), "7f3b-1"), None)
        assert store.plan("7f3a").plan_id == "7f3a-1"
        assert store.plan("7f3b-1").plan_id == "7f3b-1"
        for beginning in ("7f3", "", "8", "7F3A", "%", "7f3_-1", "7f3a-1x"):
            with pytest.raises(NotFound):
                store.plan(beginning)

    def test_a_whole_id_is_found_though_another_begins_with_it(self, store: SqlStore) -> None:
        store.propose(proposal(in_place(SVC), "7f3a"), None)
        store.propose(proposal(in_place(CONN), "7f3a-1"), None)
        assert store.plan("7f3a").plan_id == "7f3a"

    def test_people_may_write_the_beginning_of_an_id_to_decide(self, store: SqlStore) -> None:
        store.propose(proposal(in_place(SVC), "7f3a-1"), None)
        assert store.approve("7f", "bob", needed=1).plan_id == "7f3a-1"
        assert store.release("7f", ["pc-1"], "bob").released == ("pc-1",)
        assert store.decide("7f", PlanState.ABANDONED, "bob").state is PlanState.ABANDONED

    def test_plans_are_listed_oldest_first_and_the_open_ones_alone_if_asked(self, store: SqlStore) -> None:
        store.propose(proposal(in_place(SVC), "b", at=2.0), None)
        store.propose(proposal(in_place(CONN), "a", at=1.0), None)
        assert [r.plan_id for r in store.plans()] == ["a", "b"]
        store.decide("a", PlanState.REJECTED, "bob")
        assert [r.plan_id for r in store.plans(only_open=True)] == ["b"]
        assert [r.state for r in store.plans()] == [PlanState.REJECTED, PlanState.PROPOSED]

    def test_an_id_is_given_once(self, store: SqlStore) -> None:
        store.propose(proposal(in_place(SVC)), None)
        with pytest.raises(Refused, match="plan-1"):
            store.propose(proposal(in_place(CONN)), None)

    def test_only_a_proposal_is_proposed(self, store: SqlStore) -> None:
        with pytest.raises(ValueError, match="running"):
            store.propose(replace(proposal(in_place(SVC)), state=PlanState.RUNNING), None)

    def test_a_plan_for_an_account_outside_the_estate_is_refused(self, store: SqlStore) -> None:
        for stranger in (AccountToBe(CORP, "stranger"), Account(CORP, "S-1-5-21-7-9999", "stranger")):
            with pytest.raises(NotFound):
                store.propose(proposal(in_place(stranger)), None)
        assert store.plans() == ()

    # One open plan an account.

    @pytest.mark.parametrize("state", [PlanState.PROPOSED, PlanState.RUNNING, PlanState.WAITING, PlanState.STOPPED])
    def test_an_account_with_an_open_plan_is_refused_another(self, store: SqlStore, state: PlanState) -> None:
        brought_to(store, state)
        with pytest.raises(Refused, match="open plan") as refusal:
            store.propose(proposal(in_place(SVC), "plan-2"), None)
        assert "plan-1" in refusal.value.hint

    @pytest.mark.parametrize("state", ENDED)
    def test_an_account_whose_plan_has_ended_may_have_another(self, store: SqlStore, state: PlanState) -> None:
        brought_to(store, state)
        store.propose(proposal(in_place(SVC), "plan-2"), None)
        assert store.plan("plan-2").state is PlanState.PROPOSED

    @pytest.mark.parametrize(
        ("open_plan", "another"),
        [
            pytest.param(cycle(), plan_of(PlanKind.DELETE, SVC, Delete(SECOND)), id="one it will make"),
            pytest.param(plan_of(PlanKind.DELETE, SVC, Delete(CONN)), in_place(CONN), id="one it deletes"),
            pytest.param(
                plan_of(PlanKind.SITE_REGENERATION, SVC, Publish(Credential(CONN, 1), HOLDERS, 1)),
                in_place(CONN),
                id="one it hands out",
            ),
            pytest.param(in_place(SVC), in_place(replace(SVC, name="renamed since")), id="another spelling"),
            pytest.param(in_place(SVC), in_place(AccountToBe(CORP, "smsSERVICE ")), id="by name"),
        ],
    )
    def test_every_account_that_a_plan_touches_is_its_own(
        self, store: SqlStore, open_plan: Plan, another: Plan
    ) -> None:
        store.propose(proposal(open_plan), None)
        with pytest.raises(Refused, match="open plan"):
            store.propose(proposal(another, "plan-2"), None)
        assert [r.plan_id for r in store.plans()] == ["plan-1"]
        store.decide("plan-1", PlanState.REJECTED, "bob")
        store.propose(proposal(another, "plan-2"), None)

    def test_of_plans_proposed_at_the_same_moment_one_is_kept(self, store: SqlStore) -> None:
        calls = [lambda n=n: store.propose(proposal(in_place(SVC), f"plan-{n}"), None) for n in range(8)]
        answers = at_once(*calls)
        assert answers.count(None) == 1
        assert sum(isinstance(answer, Refused) for answer in answers) == 7
        assert len(store.plans()) == 1

    def test_a_rejected_plan_leaves_no_trace_of_the_account_it_would_have_made(self, store: SqlStore) -> None:
        store.propose(proposal(cycle()), None)
        store.decide("plan-1", PlanState.REJECTED, "bob")
        with pytest.raises(NotFound, match="no account"):
            store.account(SECOND)

    def test_nor_does_one_abandoned_before_it_sealed_anything(self, store: SqlStore) -> None:
        before = store.estate()
        running(store, cycle())
        assert store.estate() != before
        store.decide("plan-1", PlanState.ABANDONED, "bob")
        assert store.estate() == before

    def test_an_account_that_only_a_proposal_names_has_no_role_yet(self, store: SqlStore) -> None:
        store.propose(proposal(cycle()), None)
        with pytest.raises(NotFound, match="no role yet"):
            store.account(SECOND)

    # Approval.

    def test_a_plan_runs_with_the_approvals_it_needs(self, store: SqlStore) -> None:
        store.propose(proposal(in_place(SVC)), None)
        assert store.approve("plan-1", "bob", needed=2).state is PlanState.PROPOSED
        approved = store.approve("plan-1", "cleo", needed=2)
        assert (approved.state, approved.approved_by) == (PlanState.RUNNING, ("bob", "cleo"))

    @pytest.mark.parametrize("same", ["bob", "BOB", " bob", "\uff42ob"])
    def test_one_person_counts_once_under_any_spelling(self, store: SqlStore, same: str) -> None:
        store.propose(proposal(in_place(SVC)), None)
        store.approve("plan-1", "bob", needed=2)
        again = store.approve("plan-1", same, needed=2)
        assert (again.state, again.approved_by) == (PlanState.PROPOSED, ("bob",))

    def test_approving_a_plan_under_way_changes_nothing(self, store: SqlStore) -> None:
        brought_to(store, PlanState.WAITING)
        assert store.approve("plan-1", "bob", needed=1).state is PlanState.WAITING

    @pytest.mark.parametrize("state", ENDED)
    def test_a_plan_that_has_ended_is_not_approved_nor_decided_nor_released(
        self, store: SqlStore, state: PlanState
    ) -> None:
        brought_to(store, state)
        with pytest.raises(Refused, match="ended"):
            store.approve("plan-1", "cleo", needed=1)
        with pytest.raises(Refused, match="ended"):
            store.release("plan-1", ["pc-1"], "cleo")
        for wanted in (PlanState.RUNNING, PlanState.REJECTED, PlanState.ABANDONED):
            with pytest.raises(Refused, match="ended"):
                store.decide("plan-1", wanted, "cleo")
        assert store.plan("plan-1").state is state

    # Decisions.

    @pytest.mark.parametrize(
        ("state", "wanted"),
        [
            (PlanState.PROPOSED, PlanState.RUNNING),
            (PlanState.RUNNING, PlanState.REJECTED),
            (PlanState.STOPPED, PlanState.REJECTED),
        ],
    )
    def test_nobody_gets_round_the_approval_or_rejects_what_is_under_way(
        self, store: SqlStore, state: PlanState, wanted: PlanState
    ) -> None:
        brought_to(store, state)
        with pytest.raises(Refused) as refusal:
            store.decide("plan-1", wanted, "cleo")
        assert refusal.value.hint.startswith("keyturn plan ")
        assert store.plan("plan-1").state is state

    @pytest.mark.parametrize("wanted", [PlanState.DONE, PlanState.WAITING, PlanState.STOPPED, PlanState.PROPOSED])
    def test_what_only_a_worker_can_know_is_not_decided(self, store: SqlStore, wanted: PlanState) -> None:
        brought_to(store, PlanState.STOPPED)
        with pytest.raises(ValueError, match=wanted):
            store.decide("plan-1", wanted, "bob")

    @pytest.mark.parametrize("state", [PlanState.PROPOSED, PlanState.RUNNING, PlanState.WAITING, PlanState.STOPPED])
    def test_any_open_plan_is_abandoned(self, store: SqlStore, state: PlanState) -> None:
        brought_to(store, state)
        assert store.decide("plan-1", PlanState.ABANDONED, "bob", "why").note == "why"
        assert store.plan("plan-1").state is PlanState.ABANDONED

    def test_abandoning_fences_the_worker_off(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        store.decide("plan-1", PlanState.ABANDONED, "bob")
        with pytest.raises(FencedOff):
            lease.check()

    def test_resuming_begins_the_waiting_anew(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, in_place(SVC))
        done = lease.write("plan-1", 0, Mark.DONE)
        lease.write("plan-1", 1, Mark.INTENDED)
        lease.finish(PlanState.STOPPED, "who?", "somebody", missing=["pc-1"])
        resumed_at = clock.pass_s(100)
        resumed = store.decide("plan-1", PlanState.RUNNING, "bob")
        assert resumed.marks == {0: Marked(Mark.DONE, done), 1: Marked(Mark.INTENDED, resumed_at)}
        assert (resumed.note, resumed.hint, resumed.missing) == ("", "", ())
        assert store.lease("plan-1", "worker-2", 60.0)

    def test_resuming_lets_refused_holders_try_again(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, in_place(SVC))
        credential = make_live(lease, SVC)
        lease.publish(credential, HOLDERS, 1)
        store.take(credential, ["pc-1"], clock())
        store.refuse("pc-1", credential, Answer.WRONG_PASSWORD, clock())
        lease.finish(PlanState.STOPPED)
        store.decide("plan-1", PlanState.RUNNING, "bob")
        assert [offer.refused for offer in store.offers("pc-1")] == [None]
        assert store.take(credential, ["pc-2"], clock())
        assert not store.take(credential, ["pc-1"], clock())

    def test_resuming_keeps_what_was_proven(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, in_place(SVC))
        credential = make_live(lease, SVC)
        lease.publish(credential, HOLDERS, 1)
        store.prove("pc-1", credential, Proof.OBSERVED, clock())
        lease.finish(PlanState.STOPPED)
        store.decide("plan-1", PlanState.RUNNING, "bob")
        assert [offer.proven for offer in store.offers("pc-1")] == [1]

    def test_released_holders_are_named_as_they_were_published(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        lease.publish(make_live(lease, SVC), ["PC-1", "PC-2"], 1)
        assert store.release("plan-1", ["pc-1"], "cleo").released == ("PC-1",)
        assert store.release("plan-1", ["pc-1", "pc-2", "PC-2"], "cleo").released == ("PC-1", "PC-2")
        assert lease.released() == {"PC-1", "PC-2"}

    def test_holders_are_released_from_one_plan_only(self, store: SqlStore) -> None:
        running(store, in_place(SVC))
        store.release("plan-1", ["pc-1"], "cleo")
        assert running(store, in_place(CONN), "plan-2").released() == frozenset()

    # A candidate whose fate is unknown.

    def abandoned_with_a_candidate(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC, 1), given=Secret("Given-1"))
        lease.write("plan-1", 0, Mark.INTENDED)
        lease.seal(sealed(SVC), Secret("Turn-1"))
        lease.finish(PlanState.STOPPED)
        store.decide("plan-1", PlanState.ABANDONED, "bob")

    def test_an_account_with_a_candidate_of_unknown_fate_is_refused_a_plan(self, store: SqlStore) -> None:
        self.abandoned_with_a_candidate(store)
        with pytest.raises(Refused, match="not known yet") as refusal:
            store.propose(proposal(in_place(SVC, 2), "plan-2"), None)
        assert refusal.value.hint == "keyturn plan resume plan-1"

    def test_the_plan_that_left_it_can_be_resumed_and_settles_it(self, store: SqlStore) -> None:
        self.abandoned_with_a_candidate(store)
        assert store.decide("plan-1", PlanState.RUNNING, "bob").state is PlanState.RUNNING
        lease = store.lease("plan-1", "worker-2", 60.0)
        assert lease
        assert lease.given(Credential(SVC, 1)) == Secret("Given-1")
        lease.promote(Credential(SVC, 1), SVC, 1)
        lease.finish(PlanState.DONE)
        store.propose(proposal(in_place(SVC, 2), "plan-2"), None)

    @pytest.mark.parametrize("wanted", [PlanState.REJECTED, PlanState.ABANDONED])
    def test_and_nothing_else_can_be_decided_about_it(self, store: SqlStore, wanted: PlanState) -> None:
        self.abandoned_with_a_candidate(store)
        with pytest.raises(Refused, match="ended"):
            store.decide("plan-1", wanted, "bob")

    def test_it_is_not_resumed_beside_another_plan(self, store: SqlStore) -> None:
        """The account it retires is free again, and may have got a plan since."""
        lease = running(store, cycle())
        lease.seal(sealed(SECOND), Secret("Turn-1"))
        lease.finish(PlanState.STOPPED)
        store.decide("plan-1", PlanState.ABANDONED, "bob")
        store.propose(proposal(in_place(CONN), "plan-2"), None)
        with pytest.raises(Refused, match="open plan"):
            store.decide("plan-1", PlanState.RUNNING, "bob")
        assert store.plan("plan-1").state is PlanState.ABANDONED

    # Restart.

    def test_plans_outlive_the_process(self, store: SqlStore, open_again: Callable[[], SqlStore]) -> None:
        lease = running(store, cycle(), given=Secret("Given-1"))
        lease.write("plan-1", 0, Mark.DONE)
        store.release("plan-1", ["pc-3"], "cleo")
        before = store.plan("plan-1")
        store.close()
        again = open_again()
        assert again.plan("plan-1") == before
        retaken = again.lease("plan-1", "worker-1", 60.0)
        assert retaken
        assert retaken.given(Credential(SECOND, 1)) == Secret("Given-1")
