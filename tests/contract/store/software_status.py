"""What the contract asks of issued policies, and of what clients report."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.distribution.policy_making import Issue
from keyturn.distribution.reports import AccessLine, AdvertisementReport, AdvertisementState
from keyturn.model.estate import AccountLife
from keyturn.model.software import AdvertisementId, Package, PackageId
from keyturn.operations.policy_records import AdvertisementReports, KeptReport, PolicyIssues
from keyturn.operations.ports import PlanState
from tests.contract.store.setting import Setting
from tests.contract.store.world import SVC, THE_ESTATE, in_place, running

OFFER = AdvertisementId("PHX20001")
FIRST = Issue("PC-0001", "d1", 5, 100.0)
REPORT = AdvertisementReport("PC-0001", 9.0, 3, OFFER, "PHX00001", "Install", AdvertisementState.RUNNING, 10005)


def kept(number: int, state: AdvertisementState = AdvertisementState.RUNNING, **more: object) -> KeptReport:
    report = msgspec.structs.replace(REPORT, number=number, state=state, **more)  # type: ignore[arg-type]
    return KeptReport(report, enrolled_at=50.0, arrived_at=100.0 + number)


class PolicyIssuesContract(Setting):
    def test_what_was_issued_last_is_known_by_any_spelling_and_after_a_restart(
        self, empty: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        store: PolicyIssues = empty
        store.keep_issues([FIRST, replace(FIRST, client="PC-0002")])
        store.keep_issues([replace(FIRST, digest="d2", counter=2**40, issued_at=200.5)])
        assert open_again().issues(["pc-0001", "PC-0003"]) == {"pc-0001": Issue("pc-0001", "d2", 2**40, 200.5)}
        assert store.issues(["PC-0002"]) == {"PC-0002": replace(FIRST, client="PC-0002")}

    def test_issues_of_more_clients_than_one_statement_holds_are_found(self, empty: SqlStore) -> None:
        store: PolicyIssues = empty
        issues = [replace(FIRST, client=f"PC-{n:05d}", counter=n + 1) for n in range(1201)]
        store.keep_issues(issues)
        assert store.issues([issue.client for issue in issues]) == {issue.client: issue for issue in issues}

    @pytest.mark.parametrize(
        "change",
        [
            lambda store: store.replace("another file", THE_ESTATE, by="ann"),
            lambda store: store.mark(SVC, AccountLife.WITHDRAWN),
            lambda store: store.leave_out("CAP1", "plan-1"),
            lambda store: store.keep_package(Package(PackageId("PHX00001"), "Editor")),
        ],
    )
    def test_the_edition_is_another_one_after_each_change(
        self, store: SqlStore, change: Callable[[SqlStore], None]
    ) -> None:
        store.mark(SVC, AccountLife.ACTIVE)
        running(store, in_place(SVC)).finish(PlanState.WAITING)
        before = store.policy_edition()
        assert store.policy_edition() == before
        change(store)
        assert store.policy_edition() != before


class AdvertisementReportsContract(Setting):
    def test_a_report_is_kept_whole_and_once(self, empty: SqlStore, open_again: Callable[[], SqlStore]) -> None:
        access = AccessLine(r"\\fs1\tools", r"CORP\KtNaa", 1, "accepted", 0, 0.25)
        one = kept(3, user="ann", exit_code=-1, accesses=(access,), reason="naïve ✓")
        store: AdvertisementReports = empty
        assert (store.keep_report(one), store.keep_report(one)) == (True, False)
        assert open_again().standing_reports(OFFER) == (one,)
        assert open_again().reports(OFFER, "pc-0001") == (one,)
        assert (store.standing_reports(AdvertisementId("PHX20002")), store.reports(OFFER, "PC-0002")) == ((), ())

    def test_a_late_report_is_kept_and_changes_nothing(self, empty: SqlStore) -> None:
        store: AdvertisementReports = empty
        done, late = kept(9, AdvertisementState.SUCCEEDED), kept(8)
        assert (store.keep_report(done), store.keep_report(late)) == (True, True)
        assert store.standing_reports(OFFER) == (done,)
        assert store.reports(OFFER, "PC-0001") == (late, done)

    def test_another_word_under_a_number_that_was_used_is_not_kept(self, empty: SqlStore) -> None:
        store: AdvertisementReports = empty
        assert store.keep_report(kept(9))
        assert not store.keep_report(kept(9, AdvertisementState.SUCCEEDED))
        assert store.standing_reports(OFFER) == (kept(9),)

    def test_a_client_that_was_installed_anew_counts_from_the_beginning(self, empty: SqlStore) -> None:
        store: AdvertisementReports = empty
        again = replace(kept(1), enrolled_at=60.0)
        assert (store.keep_report(kept(900)), store.keep_report(again), store.keep_report(kept(901))) == (True,) * 3
        assert store.standing_reports(OFFER) == (again,)

    def test_each_user_of_a_client_stands_alone(self, empty: SqlStore) -> None:
        store: AdvertisementReports = empty
        for each in (kept(1, user="ann"), kept(2, user="bob"), kept(3, user="ANN")):
            store.keep_report(each)
        assert store.standing_reports(OFFER) == (kept(3, user="ANN"), kept(2, user="bob"))

    def test_history_is_forgotten_in_time_and_how_a_client_stands_is_not(self, empty: SqlStore) -> None:
        store: AdvertisementReports = empty
        for number in (1, 2, 3):
            store.keep_report(kept(number))
        assert (store.forget_reports(103.0), store.forget_reports(999.0)) == (2, 1)
        assert (store.reports(OFFER, "PC-0001"), store.standing_reports(OFFER)) == ((), (kept(3),))

    def test_what_was_told_of_one_advertisement_goes_with_it(self, empty: SqlStore) -> None:
        store: AdvertisementReports = empty
        other = AdvertisementId("PHX20002")
        for number, each in enumerate((OFFER, other), 1):
            store.keep_report(kept(number, advertisement=each))
        store.forget_advertisement(OFFER)
        assert (store.standing_reports(OFFER), store.reports(OFFER, "PC-0001")) == ((), ())
        assert len(store.standing_reports(other)) == len(store.reports(other, "PC-0001")) == 1
