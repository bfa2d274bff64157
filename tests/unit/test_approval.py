"""Two persons' yes to exactly what would run."""

from dataclasses import fields, replace
from typing import Any

import pytest

from keyturn.distribution.approval import Consent, Subject, is_agreed, may_still_approve
from keyturn.distribution.authored import Authored
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
    LoggedOn,
    Overrun,
    Package,
    PackageId,
    Program,
    ProgramName,
    Rerun,
    Rights,
)

PACKAGE, OTHER = Package(PackageId("PHX00001"), "Editor", "/srv"), Package(PackageId("PHX00002"), "Fonts", "/srv")
FIRST = Program(OTHER.package_id, "Fonts", "./fonts", Rights.USER, LoggedOn.USER_LOGGED_ON)
PROGRAM = Program(PACKAGE.package_id, "Install", "./install", run_first=FIRST.ref)
COLLECTION = Collection(CollectionId("PHXC0001"), "Desks", ("PC-0001",))
OFFER = Advertisement(AdvertisementId("PHX20001"), PROGRAM.ref, COLLECTION.collection_id, 1000.0)
READ = Authored(
    {PACKAGE.package_id: PACKAGE, OTHER.package_id: OTHER},
    {PROGRAM.ref: PROGRAM, FIRST.ref: FIRST},
    {COLLECTION.collection_id: COLLECTION},
    {PACKAGE.package_id: "d1", OTHER.package_id: "d2"},
)


def subject_of(read: Authored = READ, offer: Advertisement = OFFER) -> Subject:
    subject = read.subject(offer)
    assert subject is not None
    return subject


SUBJECT = subject_of()


def said(person: str, *, approves: bool, digest: str = SUBJECT.digest) -> Consent:
    return Consent(OFFER.advertisement_id, digest, person, approves, 1.0)


@pytest.mark.parametrize(
    ("consents", "agreed"),
    [
        ([], False),
        ([said("olga", approves=False)], False),
        ([said("paul", approves=True)], False),
        ([said("olga", approves=False), said("paul", approves=True)], True),
        ([said("olga", approves=True), said("paul", approves=True)], True),
        ([said("olga", approves=False), said("anna", approves=False)], False),
        ([said("olga", approves=False), said("OLGA ", approves=True)], False),
        ([said("olga", approves=False, digest="another"), said("paul", approves=True)], False),
        ([said("olga", approves=False), said("paul", approves=True, digest="another")], False),
    ],
)
def test_an_approver_and_somebody_else_have_said_yes_to_exactly_this(consents: list[Consent], agreed: bool) -> None:
    assert is_agreed(SUBJECT, consents, two_persons=True) == agreed
    assert is_agreed(SUBJECT, consents, two_persons=False)


def test_what_runs_as_the_user_needs_nobody_unless_something_administrative_runs_first() -> None:
    user = replace(PROGRAM, rights=Rights.USER, logged_on=LoggedOn.USER_LOGGED_ON)
    as_user = subject_of(replace(READ, programs={user.ref: user, FIRST.ref: FIRST}))
    assert is_agreed(as_user, [], two_persons=True)
    first = replace(FIRST, rights=Rights.ADMINISTRATIVE)
    raised = subject_of(replace(READ, programs={user.ref: user, first.ref: first}))
    assert not is_agreed(raised, [], two_persons=True)


PROGRAM_CHANGES: dict[str, Any] = {
    "package": OTHER.package_id,
    "name": "Other",
    "command_line": "./other",
    "rights": Rights.USER,
    "logged_on": LoggedOn.NO_USER,
    "every_user": True,
    "drive": "*",
    "afterwards": Afterwards.CLIENT_RESTARTS,
    "unattended": False,
    "max_run_s": 60.0,
    "overrun": Overrun.STOP_WATCHING,
    "run_first": None,
    "software_installation_account": True,
    "shares": (r"\\files\office",),
    "success_codes": (0, 1),
    "detection": (Detection(DetectionKind.COMMAND, "./look"),),
}
OFFER_CHANGES: dict[str, Any] = {
    "program": ProgramName(PACKAGE.package_id, "Other"),
    "collection": CollectionId("PHXC0002"),
    "available_at": 1001.0,
    "name": "Soon",
    "expires_at": 2000.0,
    "assignments": (At(1000.0, 60.0), Event.LOGON),
    "rerun": Rerun.ALWAYS,
}
COLLECTION_CHANGES: dict[str, Any] = {
    "collection_id": CollectionId("PHXC0002"),
    "name": "Servers",
    "listed": ("PC-0001", "SRV-1"),
    "queries": ((Condition("os", Comparison.IS, "debian"),),),
}


def test_every_property_of_every_part_is_part_of_what_was_agreed_to() -> None:
    assert set(PROGRAM_CHANGES) == {each.name for each in fields(Program)}
    assert set(OFFER_CHANGES) == {each.name for each in fields(Advertisement)} - {"advertisement_id"}
    assert set(COLLECTION_CHANGES) == {each.name for each in fields(Collection)}
    changed = [
        replace(SUBJECT, programs=(replace(FIRST, command_line="./x"), PROGRAM)),
        *(replace(SUBJECT, programs=(FIRST, replace(PROGRAM, **{k: v}))) for k, v in PROGRAM_CHANGES.items()),
        *(replace(SUBJECT, advertisement=replace(OFFER, **{k: v})) for k, v in OFFER_CHANGES.items()),
        *(replace(SUBJECT, collection=replace(COLLECTION, **{k: v})) for k, v in COLLECTION_CHANGES.items()),
        replace(SUBJECT, contents=((OTHER.package_id, "d2"), (PACKAGE.package_id, "d3"))),
        replace(SUBJECT, contents=((OTHER.package_id, "d3"), (PACKAGE.package_id, "d1"))),
    ]
    digests = [SUBJECT.digest, *(subject.digest for subject in changed)]
    assert len(set(digests)) == len(digests)


def test_the_number_of_an_advertisement_is_not_part_of_it() -> None:
    unnumbered = replace(SUBJECT, advertisement=replace(OFFER, advertisement_id=AdvertisementId("")))
    assert unnumbered.digest == SUBJECT.digest


def test_a_digest_is_the_same_in_every_release() -> None:
    """Were it another one, every approval would be void after an upgrade."""
    assert SUBJECT.digest == "f96839eec38a70f42915f85d17e0fb95abc47f6dd66098753ed42b9bd1157d87"


def test_what_runs_first_is_the_first_of_its_programs_with_its_package() -> None:
    assert SUBJECT.programs == (FIRST, PROGRAM)
    assert SUBJECT.contents == ((OTHER.package_id, "d2"), (PACKAGE.package_id, "d1"))


@pytest.mark.parametrize(
    "gone",
    [
        replace(READ, programs={PROGRAM.ref: PROGRAM}),
        replace(READ, programs={FIRST.ref: FIRST}),
        replace(READ, collections={}),
        replace(READ, packages={PACKAGE.package_id: PACKAGE}),
        replace(READ, programs={**READ.programs, FIRST.ref: replace(FIRST, run_first=PROGRAM.ref)}),
    ],
)
def test_nothing_is_agreed_to_where_a_part_is_gone_or_leads_in_a_circle(gone: Authored) -> None:
    assert gone.subject(OFFER) is None


def test_whoever_has_said_yes_need_not_say_it_again() -> None:
    assert not may_still_approve(SUBJECT, [said("olga", approves=False)], "Olga")
    assert may_still_approve(SUBJECT, [said("olga", approves=False)], "paul")
    assert may_still_approve(SUBJECT, [said("olga", approves=False, digest="another")], "olga")
