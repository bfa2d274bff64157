"""What the contract asks of holders: who is offered what, who may try it now, and who has proven it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.lifecycle.ports import Uptake
from keyturn.model.accounts import AccountToBe, Credential
from keyturn.model.errors import NotFound
from keyturn.model.estate import AccountLife, Proof, Sighted
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.client_ports import Offer
from keyturn.operations.ports import Lease
from tests.contract.store.setting import Setting
from tests.contract.store.threads import at_once
from tests.contract.store.world import CONN, CORP, HOLDERS, SVC, SVC_NAMED, Clock, in_place, make_live, running, sealed

FIRST = Credential(SVC, 1)
STRANGER = Credential(AccountToBe(CORP, "stranger"), 1)


class HoldersContract(Setting):
    @pytest.fixture
    def worker(self, store: SqlStore) -> Lease:
        """Generation 1 of SVC is live and published to nobody."""
        worker = running(store, in_place(SVC))
        make_live(worker, SVC)
        return worker

    # Published.

    def test_publishing_offers_to_the_holders_named(self, store: SqlStore, worker: Lease) -> None:
        worker.publish(FIRST, ["pc-1"], 1)
        assert store.offers("pc-1") == (
            Offer(SVC, AccountLife.ACTIVE, live=1, undecided=False, published=1, proven=None, refused=None),
        )
        assert store.offers("pc-2") == ()
        assert worker.holders(SVC) == {"pc-1"}
        assert worker.holders(CONN) == worker.holders(STRANGER.account) == frozenset()

    def test_publishing_again_adds_holders_and_changes_nothing_else(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, ["pc-1", "pc-2"], 2)
        store.take(FIRST, ["pc-1"], clock())
        store.prove("pc-2", FIRST, Proof.OBSERVED, clock())
        before = store.offers("pc-2")
        worker.publish(FIRST, HOLDERS, 2)
        assert store.offers("pc-2") == before
        assert worker.uptake(FIRST).proven == {"pc-2"}
        assert worker.holders(SVC) == set(HOLDERS)

    def test_a_credential_is_published_under_the_name_or_the_identity(self, store: SqlStore, worker: Lease) -> None:
        worker.publish(Credential(SVC_NAMED, 1), ["pc-1"], 1)
        assert worker.holders(SVC) == {"pc-1"}
        assert store.offers("pc-1")[0].account == SVC

    def test_a_name_in_other_letters_is_the_same_holder(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, ["PC-1", "pc-1 "], 1)
        assert store.take(FIRST, ["pc-1"], clock())
        assert store.prove("Pc-1", FIRST, Proof.OBSERVED, clock())
        assert len(worker.uptake(FIRST).proven) == 1
        assert len(store.offers("pc-1")) == 1

    def test_a_holder_has_the_name_it_was_published_under_last(self, worker: Lease) -> None:
        worker.publish(FIRST, ["PC-1"], 1)
        make_live(worker, SVC, 2, "Turn-2")
        worker.publish(Credential(SVC, 2), ["pc-1"], 1)
        assert worker.holders(SVC) == {"pc-1"}

    def test_an_account_outside_the_store_is_not_published(self, store: SqlStore, worker: Lease) -> None:
        with pytest.raises(NotFound):
            worker.publish(STRANGER, HOLDERS, 1)
        with pytest.raises(NotFound):
            store.offer(STRANGER, HOLDERS, 1)
        assert worker.uptake(STRANGER) == Uptake()

    def test_a_fleet_is_published_to_in_one_go(self, worker: Lease) -> None:
        fleet = [f"pc-{n:05}" for n in range(2500)]
        worker.publish(FIRST, fleet[:1500], 1)
        worker.publish(FIRST, fleet, 1)
        assert worker.holders(SVC) == set(fleet)

    def test_an_offer_outside_a_plan_is_like_a_publication(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        store.offer(FIRST, ["pc-1", "pc-2"], 1)
        assert store.offers("pc-1")[0].published == 1
        assert store.take(FIRST, ["pc-1"], clock())
        assert not store.take(FIRST, ["pc-2"], clock())

    def test_an_offer_outside_a_plan_does_not_overtake_the_canary(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, ["pc-1"], 1)
        store.prove("pc-3", FIRST, Proof.REPORTED, clock())
        store.offer(FIRST, HOLDERS, 3)
        assert store.take(FIRST, ["pc-1"], clock())
        assert not store.take(FIRST, ["pc-2"], clock())

    def test_an_offer_changes_nothing_of_what_was_offered_or_proven(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, HOLDERS, 2)
        store.take(FIRST, ["pc-1"], clock())
        store.prove("pc-2", FIRST, Proof.OBSERVED, clock())
        before = [store.offers(name) for name in HOLDERS]
        store.offer(FIRST, HOLDERS, 2)
        assert [store.offers(name) for name in HOLDERS] == before

    # Taken.

    def test_only_so_many_try_it_at_once(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, HOLDERS, 2)
        assert [bool(store.take(FIRST, [name], clock())) for name in HOLDERS] == [True, True, False]
        store.prove("pc-1", FIRST, Proof.REPORTED, clock())
        assert store.take(FIRST, ["pc-3"], clock())

    def test_taking_again_is_fine(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        assert store.take(FIRST, ["pc-1"], clock())
        assert store.take(FIRST, ["pc-1"], clock())
        store.prove("pc-1", FIRST, Proof.REPORTED, clock())
        assert store.take(FIRST, ["pc-2"], clock())
        assert store.take(FIRST, ["pc-1"], clock())

    def test_the_pace_said_last_holds(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        assert [bool(store.take(FIRST, [name], clock())) for name in HOLDERS] == [True, False, False]
        worker.publish(FIRST, HOLDERS, 2)
        assert [bool(store.take(FIRST, [name], clock())) for name in HOLDERS] == [True, True, False]

    def test_each_credential_has_its_own_places(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        make_live(worker, SVC, 2, "Turn-2")
        worker.publish(Credential(SVC, 2), HOLDERS, 1)
        assert store.take(FIRST, ["pc-1"], clock())
        assert store.take(Credential(SVC, 2), ["pc-2"], clock())

    def test_a_credential_is_taken_only_by_whom_it_was_published_to(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, ["pc-1"], 3)
        assert not store.take(FIRST, ["pc-2"], clock())
        assert not store.take(Credential(SVC, 2), ["pc-1"], clock())
        assert not store.take(STRANGER, ["pc-1"], clock())

    @pytest.mark.parametrize("life", [AccountLife.WITHDRAWN, AccountLife.DISABLED, AccountLife.DELETED])
    def test_nobody_takes_an_account_that_is_withdrawn(
        self, store: SqlStore, worker: Lease, clock: Clock, life: AccountLife
    ) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        worker.become(SVC, life)
        assert not store.take(FIRST, ["pc-1"], clock())
        assert store.offers("pc-1")[0].life is life

    def test_of_holders_that_come_at_the_same_moment_no_more_than_the_pace_get_it(
        self, store: SqlStore, worker: Lease, clock: Clock, open_again: Callable[[], SqlStore]
    ) -> None:
        names = [f"pc-{n}" for n in range(12)]
        worker.publish(FIRST, names, 3)
        stores = [store, open_again()]
        answers = at_once(
            *(lambda n=n, name=name: stores[n % 2].take(FIRST, [name], 5.0) for n, name in enumerate(names))
        )
        assert sum(answer == frozenset() for answer in answers) == 9
        assert sum(answer == {name} for answer, name in zip(answers, names, strict=True)) == 3

    def test_holders_that_come_together_get_the_places_in_their_order(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, HOLDERS, 2)
        assert store.take(FIRST, [HOLDERS[2], "nobody", *HOLDERS, HOLDERS[2]], clock()) == {HOLDERS[2], HOLDERS[0]}
        assert store.take(FIRST, HOLDERS, clock()) == {HOLDERS[2], HOLDERS[0]}
        store.prove(HOLDERS[2], FIRST, Proof.REPORTED, clock())
        assert store.take(FIRST, HOLDERS, clock()) == set(HOLDERS)

    def test_offers_to_several_holders_are_those_to_each(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        make_live(worker, CONN)
        worker.publish(FIRST, HOLDERS, 3)
        worker.publish(Credential(CONN, 1), HOLDERS[1:], 3)
        store.prove(HOLDERS[0], FIRST, Proof.REPORTED, clock())
        store.refuse(HOLDERS[1], FIRST, Answer.WRONG_PASSWORD, clock())
        names = [*HOLDERS, "PC-1", "nobody"]
        assert store.offers_to(names) == {name: store.offers(name) for name in names}
        assert [len(store.offers(name)) for name in names] == [1, 2, 2, 1, 0]

    # Reclaimed.

    def test_the_place_of_a_silent_holder_is_freed(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.take(FIRST, ["pc-1"], clock())
        worker.reclaim(FIRST, offered_before=clock())
        assert not store.take(FIRST, ["pc-2"], clock())
        worker.reclaim(FIRST, offered_before=clock() + 1)
        assert store.take(FIRST, ["pc-2"], clock())
        assert not store.take(FIRST, ["pc-1"], clock())

    def test_the_place_of_a_forgotten_machine_is_freed_and_its_offer_stays(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.take(FIRST, ["pc-1"], clock())
        store.forget_client("PC-1")
        assert store.take(FIRST, ["pc-2"], clock())
        assert not store.take(FIRST, ["pc-1"], clock())
        assert worker.holders(SVC) == set(HOLDERS)

    @pytest.mark.parametrize("accepted", [True, False])
    def test_what_a_forgotten_machine_has_said_stays_said(
        self, store: SqlStore, worker: Lease, clock: Clock, accepted: bool
    ) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.take(FIRST, ["pc-1"], clock())
        if accepted:
            store.prove("pc-1", FIRST, Proof.REPORTED, clock())
        else:
            store.refuse("pc-1", FIRST, Answer.WRONG_PASSWORD, clock())
        before = worker.uptake(FIRST)
        store.forget_client("pc-1")
        assert worker.uptake(FIRST) == before
        assert bool(store.take(FIRST, ["pc-2"], clock())) == accepted

    def test_the_place_of_a_refused_holder_is_not_freed(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.take(FIRST, ["pc-1"], clock())
        store.refuse("pc-1", FIRST, Answer.WRONG_PASSWORD, clock())
        worker.reclaim(FIRST, offered_before=clock() + 100)
        assert not store.take(FIRST, ["pc-2"], clock())

    def test_a_refusal_takes_a_place_even_of_a_holder_that_took_none(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.refuse("pc-1", FIRST, Answer.WRONG_PASSWORD, clock())
        assert not store.take(FIRST, ["pc-2"], clock())

    def test_a_proof_outlives_reclaiming(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.take(FIRST, ["pc-1"], clock())
        store.prove("pc-1", FIRST, Proof.REPORTED, clock())
        worker.reclaim(FIRST, offered_before=clock() + 100)
        assert worker.uptake(FIRST).proven == {"pc-1"}
        assert store.take(FIRST, ["pc-1"], clock())

    # Proven and refused.

    def test_an_observed_logon_replaces_a_reported_one_and_not_the_other_way(
        self, store: SqlStore, worker: Lease
    ) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        for proof, at, kept in (
            (Proof.REPORTED, 1.0, (Proof.REPORTED, 1.0)),
            (Proof.REPORTED, 2.0, (Proof.REPORTED, 1.0)),
            (Proof.OBSERVED, 3.0, (Proof.OBSERVED, 3.0)),
            (Proof.REPORTED, 4.0, (Proof.OBSERVED, 3.0)),
            (Proof.OBSERVED, 5.0, (Proof.OBSERVED, 3.0)),
        ):
            assert store.prove("pc-1", FIRST, proof, at)
            assert [(h.proof, h.at) for h in store.estate().holdings] == [kept]

    def test_a_word_about_a_credential_never_given_is_not_believed(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, ["pc-1"], 1)
        for name, credential in (("pc-2", FIRST), ("pc-1", Credential(SVC, 2)), ("pc-1", STRANGER)):
            assert not store.prove(name, credential, Proof.OBSERVED, clock())
            assert not store.refuse(name, credential, Answer.LOCKED, clock())
        assert worker.uptake(FIRST) == Uptake()

    def test_uptake_tells_the_proven_from_the_refused(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, HOLDERS, 3)
        assert store.prove("pc-1", FIRST, Proof.REPORTED, clock())
        assert store.refuse("pc-2", FIRST, Answer.WRONG_PASSWORD, clock())
        assert worker.uptake(FIRST) == Uptake(frozenset({"pc-1"}), frozenset({"pc-2"}))
        assert worker.uptake(Credential(SVC, 2)) == Uptake()

    def test_the_latest_word_of_a_holder_stands(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.prove("pc-1", FIRST, Proof.OBSERVED, clock())
        store.refuse("pc-1", FIRST, Answer.WRONG_PASSWORD, clock())
        assert worker.uptake(FIRST) == Uptake(refused=frozenset({"pc-1"}))
        assert store.estate().holdings == ()
        assert not store.take(FIRST, ["pc-2"], clock())
        store.prove("pc-1", FIRST, Proof.OBSERVED, clock())
        assert worker.uptake(FIRST) == Uptake(proven=frozenset({"pc-1"}))

    # Offers.

    def test_an_offer_names_the_newest_generation_of_each_kind(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        for generation in (1, 2, 3):
            if generation > 1:
                make_live(worker, SVC, generation, f"Turn-{generation}")
            worker.publish(Credential(SVC, generation), HOLDERS, 3)
        store.prove("pc-1", FIRST, Proof.REPORTED, clock())
        store.refuse("pc-1", Credential(SVC, 2), Answer.LOCKED, clock())
        make_live(worker, SVC, 4, "Turn-4")
        worker.seal(sealed(SVC, 5), Secret("Turn-5"))
        assert store.offers("pc-1") == (
            Offer(SVC, AccountLife.ACTIVE, live=4, undecided=True, published=3, proven=1, refused=2),
        )

    def test_there_is_an_offer_for_each_account_by_name(self, store: SqlStore, worker: Lease) -> None:
        store.adopt(sealed(CONN), CONN, Secret("Live-1"))
        store.offer(Credential(CONN, 1), ["pc-1"], 1)
        worker.publish(FIRST, ["pc-1"], 1)
        assert [offer.account for offer in store.offers("pc-1")] == [CONN, SVC]

    # Dropped.

    def test_what_a_holder_has_dropped_is_neither_held_nor_offered(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.prove("pc-1", FIRST, Proof.OBSERVED, clock())
        worker.become(SVC, AccountLife.WITHDRAWN)
        store.dropped(SVC, ["pc-1"], clock())
        assert worker.holders(SVC) == {"pc-2", "pc-3"}
        assert store.offers("pc-1") == ()
        assert not store.take(FIRST, ["pc-1"], clock())
        assert worker.uptake(FIRST) == Uptake()

    def test_a_place_is_free_again_when_its_holder_drops_the_account(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.take(FIRST, ["pc-1"], clock())
        store.dropped(SVC, ["pc-1"], clock())
        assert store.take(FIRST, ["pc-2"], clock())

    def test_what_was_dropped_can_be_offered_anew(self, store: SqlStore, worker: Lease, clock: Clock) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.prove("pc-1", FIRST, Proof.OBSERVED, clock())
        store.dropped(SVC, ["pc-1"], clock())
        worker.publish(FIRST, HOLDERS, 1)
        assert [(offer.published, offer.proven) for offer in store.offers("pc-1")] == [(1, None)]

    def test_a_holder_that_logs_on_has_not_dropped_the_account(
        self, store: SqlStore, worker: Lease, clock: Clock
    ) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.dropped(SVC, ["pc-1"], clock())
        assert store.prove("pc-1", FIRST, Proof.OBSERVED, clock())
        assert "pc-1" in worker.holders(SVC)

    def test_what_becomes_of_an_account_is_seen(self, store: SqlStore, worker: Lease) -> None:
        for life in AccountLife:
            worker.become(SVC, life)
            assert store.account(SVC) == replace(store.account(SVC), life=life)

    def test_holdings_outlive_the_process(
        self, store: SqlStore, worker: Lease, clock: Clock, open_again: Callable[[], SqlStore]
    ) -> None:
        worker.publish(FIRST, HOLDERS, 1)
        store.take(FIRST, ["pc-1"], clock())
        store.refuse("pc-2", FIRST, Answer.LOCKED, clock())
        before = [store.offers(name) for name in HOLDERS]
        store.close()
        again = open_again()
        assert [again.offers(name) for name in HOLDERS] == before
        assert not again.take(FIRST, ["pc-3"], clock())

    # Who was seen.

    def test_who_was_seen_using_an_account_is_kept_with_it_and_never_twice(self, store: SqlStore) -> None:
        first = Sighted("OLD-1", 5.0, 9.0, 2, 1, "NTLM", ("/etc/a:1", "/etc/b:2"))
        later = Sighted("old-1", 3.0, 8.0, 4, 0, "Kerberos, NTLM")
        for seen in ([first], [first], [later]):
            store.see(SVC, seen)
        both = Sighted("OLD-1", 3.0, 9.0, 4, 1, "Kerberos, NTLM", first.places)
        assert store.account(SVC).sightings == (both,)
        store.see(SVC, [replace(first, places=("/etc/b:3",))])
        assert store.account(SVC).sightings == (replace(both, places=("/etc/b:3",)),)
        assert store.account(CONN).sightings == ()

    def test_whoever_was_let_in_and_never_offered_it_holds_it_still(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC), given=Secret("Given-1"))
        make_live(lease, SVC, 1, "Turn-1")
        lease.publish(Credential(SVC, 1), {"PC-1"}, 5)
        times = (1.0, 2.0)
        store.see(
            SVC, [Sighted("pc-1", *times, 3, 0), Sighted("OLD-1", *times, 1, 0), Sighted("GUESSER", *times, 0, 9)]
        )
        assert lease.holders(SVC) == {"PC-1", "OLD-1"}
