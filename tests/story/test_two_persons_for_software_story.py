"""Nothing is run as administrator by one person alone: what the two agree to, and every way round it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.distribution.approval import Standing
from keyturn.model.accounts import AccountToBe, RealmName
from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.model.software import (
    AdvertisementId,
    LoggedOn,
    Program,
    ProgramName,
    Rights,
)
from keyturn.operations import advertising, software_collections, software_packages, software_programs
from keyturn.operations.software_packages import NewPackage
from keyturn.operations.software_reading import in_force
from tests.inner_site import InnerSite
from tests.software import INSTALL, OFFER, PACKAGE, advertise, approve, author, digest, software_site, source_of, wanted

PROGRAM = Program(PACKAGE, "Install", "./install")
AS_USER = replace(PROGRAM, rights=Rights.USER, logged_on=LoggedOn.USER_LOGGED_ON)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = software_site(tmp_path, two_person_approval=True)
    author(site)
    yield site
    site.close()


@pytest.fixture
def agreed(site: InnerSite) -> InnerSite:
    advertise(site, by="olga")
    approve(site, by="paul")
    assert offered(site) == [OFFER]
    return site


def offered(site: InnerSite) -> list[AdvertisementId]:
    return [each.advertisement_id for each in in_force(site.parts).advertisements]


def told(site: InnerSite, kind: str) -> list[str]:
    return [event.actor for event in site.store.since(0, 10_000) if event.kind == kind]


def test_one_person_proposes_and_another_one_puts_it_in_force(site: InnerSite) -> None:
    assert advertise(site, by="olga") == OFFER
    assert offered(site) == []
    assert advertising.show(site.parts, OFFER).standing is Standing.WAITING
    approve(site, by="paul")
    assert offered(site) == [OFFER]
    assert told(site, "advertisement-made") == ["olga"]
    assert told(site, "advertisement-approved") == ["paul"]


@pytest.mark.parametrize("same", ["olga", "OLGA", " olga "])
def test_who_advertised_it_does_not_approve_it(site: InnerSite, same: str) -> None:
    advertise(site, by="olga")
    with pytest.raises(Refused, match="another person"):
        approve(site, by=same)
    assert offered(site) == []


def test_what_runs_as_the_user_waits_for_nobody(site: InnerSite) -> None:
    software_programs.add(site.parts, AS_USER, replacing=True, by="olga")
    advertise(site)
    assert offered(site) == [OFFER]


def test_without_two_person_approval_one_person_is_enough(tmp_path: Path) -> None:
    site = software_site(tmp_path, two_person_approval=False)
    author(site)
    advertise(site)
    assert offered(site) == [OFFER]
    software_programs.add(site.parts, replace(PROGRAM, command_line="./other"), replacing=True, by="olga")
    assert offered(site) == [OFFER]
    site.close()


def edit_program(site: InnerSite, by: str) -> None:
    software_programs.add(site.parts, replace(PROGRAM, command_line="./evil"), replacing=True, by=by)


def swap_content(site: InnerSite, by: str) -> None:
    source_of(site, "editor", install="another editor")
    software_packages.update(site.parts, PACKAGE, by=by)


def swap_source(site: InnerSite, by: str) -> None:
    elsewhere = source_of(site, "elsewhere", install="another editor")
    software_packages.update(site.parts, PACKAGE, source=elsewhere, by=by)


def widen_collection(site: InnerSite, by: str) -> None:
    software_collections.add(site.parts, "Desks", ["PC-0001", "PC-0002"], [], replacing=True, by=by)


def query_everybody(site: InnerSite, by: str) -> None:
    software_collections.add(site.parts, "Desks", [], ["name like *"], replacing=True, by=by)


def run_another_first(site: InnerSite, by: str) -> None:
    first = Program(PACKAGE, "First", "./evil")
    software_programs.add(site.parts, first, by=by)
    software_programs.add(site.parts, replace(PROGRAM, run_first=first.ref), replacing=True, by=by)


CHANGES: list[Callable[[InnerSite, str], None]] = [
    edit_program,
    swap_content,
    swap_source,
    widen_collection,
    query_everybody,
    run_another_first,
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("mallory", ["olga", "paul", "mallory"])
def test_what_was_agreed_to_is_not_changed_by_one_person(
    agreed: InnerSite, change: Callable[[InnerSite, str], None], mallory: str
) -> None:
    change(agreed, mallory)
    assert offered(agreed) == []
    with pytest.raises(Refused, match="another person"):
        approve(agreed, by=mallory)
    assert offered(agreed) == []
    approve(agreed, by="anna")
    assert offered(agreed) == [OFFER]
    assert told(agreed, "advertisement-changed") == [mallory]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_before_the_approval_takes_two_more_persons(
    site: InnerSite, change: Callable[[InnerSite, str], None]
) -> None:
    """Olga advertised something else than what is there now, so her word counts no more."""
    advertise(site, by="olga")
    change(site, "mallory")
    approve(site, by="mallory")
    assert offered(site) == []
    approve(site, by="olga")
    assert offered(site) == [OFFER]


def test_an_unknowing_change_of_somebody_else_lends_no_second_yes(agreed: InnerSite) -> None:
    """Mallory edits the program; Olga, who does not know of it, changes the collection; Mallory approves."""
    edit_program(agreed, "mallory")
    widen_collection(agreed, "olga")
    approve(agreed, by="mallory")
    assert offered(agreed) == []


def test_nobody_goes_back_alone_to_what_was_agreed_to_once(agreed: InnerSite) -> None:
    """An earlier version may be the one with the hole in it."""
    software_programs.add(agreed.parts, replace(PROGRAM, command_line="./safer"), replacing=True, by="olga")
    approve(agreed, by="paul")
    assert offered(agreed) == [OFFER]
    software_programs.add(agreed.parts, PROGRAM, replacing=True, by="mallory")
    assert offered(agreed) == []
    with pytest.raises(Refused, match="another person"):
        approve(agreed, by="mallory")


def test_a_users_program_does_not_become_administrative_by_one_person(site: InnerSite) -> None:
    software_programs.add(site.parts, AS_USER, replacing=True, by="mallory")
    advertise(site, by="mallory")
    assert offered(site) == [OFFER]
    software_programs.add(site.parts, PROGRAM, replacing=True, by="mallory")
    assert offered(site) == []
    approve(site, by="mallory")
    assert offered(site) == []


def test_the_program_that_runs_first_is_part_of_what_was_agreed_to(site: InnerSite) -> None:
    software_packages.add(site.parts, NewPackage("Fonts", source_of(site, "fonts", fonts="serif")), by="olga")
    fonts = ProgramName(software_packages.update(site.parts, "PHX00002", by="olga").manifest.package, "Fonts")  # type: ignore[arg-type]
    software_programs.add(site.parts, Program(fonts.package, "Fonts", "./fonts"), by="olga")
    software_programs.add(site.parts, replace(PROGRAM, run_first=fonts), replacing=True, by="olga")
    advertise(site, by="olga")
    approve(site, by="paul")
    assert offered(site) == [OFFER]
    source_of(site, "fonts", fonts="evil")
    software_packages.update(site.parts, fonts.package, by="mallory")
    assert offered(site) == []


def test_nobody_approves_what_they_have_not_seen(site: InnerSite) -> None:
    advertise(site, by="olga")
    seen = digest(site)
    edit_program(site, "mallory")
    with pytest.raises(Refused, match="has changed since you looked"):
        advertising.approve(site.parts, OFFER, seen, by="paul")


def test_nobody_advertises_what_they_have_not_seen(site: InnerSite) -> None:
    seen = advertising.look_ahead(site.parts, wanted()).digest
    edit_program(site, "mallory")
    with pytest.raises(Refused, match="has changed since you looked"):
        advertising.advertise(site.parts, wanted(), seen, by="olga")


def test_a_program_made_anew_under_an_old_name_is_another_one(agreed: InnerSite) -> None:
    with pytest.raises(Refused, match=OFFER):
        software_programs.remove(agreed.parts, INSTALL, by="mallory")
    with pytest.raises(Refused, match=OFFER):
        software_packages.remove(agreed.parts, PACKAGE, by="mallory")
    with pytest.raises(Refused, match=OFFER):
        software_collections.remove(agreed.parts, "Desks", by="mallory")
    agreed.store.remove_program(INSTALL)  # as somebody with the database in hand could
    assert offered(agreed) == []
    agreed.store.keep_program(replace(PROGRAM, command_line="./evil"))
    assert offered(agreed) == []


def test_what_is_cancelled_is_neither_approved_nor_offered_again(agreed: InnerSite) -> None:
    advertising.cancel(agreed.parts, OFFER, by="olga")
    assert offered(agreed) == []
    with pytest.raises(Refused, match="cancelled"):
        approve(agreed, by="anna")
    with pytest.raises(Refused, match="olga has cancelled"):
        advertising.cancel(agreed.parts, OFFER, by="paul")
    assert advertise(agreed, by="olga") == "PHX20002", "a number is never given out twice"
    assert offered(agreed) == []


def test_one_that_has_expired_is_offered_no_more_and_may_be_forgotten(site: InnerSite) -> None:
    soon = site.clock() + 60
    advertise(site, by="olga", expires_at=soon)
    approve(site, by="paul")
    with pytest.raises(Refused, match="is in force"):
        advertising.remove(site.parts, OFFER, by="olga")
    site.clock.turn(60)
    assert offered(site) == []
    advertising.remove(site.parts, OFFER, by="olga")
    assert advertising.show_all(site.parts) == []


def test_who_may_read_a_package_is_changed_without_asking_anew(agreed: InnerSite) -> None:
    agreed.realm().create(AccountToBe(RealmName("CORP"), "KtUsers"), Secret("Sees-It-All-1"))
    package = software_packages.give_access(agreed.parts, PACKAGE, [r"corp\KtUsers", "CORP/KtUsers"], [], by="olga")
    assert package.access == (r"CORP\KtUsers",)
    assert offered(agreed) == [OFFER]
    assert software_packages.give_access(agreed.parts, PACKAGE, [], [r"CORP\ktusers"], by="olga").access == ()
    with pytest.raises(Refused, match="may not read"):
        software_packages.give_access(agreed.parts, PACKAGE, [], [r"CORP\KtUsers"], by="olga")


def test_reading_a_source_that_holds_the_same_changes_nothing(agreed: InnerSite) -> None:
    assert not software_packages.update(agreed.parts, PACKAGE, by="mallory").new
    assert offered(agreed) == [OFFER]
