"""Deltas of a site control file: applied whole, or refused with a status."""

from dataclasses import replace

import pytest

from keyturn.model.accounts import AccountToBe, RealmName, RoleName
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import AccountLife, Estate, ManagedAccount, Site, SiteCode, SiteKind, SiteSystem
from keyturn.model.secret import Secret
from keyturn.site.components import ComponentName
from keyturn.site.control.catalogue import Owner, Section
from keyturn.site.control.deltas import (
    Applied,
    Delta,
    DeltaStatus,
    Operation,
    RefusedDelta,
    Remove,
    RemoveItem,
    Set,
    apply,
    without_values,
)
from keyturn.site.control.difference import difference
from keyturn.site.control.document import Path, Sealed, SiteControl, Value
from keyturn.site.control.from_estate import first_document, following, following_hierarchy, missing_items
from keyturn.site.control.json_form import BadForm, delta_text, document_text, read_delta, read_document
from keyturn.site.control.paths import read_item, read_path
from keyturn.site.control.secrets import open_for_site, seal_for_site
from keyturn.site.keys import new_keys

PHX = SiteCode("PHX")
CORP = RealmName("CORP")
CLIENT = ManagedAccount(
    AccountToBe(CORP, "SMSClient_PHX"), RoleName("sms2003/client-connection-default"), (PHX,), generation=3
)
ESTATE = Estate(
    sites=(Site(PHX, CORP, "SRV-PHX", parent=SiteCode("CEN")), Site(SiteCode("NYC"), CORP, "SRV-NYC")),
    systems=(SiteSystem("CAP1", PHX, ("client-access-point", "distribution-point"), r"\\cap1\CAP_PHX"),),
    accounts=(CLIENT, replace(CLIENT, account=AccountToBe(CORP, "Other"), sites=(SiteCode("NYC"),))),
)
FIRST = first_document(ESTATE, PHX)
KEYS = new_keys()


def path(text: str) -> Path:
    return read_path(text)


def judged(*operations: Operation, base: int = 0, site: str = "PHX", owner: Owner = Owner.CONTROL_FILE) -> object:
    def opens(where: Path, sealed: Sealed) -> bool:
        return open_for_site(KEYS, PHX, where, sealed) is not None

    delta = Delta(SiteCode(site), "olga", base, operations)
    return apply(FIRST, delta, opens=opens, on_behalf_of=owner)


def status(*operations: Operation, **said: object) -> DeltaStatus:
    outcome = judged(*operations, **said)  # type: ignore[arg-type]
    return outcome.status if isinstance(outcome, RefusedDelta) else DeltaStatus.APPLIED


def applied(document: SiteControl, operations: tuple[Operation, ...], owner: Owner) -> SiteControl:
    delta = Delta(PHX, "x", document.serial, operations)
    outcome = apply(document, delta, opens=lambda *_: True, on_behalf_of=owner)
    assert isinstance(outcome, Applied), outcome
    return outcome.document


COMMENT = Set(path("site.PHX.comment"), "the first")


def test_the_first_document_says_what_the_estate_says_of_this_site_alone() -> None:
    assert FIRST.serial == 0
    site = FIRST.find(Section.SITE, "phx")
    assert site
    assert (site.text("server"), site.text("parent"), site.text("kind")) == ("SRV-PHX", "CEN", "primary")
    [account] = FIRST.of(Section.ACCOUNT)
    assert (account.name, account.text("generation")) == ("CORP\\SMSClient_PHX", "3")
    assert [item.name for item in FIRST.of(Section.SYSTEM)] == ["CAP1/client-access-point", "CAP1/distribution-point"]


def test_the_component_that_starts_all_others_cannot_be_switched_off() -> None:
    assert FIRST.find(Section.COMPONENT, ComponentName.SITE_COMPONENT_MANAGER) is None
    assert FIRST.find(Section.COMPONENT, ComponentName.SENDER) is not None


def test_an_applied_delta_makes_the_next_serial() -> None:
    outcome = judged(COMMENT)
    assert isinstance(outcome, Applied)
    site = outcome.document.find(Section.SITE, "PHX")
    assert (outcome.document.serial, site and site.text("comment")) == (1, "the first")


