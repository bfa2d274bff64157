"""What the contract asks of the estate: the file, and what happened to its accounts since."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.model.accounts import Account, AccountToBe, Credential
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import (
    Absence,
    AccountLife,
    ClientGroup,
    Consumer,
    Estate,
    Habit,
    Holder,
    HolderKind,
    ManagedAccount,
    Proof,
    Sighted,
    SiteSystem,
)
from keyturn.model.secret import Secret
from keyturn.operations.ports import PlanState
from tests.contract.store.setting import Setting
from tests.contract.store.threads import at_once
from tests.contract.store.world import (
    CONN,
    CONN_NAMED,
    CONNECTION,
    CORP,
    HOLDERS,
    LAB,
    SECOND,
    SERVICE,
    SVC,
    SVC_NAMED,
    THE_ESTATE,
    TUC,
    Clock,
    cycle,
    estate,
    in_place,
    make_live,
    planned,
    proposal,
    running,
    sealed,
)


class EstatesContract(Setting):
    def test_a_new_store_has_an_empty_estate(self, empty: SqlStore) -> None:
        assert empty.estate() == Estate()
        assert empty.text() == ""

    def test_everything_in_the_file_is_read_back(self, empty: SqlStore) -> None:
        pc = Holder("pc-1", HolderKind.LEGACY_CLIENT, TUC, Habit(60, 1.5, (Absence(1, 2),), 3600.0), gated=False)
        whole = replace(
            THE_ESTATE,
            product="configmgr",
            systems=(SiteSystem("cap-1", TUC, ("cap",)),),
            clients=(pc,),
            groups=(ClientGroup("lab", 40, pc),),
            consumers=(Consumer(pc, ("CORP\\SMSService",)),),
        )
        empty.replace("text", whole, by="ann")
        assert empty.estate() == whole

    def test_the_text_is_the_one_imported_last(self, store: SqlStore) -> None:
        store.replace("another file", THE_ESTATE, by="ben")
        assert store.text() == "another file"

    def test_another_import_is_seen_by_a_store_opened_before_it(
        self, store: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        other = open_again()
        assert other.estate().product == "sms2003"
        store.replace("", replace(THE_ESTATE, product="configmgr"), by="ann")
        assert other.estate().product == "configmgr"

    def test_the_outline_is_the_estate_without_what_machines_have_told(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, in_place(SVC))
        credential = make_live(lease, SVC)
        lease.publish(credential, HOLDERS, 3)
        store.prove("pc-1", credential, Proof.OBSERVED, clock())
        store.see(SVC, [Sighted("OLD-1", 5.0, 9.0, 2, 1, "NTLM")])
        whole = store.estate()
        bare = tuple(replace(managed, sightings=()) for managed in whole.accounts)
        assert store.outline() == replace(whole, accounts=bare, holdings=())
        assert whole.holdings
        assert bare != whole.accounts

    def test_the_document_is_the_file_whatever_became_of_its_accounts(
        self, store: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        make_live(running(store, in_place(SVC)), SVC)
        other = open_again()
        assert store.document() == other.document() == THE_ESTATE
        later = replace(THE_ESTATE, product="configmgr")
        store.replace("", later, by="ann")
        assert other.document() == later

    def test_accounts_come_in_the_order_of_the_file(self, empty: SqlStore) -> None:
        names = ["zoe", "adam", "mia"]
        empty.replace("", estate(*(planned(AccountToBe(CORP, name)) for name in names)), by="ann")
        assert [m.account.name for m in empty.estate().accounts] == names

    def test_a_new_account_is_planned_unless_the_estate_says_otherwise(self, empty: SqlStore) -> None:
        active = replace(planned(SVC_NAMED), life=AccountLife.ACTIVE, created_at=5.0)
        empty.replace("", estate(active, planned(CONN_NAMED)), by="ann")
        assert empty.account(SVC_NAMED) == active
        assert empty.account(CONN_NAMED).life is AccountLife.PLANNED

    def test_an_account_with_an_identity_is_known_by_it_and_one_without_by_its_name(self, empty: SqlStore) -> None:
        empty.replace("", THE_ESTATE, by="ann")
        empty.identify(SVC)
        assert [m.account for m in empty.estate().accounts] == [SVC, CONN_NAMED]
        assert empty.account(replace(SVC, name="renamed since")).account == SVC
        assert empty.account(AccountToBe(CORP, " smsservice ")).account == SVC

    def test_an_identified_account_is_in_its_realm(self, store: SqlStore) -> None:
        assert store.account(SVC).life is AccountLife.ACTIVE

    def test_identifying_again_changes_nothing(self, store: SqlStore) -> None:
        before = store.estate()
        store.identify(SVC)
        assert store.estate() == before

    def test_a_name_with_an_identity_is_not_given_another(self, store: SqlStore) -> None:
        with pytest.raises(Refused, match="another identity"):
            store.identify(replace(SVC, sid="S-1-5-21-7-9999"))
        assert store.account(SVC).account == SVC

    def test_an_identity_is_not_given_to_a_second_name(self, store: SqlStore) -> None:
        store.identify(replace(SVC, name="SMSClient_PHX"))
        assert store.account(CONN_NAMED).account == CONN

    def test_only_an_account_of_the_estate_is_identified(self, store: SqlStore) -> None:
        with pytest.raises(NotFound):
            store.identify(Account(CORP, "S-1-5-21-7-9999", "stranger"))

    def test_the_same_name_in_another_realm_is_another_account(self, store: SqlStore) -> None:
        other = AccountToBe(LAB, SVC.name)
        store.replace("", estate(*THE_ESTATE.accounts, planned(other)), by="ann")
        assert store.named("LAB\\SMSService").account == other
        assert store.named("CORP\\SMSService").account == SVC

    @pytest.mark.parametrize("name", ["CORP\\SMSService", "corp\\smsservice", " CORP\\SMSSERVICE ", "CORP/SMSService"])
    def test_an_account_is_found_by_its_realm_and_name(self, store: SqlStore, name: str) -> None:
        assert store.named(name) == store.account(SVC)

    @pytest.mark.parametrize("name", ["", "SMSService", "LAB\\SMSService", "CORP\\", "\\SMSService"])
    def test_nothing_else_finds_an_account(self, store: SqlStore, name: str) -> None:
        with pytest.raises(NotFound):
            store.named(name)

    def test_importing_again_keeps_identity_life_and_generation_and_takes_the_new_role(self, store: SqlStore) -> None:
        make_live(running(store, in_place(SVC)), SVC)
        store.replace("", estate(planned(SVC_NAMED, CONNECTION, TUC)), by="ann")
        assert store.account(SVC) == ManagedAccount(SVC, CONNECTION, (TUC,), AccountLife.ACTIVE, generation=1)

    def test_an_account_that_left_the_file_stays_while_its_identity_is_known(self, store: SqlStore) -> None:
        store.replace("", estate(), by="ann")
        assert [m.account for m in store.estate().accounts] == [CONN, SVC]
        assert store.account(SVC).role == SERVICE

    def test_an_account_that_left_the_file_stays_while_a_generation_of_it_is_kept(self, empty: SqlStore) -> None:
        empty.replace("", THE_ESTATE, by="ann")
        lease = running(empty, cycle(CONN_NAMED))
        lease.seal(sealed(SECOND), Secret("Turn-1"))
        lease.finish(PlanState.STOPPED)
        empty.replace("", estate(), by="ann")
        assert [m.account for m in empty.estate().accounts] == [CONN_NAMED, SECOND]

    def test_an_account_that_left_the_file_and_was_never_more_than_a_name_is_gone(self, empty: SqlStore) -> None:
        empty.replace("", THE_ESTATE, by="ann")
        empty.replace("", estate(planned(SVC_NAMED)), by="ann")
        assert [m.account for m in empty.estate().accounts] == [SVC_NAMED]

    def test_an_account_that_left_the_file_stays_while_a_plan_has_it(self, empty: SqlStore) -> None:
        empty.replace("", THE_ESTATE, by="ann")
        empty.propose(proposal(in_place(SVC_NAMED)), None)
        empty.replace("", estate(), by="ann")
        assert [m.account for m in empty.estate().accounts] == [SVC_NAMED]

    def test_the_account_a_plan_will_make_is_in_the_estate_once_the_plan_is_approved(self, store: SqlStore) -> None:
        store.propose(proposal(cycle()), None)
        assert len(store.estate().accounts) == 2
        store.approve("plan-1", "bob", needed=1)
        assert store.estate().accounts[-1] == ManagedAccount(SECOND, CONNECTION, ("PHX", "TUC"), AccountLife.PLANNED)

    def test_holdings_are_the_newest_generation_each_holder_has_proven(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, in_place(SVC))
        for generation in (1, 2, 3):
            credential = make_live(lease, SVC, generation, f"Turn-{generation}")
            lease.publish(credential, HOLDERS, 3)
        for holder, generation in (("pc-1", 1), ("pc-2", 1), ("pc-2", 2)):
            store.prove(holder, Credential(SVC, generation), Proof.OBSERVED, clock())
        held = {(h.holder, h.generation, h.proof, h.at) for h in store.estate().holdings}
        assert held == {("pc-1", 1, Proof.OBSERVED, clock()), ("pc-2", 2, Proof.OBSERVED, clock())}
        assert store.estate().proven("pc-2", SVC) == 2

    def test_a_holder_that_dropped_the_account_holds_nothing_of_it(self, store: SqlStore, clock: Clock) -> None:
        lease = running(store, in_place(SVC))
        credential = make_live(lease, SVC)
        lease.publish(credential, HOLDERS, 3)
        store.prove("pc-1", credential, Proof.OBSERVED, clock())
        store.dropped(SVC, ["pc-1"], clock())
        assert store.estate().holdings == ()

    def test_the_estate_is_one_reading_while_others_write(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        make_live(lease, SVC)

        def write() -> None:
            for n in range(2, 12):
                make_live(lease, SVC, n, f"Turn-{n}")

        def read() -> None:
            for _ in range(20):
                found = [m for m in store.estate().accounts if m.account == SVC]
                assert len(found) == 1
                assert found[0].generation is not None

        assert at_once(write, read, read) == [None, None, None]
