"""What the contract asks of software between sites: handed to those below, come from those above, to be told there."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from msgspec import structs

from keyturn.adapters.store.store import SqlStore
from keyturn.distribution.handed_down import Awaited, Range, ToldReport
from keyturn.distribution.reports import AdvertisementReport, AdvertisementState
from keyturn.model.errors import NotFound
from keyturn.model.estate import SiteCode
from keyturn.model.software import Collection, CollectionId, PackageId
from keyturn.operations.handing_ports import FromAbove, HandedDownStore
from tests.contract.store.setting import Setting

CEN, EUR = SiteCode("CEN"), SiteCode("EUR")
REPORT = AdvertisementReport("PC-0001", 9.0, 3, "CEN20001", "CEN00001", "Install", AdvertisementState.RUNNING)
ABOVE = FromAbove(CEN, (Awaited(PackageId("CEN00001"), 3, "d1", 2**40),), (Range("a", 2**40, 5),), 100.5)


class HandedDownContract(Setting):
    def test_what_was_handed_down_and_taken_is_known_after_a_restart(
        self, empty: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        store: HandedDownStore = empty
        for digest in ("d1", "d2"):
            store.note_handed_down(EUR, digest)
        for record in (FromAbove(CEN), FromAbove(EUR), ABOVE):
            store.keep_from_above(record)
        store.forget_from_above(EUR)
        again: HandedDownStore = open_again()
        assert (again.handed_down(), again.from_above()) == ({EUR: "d2"}, (ABOVE,))

    def test_a_site_that_is_forgotten_is_handed_everything_anew_and_asked_anew(self, empty: SqlStore) -> None:
        empty.note_handed_down(EUR, "d1")
        empty.keep_from_above(ABOVE)
        for code in (EUR, CEN):
            empty.forget_site(code)
        assert (empty.handed_down(), empty.from_above()) == ({}, (replace(ABOVE, asked=(), asked_at=0),))

    def test_reports_wait_in_their_order_until_they_are_told(self, empty: SqlStore) -> None:
        store: HandedDownStore = empty
        told = [ToldReport(structs.replace(REPORT, number=number), 50.25) for number in range(1, 4)]
        for each, owner in zip(told, (CEN, EUR, CEN), strict=True):
            store.queue_report(owner, each)
        queued = store.queued_reports(2)
        assert [(owner, each) for _, owner, each in queued] == [(CEN, told[0]), (EUR, told[1])]
        store.unqueue_reports([number for number, _, _ in queued])
        assert [(owner, each) for _, owner, each in store.queued_reports(10)] == [(CEN, told[2])]

    def test_a_collection_from_above_bears_its_sites_code_and_takes_no_name(self, empty: SqlStore) -> None:
        own, above = (Collection(CollectionId(f"{code}C0001"), "Desks") for code in ("PHX", "CEN"))
        empty.keep_collection(above, of=CEN)
        with pytest.raises(NotFound):
            empty.collection("Desks")
        empty.keep_collection(own)
        assert [empty.collection(name) for name in ("desks", "cen/desks", "CENC0001")] == [own, above, above]
