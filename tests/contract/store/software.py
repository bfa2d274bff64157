"""What the contract asks of packages, programs, collections, advertisements, consents and clients' facts."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.distribution.approval import Consent
from keyturn.model.errors import NotFound, Refused
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    Afterwards,
    At,
    Collection,
    CollectionId,
    Comparison,
    Condition,
    Detection,
    DetectionKind,
    Event,
    File,
    LoggedOn,
    Manifest,
    Overrun,
    Package,
    PackageId,
    Program,
    Rerun,
    Rights,
)
from keyturn.operations.software_ports import Advertised, Numbered, ToldFacts
from tests.contract.store.setting import Setting

PACKAGE = Package(PackageId("PHX0000A"), "Editor", r"\\files\src", "Us", "2.0", "en", 3, (r"CORP\KtUsers",))
OTHER = Package(PackageId("PHX0000B"), "Fonts")
FIRST = Program(OTHER.package_id, "Fonts", "./fonts")
PROGRAM = Program(
    PACKAGE.package_id,
    "Install",
    r'./install "quoted" \\files\office',
    Rights.USER,
    LoggedOn.USER_LOGGED_ON,
    every_user=True,
    drive="*",
    afterwards=Afterwards.LOGS_OFF,
    unattended=False,
    max_run_s=90.5,
    overrun=Overrun.STOP_WATCHING,
    run_first=FIRST.ref,
    shares=(r"\\files\office",),
    success_codes=(0, 3010),
    detection=(Detection(DetectionKind.PACKAGE, "editor", ">=2"),),
)
COLLECTION = Collection(
    CollectionId("PHXC0001"), "Desks", ("PC-0001",), ((Condition("os", Comparison.AT_LEAST, "12"),), ())
)
OFFER = Advertisement(
    AdvertisementId("PHX20001"),
    PROGRAM.ref,
    COLLECTION.collection_id,
    1000.5,
    "Editor for desks",
    2000.25,
    (At(1000.5, 60.0), At(1001.0), Event.LOGON),
    Rerun.IF_FAILED,
)
ADVERTISED = Advertised(OFFER, "olga", 999.0)
MANIFEST = Manifest(
    PACKAGE.package_id, 3, (File("a/b c", 7, "ab" * 32, executable=True), File("d", 0, "cd" * 32)), "d3"
)
YES = Consent(OFFER.advertisement_id, "digest", "olga", approves=False, at=1.0)
TOLD = ToldFacts("PC-0001", {"os": ("debian",), "address": ("10.0.0.1", "10.0.0.2")}, signed=True, told_at=5.0)


class SoftwareContract(Setting):
    def test_what_was_authored_is_as_it_was_after_a_restart(
        self, empty: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        fill(empty)
        store = open_again()
        assert store.packages() == (PACKAGE, OTHER)
        assert store.package(PackageId(" phx0000a")) == PACKAGE
        assert store.programs() == (PROGRAM, FIRST)
        assert store.program(replace(PROGRAM.ref, name="INSTALL")) == PROGRAM
        assert store.collections() == (COLLECTION,)
        assert store.collection("desks") == store.collection("phxc0001") == COLLECTION
        assert store.advertised() == (ADVERTISED,)
        assert store.manifest(PACKAGE.package_id, 3) == MANIFEST
        assert store.content_digests() == {PACKAGE.package_id: "d3"}
        assert store.assigned_points() == {PACKAGE.package_id: ("SRV-B", "SRV-A")}
        assert store.facts() == (TOLD,)

    def test_what_is_kept_again_takes_the_place_of_what_was_there(self, empty: SqlStore) -> None:
        fill(empty)
        changes = replace(PACKAGE, name="Anew"), replace(PROGRAM, name="install", command_line="./anew")
        empty.keep_package(changes[0])
        empty.keep_program(changes[1])
        empty.keep_collection(replace(COLLECTION, name="Anew"))
        cancelled = replace(ADVERTISED, cancelled_by="paul", cancelled_at=3.0)
        empty.keep_advertisement(cancelled)
        empty.assign_points(PACKAGE.package_id, ("SRV-C",))
        assert empty.packages() == (changes[0], OTHER)
        assert empty.programs() == (changes[1], FIRST)
        assert empty.collection("Anew").collection_id == COLLECTION.collection_id
        with pytest.raises(NotFound):
            empty.collection("Desks")
        assert empty.advertisement(AdvertisementId("phx20001")) == cancelled
        assert empty.advertisement(OFFER.advertisement_id).cancelled
        assert empty.assigned_points() == {PACKAGE.package_id: ("SRV-C",)}

    def test_a_package_goes_with_everything_of_its_own_and_nothing_else(self, empty: SqlStore) -> None:
        fill(empty)
        empty.remove_package(PACKAGE.package_id)
        assert (empty.packages(), empty.programs()) == ((OTHER,), (FIRST,))
        assert (empty.content_digests(), empty.assigned_points()) == ({}, {})
        with pytest.raises(NotFound, match="no version 3"):
            empty.manifest(PACKAGE.package_id, 3)

    def test_what_is_not_there_is_not_found(self, empty: SqlStore) -> None:
        for look in (
            lambda: empty.package(PACKAGE.package_id),
            lambda: empty.program(PROGRAM.ref),
            lambda: empty.collection("Desks"),
            lambda: empty.advertisement(OFFER.advertisement_id),
        ):
            with pytest.raises(NotFound):
                look()  # type: ignore[no-untyped-call]
        fill(empty)
        empty.remove_program(PROGRAM.ref)
        empty.remove_collection(COLLECTION.collection_id)
        assert (empty.programs(), empty.collections()) == ((FIRST,), ())

    def test_two_collections_do_not_bear_one_name(self, empty: SqlStore) -> None:
        fill(empty)
        with pytest.raises(Refused, match="PHXC0001 is named"):
            empty.keep_collection(Collection(CollectionId("PHXC0002"), "DESKS"))

    def test_the_digest_of_a_package_is_that_of_its_current_version(self, empty: SqlStore) -> None:
        fill(empty)
        empty.keep_manifest(replace(MANIFEST, version=4, digest="d4"))
        assert empty.content_digests() == {PACKAGE.package_id: "d3"}
        empty.keep_package(replace(PACKAGE, source_version=4))
        assert empty.content_digests() == {PACKAGE.package_id: "d4"}
        assert empty.manifest(PACKAGE.package_id, 3) == MANIFEST

    def test_a_number_is_given_out_once(self, empty: SqlStore, open_again: Callable[[], SqlStore]) -> None:
        assert [empty.next_number(Numbered.PACKAGE) for _ in range(3)] == [1, 2, 3]
        assert [open_again().next_number(kind) for kind in Numbered] == [4, 1, 1]

    def test_every_change_makes_another_edition_and_a_look_does_not(self, empty: SqlStore) -> None:
        editions = [empty.software_edition()]
        for change in CHANGES:
            change(empty)
            editions.append(empty.software_edition())
        assert editions == sorted(set(editions)), "each change is seen"
        empty.keep_facts(replace(TOLD, told_at=9.0))
        empty.consent(YES)
        assert empty.software_edition() == editions[-1], "the same again is no change"


class ConsentsContract(Setting):
    def test_a_persons_word_counts_once_and_an_approval_is_the_stronger_one(self, empty: SqlStore) -> None:
        fill(empty)
        approval = replace(YES, person="OLGA", approves=True, at=2.0)
        for word in (approval, YES, replace(YES, person="paul", at=3.0), replace(YES, digest="other", at=4.0)):
            empty.consent(word)
        said = empty.consents(OFFER.advertisement_id)
        assert said == (approval, replace(YES, person="paul", at=3.0), replace(YES, digest="other", at=4.0))

    def test_words_are_forgotten_with_what_they_were_given_to(self, empty: SqlStore) -> None:
        fill(empty)
        second = replace(OFFER, advertisement_id=AdvertisementId("PHX20002"))
        empty.keep_advertisement(replace(ADVERTISED, advertisement=second))
        empty.consent(replace(YES, advertisement_id=second.advertisement_id))
        empty.forget_consents(OFFER.advertisement_id)
        assert empty.consents(OFFER.advertisement_id) == ()
        assert len(empty.consents(second.advertisement_id)) == 1
        empty.remove_advertisement(second.advertisement_id)
        assert empty.consents(second.advertisement_id) == ()
        assert empty.advertised() == (ADVERTISED,)


class FactsContract(Setting):
    def test_what_a_client_signed_is_not_changed_by_what_nobody_signed(self, empty: SqlStore) -> None:
        unsigned = replace(TOLD, facts={"os": ("windows",)}, signed=False, told_at=6.0)
        empty.keep_facts(unsigned)
        assert empty.facts() == (unsigned,)
        empty.keep_facts(replace(TOLD, client="pc-0001"))
        empty.keep_facts(unsigned)
        assert empty.facts() == (replace(TOLD, client="pc-0001"),)


def fill(store: SqlStore) -> None:
    for change in CHANGES:
        change(store)


CHANGES: tuple[Callable[[SqlStore], None], ...] = (
    lambda store: store.keep_package(PACKAGE),
    lambda store: store.keep_package(OTHER),
    lambda store: store.keep_manifest(MANIFEST),
    lambda store: store.assign_points(PACKAGE.package_id, ("SRV-B", "SRV-A")),
    lambda store: store.keep_program(PROGRAM),
    lambda store: store.keep_program(FIRST),
    lambda store: store.keep_collection(COLLECTION),
    lambda store: store.keep_advertisement(ADVERTISED),
    lambda store: store.consent(YES),
    lambda store: store.keep_facts(TOLD),
)