REFUSED: dict[str, tuple[Operation, DeltaStatus]] = {
    "no such item": (Set(path("component.SMS_NOTHING.enabled"), "no"), DeltaStatus.UNKNOWN),
    "no such property": (Set(Path(Section.SITE, "PHX", "colour"), "red"), DeltaStatus.UNKNOWN),
    "no item to remove": (RemoveItem(Section.ADDRESS, "NYC"), DeltaStatus.UNKNOWN),
    "the estate's": (Set(path("site.PHX.server"), "OTHER"), DeltaStatus.NOT_ITS_OWN),
    "the hierarchy's": (Set(path("address.NYC.url"), "https://nyc"), DeltaStatus.NOT_ITS_OWN),
    "an item that every site has": (RemoveItem(Section.SENDER, "https"), DeltaStatus.NOT_ITS_OWN),
    "no number": (Set(path("sender.https.at-once"), "many"), DeltaStatus.INVALID),
    "neither yes nor no": (Set(path("component.SMS_DESPOOLER.enabled"), "1"), DeltaStatus.INVALID),
    "a bracket": (Set(path("site.PHX.comment"), "a > b"), DeltaStatus.INVALID),
    "a line break": (Set(path("site.PHX.comment"), "a\nb"), DeltaStatus.INVALID),
    "a bracket in a name": (Set(path("address.N>C.order"), "1"), DeltaStatus.INVALID),
    "no account": (Set(path("address.NYC.account"), "svc"), DeltaStatus.INVALID),
    "a clear secret": (Set(path("address.NYC.password"), "Maple7Rain"), DeltaStatus.INVALID),
    "a sealed comment": (Set(path("site.PHX.comment"), Sealed(b"x")), DeltaStatus.INVALID),
    "another key": (
        Set(
            path("address.NYC.password"),
            seal_for_site(new_keys().recipient, PHX, path("address.NYC.password"), Secret("Maple7Rain")),
        ),
        DeltaStatus.WRONG_KEY,
    ),
    "another place": (
        Set(
            path("address.NYC.password"),
            seal_for_site(KEYS.recipient, PHX, path("address.LAX.password"), Secret("Maple7Rain")),
        ),
        DeltaStatus.WRONG_KEY,
    ),
    "another site": (
        Set(
            path("address.NYC.password"),
            seal_for_site(KEYS.recipient, SiteCode("LAX"), path("address.NYC.password"), Secret("Maple7Rain")),
        ),
        DeltaStatus.WRONG_KEY,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_delta_that_cannot_be_applied_is_refused_with_its_status(case: str) -> None:
    operation, expected = REFUSED[case]
    assert status(operation) is expected


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_said_of_a_refused_delta_holds_no_value(case: str) -> None:
    outcome = judged(REFUSED[case][0])
    assert isinstance(outcome, RefusedDelta)
    assert "Maple7Rain" not in outcome.said + outcome.hint


def test_a_delta_with_one_bad_operation_changes_nothing() -> None:
    assert status(COMMENT, REFUSED["no number"][0]) is DeltaStatus.INVALID
    assert status(COMMENT) is DeltaStatus.APPLIED


def test_a_delta_for_an_older_serial_or_another_site_is_refused() -> None:
    assert status(COMMENT, base=7) is DeltaStatus.STALE
    assert status(COMMENT, site="NYC") is DeltaStatus.OTHER_SITE


def test_a_secret_under_this_sites_key_for_its_place_is_taken_and_opens_again() -> None:
    where = path("address.NYC.password")
    sealed = seal_for_site(KEYS.recipient, PHX, where, Secret("Maple7Rain"))
    outcome = judged(Set(where, sealed))
    assert isinstance(outcome, Applied)
    item = outcome.document.find(Section.ADDRESS, "nyc")
    kept = item.get("password") if item else ""
    assert isinstance(kept, Sealed)
    assert open_for_site(KEYS, PHX, where, kept) == Secret("Maple7Rain")
    assert "Maple7Rain" not in repr(outcome) + document_text(outcome.document)


def test_a_refused_delta_is_kept_without_what_may_be_a_password() -> None:
    operations = (
        Set(path("address.NYC.password"), "Maple7Rain"),
        Set(path("address.NYC.order"), "Maple7Rain"),
        Set(Path(Section.SITE, "PHX", "passwort"), "Maple7Rain"),
        COMMENT,
    )
    kept = delta_text(without_values(Delta(PHX, "olga", 0, operations)))
    assert "Maple7Rain" not in kept
    assert "the first" in kept


def test_the_estate_changes_its_own_part_and_nothing_else_of_the_document() -> None:
    commented = applied(FIRST, (COMMENT,), Owner.CONTROL_FILE)
    renewed = replace(
        ESTATE,
        systems=(SiteSystem("CAP2", PHX, ("client-access-point",)),),
        accounts=(replace(CLIENT, generation=4), replace(CLIENT, account=AccountToBe(CORP, "Svc"))),
    )
    after = applied(commented, following(commented, renewed), Owner.ESTATE)
    assert following(after, renewed) == ()
    assert [item.name for item in after.of(Section.ACCOUNT)] == ["CORP\\SMSClient_PHX", "CORP\\Svc"]
    assert [item.name for item in after.of(Section.SYSTEM)] == ["CAP2/client-access-point"]
    site = after.find(Section.SITE, "PHX")
    assert site
    assert site.text("comment") == "the first"
    assert difference(commented, after).changed[0].after == "4"


def test_a_deleted_account_leaves_the_document_and_a_parent_that_is_gone_too() -> None:
    renewed = replace(
        ESTATE,
        sites=(replace(ESTATE.sites[0], parent=None, kind=SiteKind.CENTRAL),),
        accounts=(replace(CLIENT, life=AccountLife.DELETED),),
    )
    after = applied(FIRST, following(FIRST, renewed), Owner.ESTATE)
    site = after.find(Section.SITE, "PHX")
    assert site
    assert (site.text("parent"), site.text("kind")) == ("", "central")
    assert [*after.of(Section.ACCOUNT)] == []


def test_an_estate_that_says_the_same_yields_no_delta() -> None:
    assert following(FIRST, ESTATE) == ()
    assert missing_items(FIRST) == ()


def test_a_site_that_is_not_in_the_estate_has_no_control_file() -> None:
    with pytest.raises(NotFound, match="no site LAX"):
        first_document(ESTATE, SiteCode("LAX"))


def test_a_component_that_a_later_release_brings_comes_into_an_old_document() -> None:
    old = replace(FIRST, items=tuple(item for item in FIRST.items if item.name != ComponentName.SENDER))
    after = applied(old, missing_items(old), Owner.CONTROL_FILE)
    sender = after.find(Section.COMPONENT, ComponentName.SENDER)
    assert sender
    assert sender.text("enabled") == "yes"


def test_a_neighbour_that_joins_has_an_address_and_takes_it_along_when_it_leaves() -> None:
    joined = applied(FIRST, following_hierarchy(FIRST, {SiteCode("NYC"): "https://nyc:8443"}), Owner.HIERARCHY)
    address = joined.find(Section.ADDRESS, "NYC")
    assert address
    assert address.text("url") == "https://nyc:8443"
    assert following_hierarchy(joined, {SiteCode("nyc"): "https://nyc:8443"}) == ()
    gone = applied(joined, following_hierarchy(joined, {}), Owner.HIERARCHY)
    assert gone.find(Section.ADDRESS, "NYC") is None


def test_the_address_of_a_neighbour_is_not_removed_by_hand_and_keeps_what_was_set_by_hand() -> None:
    joined = applied(FIRST, following_hierarchy(FIRST, {SiteCode("NYC"): "https://nyc:8443"}), Owner.HIERARCHY)
    delta = Delta(PHX, "olga", 1, (RemoveItem(Section.ADDRESS, "NYC"),))
    outcome = apply(joined, delta, opens=lambda *_: True, on_behalf_of=Owner.CONTROL_FILE)
    assert isinstance(outcome, RefusedDelta)
    assert outcome.status is DeltaStatus.NOT_ITS_OWN
    ordered = applied(joined, (Set(path("address.NYC.order"), "2"),), Owner.CONTROL_FILE)
    gone = applied(ordered, following_hierarchy(ordered, {}), Owner.HIERARCHY)
    address = gone.find(Section.ADDRESS, "NYC")
    assert address
    assert dict(address.properties) == {"order": "2"}


def test_a_difference_names_what_was_added_removed_and_changed() -> None:
    after = applied(
        FIRST,
        (COMMENT, Set(path("address.NYC.order"), "2"), Set(path("sender.https.at-once"), "3")),
        Owner.CONTROL_FILE,
    )
    found = difference(FIRST, after)
    assert [str(item.name) for item in found.added] == ["NYC"]
    changed: list[tuple[str, Value, Value]] = [(str(c.path), c.before, c.after) for c in found.changed]
    assert changed == [("site.PHX.comment", "", "the first"), ("sender.https.at-once", "8", "3")]
    back = difference(after, FIRST)
    assert ([item.name for item in back.removed], back.added) == (["NYC"], ())


def test_a_document_and_a_delta_are_read_as_they_were_written() -> None:
    operations = (Set(path("address.NYC.password"), Sealed(b"\x00\xff")), Remove(path("site.PHX.comment")))
    delta = Delta(PHX, "olga", 4, (*operations, RemoveItem(Section.ADDRESS, "LAX")))
    assert read_delta(delta_text(delta)) == delta
    document = applied(FIRST, (operations[0],), Owner.CONTROL_FILE)
    assert read_document(document_text(document)) == document


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"site":"PHX","author":"a","base":0,"operations":[{"set":1}]}', "\xff"]
)
def test_what_is_no_delta_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadForm) as refused:
        read_delta(text)
    assert str(refused.value) == "this is no delta of a site control file"


def test_a_place_is_written_with_dots_in_the_name_of_its_item() -> None:
    assert read_path("system.cap1.corp.example/x.share") == Path(Section.SYSTEM, "cap1.corp.example/x", "share")
    assert read_item("address.N.Y") == (Section.ADDRESS, "N.Y")


@pytest.mark.parametrize("text", ["", "site", "site.PHX", "house.PHX.name", "site.PHX.colour", "site..name"])
def test_a_place_that_does_not_exist_is_refused_with_those_that_do(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_path(text)
    assert refused.value.hint
