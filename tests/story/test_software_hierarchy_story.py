"""Software through the hierarchy: authored at CEN, offered at EUR and LON below it; how clients fare is told to CEN."""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from msgspec import structs

from keyturn.distribution.approval import Standing
from keyturn.distribution.handed_down import HandedDown, Reports, ToldReport
from keyturn.distribution.reports import AdvertisementReport, AdvertisementState
from keyturn.model.errors import Refused
from keyturn.model.estate import SiteCode
from keyturn.model.software import (
    Advertisement,
    AdvertisementId,
    CollectionId,
    Event,
    Package,
    PackageId,
    Program,
    ProgramName,
)
from keyturn.operations import (
    advertising,
    content_below,
    handing_down,
    hierarchy,
    reports_above,
    software_collections,
    software_packages,
    software_programs,
)
from keyturn.operations.advertisement_status import advertisement_status
from keyturn.operations.content_ports import Arriving
from keyturn.operations.distributing import distribute
from keyturn.operations.handing_down import HandingDown
from keyturn.operations.inbox_reading import read_inboxes
from keyturn.operations.inboxes import deliver
from keyturn.operations.sending import Sender
from keyturn.operations.software_policy import Policies
from keyturn.operations.status_messages import Asked
from keyturn.site import messages
from tests.hierarchy import Hierarchy, child, estate
from tests.inner_site import InnerSite

PACKAGE, OFFER, DESKS = PackageId("CEN00001"), AdvertisementId("CEN20001"), CollectionId("CENC0001")
INSTALL = ProgramName(PACKAGE, "Install")
CEN, EUR, LON = map(SiteCode, ("CEN", "EUR", "LON"))
LARGE = 18 * 1024 * 1024
State = AdvertisementState


def machines(code: str) -> str:
    return (
        f'\n[[site_system]]\nname = "SRV-{code}"\nsite = "{code}"\nroles = ["distribution-point"]\n'
        f'\n[[client]]\nname = "PC-{code}"\nsite = "{code}"\nkind = "advanced"\n'
        f'\n[[client]]\nname = "LT-{code}"\nsite = "{code}"\nkind = "advanced"\n'
    )


ESTATES = {
    "CEN": estate(
        "CEN",
        realm="CORP",
        kind="central",
        sites=child("EUR", parent="CEN", realm="CORP") + child("LON", parent="EUR", realm="CORP", kind="secondary"),
        accounts=machines("CEN"),
    ),
    "EUR": estate(
        "EUR",
        realm="EURO",
        sites=child("LON", parent="EUR", realm="EURO", kind="secondary"),
        accounts=machines("EUR"),
    ),
    "LON": estate("LON", realm="HERE", accounts=machines("LON")),
}


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Hierarchy]:
    found = Hierarchy(tmp_path)
    for code, text in ESTATES.items():
        found.found(code, text, two_person_approval=code == "CEN")
    found.join("EUR", "CEN")
    found.join("LON", "EUR")
    found.settle(6)
    yield found
    found.close()


def source(site: InnerSite, **files: bytes) -> str:
    folder = site.folder / "sources" / "editor"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return str(folder)


def author(site: InnerSite, *, content: bytes = b"the editor", query: str = "name like 'PC-*'") -> None:
    place = source(site, install=content, empty=b"", again=content)
    software_packages.add(site.parts, software_packages.NewPackage("Editor", place), by="olga")
    software_packages.update(site.parts, PACKAGE, by="olga")
    software_programs.add(site.parts, Program(PACKAGE, "Install", "./install"), by="olga")
    software_collections.add(site.parts, "Desks", [], [query], by="olga")
    wanted = Advertisement(AdvertisementId(""), INSTALL, DESKS, 1000.0, assignments=(Event.AS_SOON_AS_POSSIBLE,))
    ahead = advertising.look_ahead(site.parts, wanted)
    advertising.advertise(site.parts, wanted, ahead.digest, by="olga")


def approve(site: InnerSite) -> None:
    subject = advertising.show(site.parts, OFFER).subject
    assert subject is not None
    advertising.approve(site.parts, OFFER, subject.digest, by="paul")


def offered(site: InnerSite, client: str) -> list[str]:
    """With how many points have its content."""
    told = Policies(site.parts, site.clock).of([client])[client]
    return [f"{one.advertisement.advertisement_id} {len(one.points)}" for one in told.policy.offers]


def settle(sites: Hierarchy, rounds: int = 12) -> None:
    for _ in range(rounds):
        sites.turn(step_s=10)
        for site in sites.sites.values():
            distribute(site.parts)


def standing(site: InnerSite, offer: AdvertisementId = OFFER) -> Standing:
    return advertising.show(site.parts, offer).standing


def content_at(site: InnerSite) -> dict[str, bytes]:
    assert site.parts.content is not None
    package = site.store.package(PACKAGE)
    blobs = site.parts.content.blobs
    files = site.store.manifest(PACKAGE, package.source_version).files
    return {file.path: b"".join(blobs.read(file.sha256)) for file in files}


def test_what_is_advertised_above_is_offered_below_to_the_clients_that_meet_its_query_there(sites: Hierarchy) -> None:
    author(sites.sites["CEN"])
    approve(sites.sites["CEN"])
    settle(sites)
    for code in ("EUR", "LON"):
        site = sites.sites[code]
        assert standing(site) is Standing.IN_FORCE
        assert offered(site, f"PC-{code}") == ["CEN20001 1"]
        assert offered(site, f"LT-{code}") == []
        assert content_at(site) == {"install": b"the editor", "empty": b"", "again": b"the editor"}


def test_what_nobody_has_approved_above_is_not_known_below(sites: Hierarchy) -> None:
    author(sites.sites["CEN"])
    settle(sites)
    assert sites.sites["EUR"].store.advertised() == ()
    assert offered(sites.sites["EUR"], "PC-EUR") == []


def test_a_change_above_withholds_it_below_until_it_is_approved_again(sites: Hierarchy) -> None:
    center, below = sites.sites["CEN"], sites.sites["LON"]
    author(center)
    approve(center)
    settle(sites)
    changed = Program(PACKAGE, "Install", "./install --all")
    software_programs.add(center.parts, changed, replacing=True, by="olga")
    settle(sites)
    assert below.store.program(INSTALL) == changed
    assert standing(below) is Standing.WAITING
    assert offered(below, "PC-LON") == []
    approve(center)
    settle(sites)
    assert offered(below, "PC-LON") == ["CEN20001 1"]


def test_new_content_is_sent_in_pieces_and_offered_once_it_is_there(sites: Hierarchy) -> None:
    center, below = sites.sites["CEN"], sites.sites["EUR"]
    author(center)
    approve(center)
    settle(sites)
    large = random.Random(7).randbytes(LARGE)
    source(center, install=large)
    software_packages.update(center.parts, PACKAGE, by="olga")
    approve(center)
    settle(sites, 20)
    assert content_at(below)["install"] == large
    assert offered(below, "PC-EUR") == ["CEN20001 1"]


def test_what_comes_as_another_file_is_thrown_away_and_asked_for_again(sites: Hierarchy) -> None:
    center, below = sites.sites["CEN"], sites.sites["EUR"]
    assert center.parts.content is not None
    author(center)
    [file, *_] = [file for file in center.store.manifest(PACKAGE, 1).files if file.path == "install"]
    damaged = Path(center.parts.content.blobs.place(file.sha256))
    damaged.chmod(0o644)
    damaged.write_bytes(b"THE editor")
    settle(sites)
    assert below.parts.content is not None
    assert below.parts.content.blobs.size(file.sha256) is None
    said = [message.text for message in below.store.messages(Asked(), 100)]
    assert sum("what came is not what it was to be" in text for text in said) == 1, "not again and again"
    damaged.write_bytes(b"the editor")
    sites.clock.turn(3600)
    settle(sites)
    assert content_at(below)["install"] == b"the editor"


def test_nothing_is_offered_below_while_its_content_is_at_no_point_there(sites: Hierarchy) -> None:
    author(sites.sites["CEN"])
    approve(sites.sites["CEN"])
    sites.settle()
    below = sites.sites["EUR"]
    assert (standing(below), offered(below, "PC-EUR")) == (Standing.IN_FORCE, [])
    distribute(below.parts)
    sites.clock.turn(10)
    assert offered(below, "PC-EUR") == ["CEN20001 1"]


def test_a_file_that_is_here_already_is_not_sent(sites: Hierarchy) -> None:
    center, below = sites.sites["CEN"], sites.sites["EUR"]
    assert below.parts.content is not None
    content = random.Random(8).randbytes(LARGE)
    below.parts.content.blobs.keep([content])
    author(center, content=content)
    approve(center)
    sizes = []
    for _ in range(12):
        settle(sites, 1)
        sizes += [len(center.store.outgoing_bundle(each)) for each in center.store.outgoing(["EUR"], 100)]
    assert content_at(below)["install"] == content
    assert sum(sizes) < LARGE / 10


def test_what_is_from_above_is_changed_there_and_the_refusal_says_where(sites: Hierarchy) -> None:
    author(sites.sites["CEN"])
    approve(sites.sites["CEN"])
    settle(sites)
    parts = sites.sites["EUR"].parts
    refused = (
        (lambda: software_packages.update(parts, PACKAGE, by="emil"), "keyturn package update CEN00001"),
        (lambda: software_packages.remove(parts, PACKAGE, by="emil"), "keyturn package remove CEN00001"),
        (
            lambda: software_packages.give_access(parts, PACKAGE, ["EURO\\Desks"], [], by="emil"),
            "keyturn package access CEN00001",
        ),
        (lambda: software_programs.add(parts, Program(PACKAGE, "Mine", "./x"), by="emil"), "keyturn program add"),
        (
            lambda: software_programs.add(parts, Program(PACKAGE, "Install", "./x"), replacing=True, by="emil"),
            "keyturn program add CEN00001 Install",
        ),
        (lambda: software_programs.remove(parts, INSTALL, by="emil"), "keyturn program remove CEN00001 Install"),
        (lambda: software_collections.remove(parts, DESKS, by="emil"), "keyturn collection remove CENC0001"),
        (
            lambda: software_collections.add(parts, DESKS, [], ["os is x"], replacing=True, by="emil"),
            "keyturn collection add CENC0001",
        ),
        (lambda: advertising.cancel(parts, OFFER, by="emil"), "keyturn advertisement cancel CEN20001"),
        (lambda: advertising.approve(parts, OFFER, "", by="emil"), "keyturn advertisement approve CEN20001"),
        (lambda: advertising.remove(parts, OFFER, by="emil"), "keyturn advertisement remove CEN20001"),
    )
    for attempt, command in refused:
        with pytest.raises(Refused, match="belongs to site CEN, and is changed there") as error:
            attempt()
        assert error.value.hint.startswith(f"at site CEN: {command}")


def test_a_collection_below_may_bear_the_name_of_one_above(sites: Hierarchy) -> None:
    center, below = sites.sites["CEN"], sites.sites["EUR"]
    software_collections.add(below.parts, "Desks", ["LT-EUR"], [], by="emil")
    author(center)
    settle(sites)
    assert software_collections.members_of(below.parts, "Desks") == ("LT-EUR",)
    assert software_collections.members_of(below.parts, "CEN/Desks") == ("PC-EUR",)
    assert software_collections.members_of(below.parts, "CENC0001") == ("PC-EUR",)


def test_a_site_below_advertises_a_package_from_above_to_its_own_collection(sites: Hierarchy) -> None:
    author(sites.sites["CEN"])
    settle(sites)
    below = sites.sites["EUR"]
    software_collections.add(below.parts, "Laptops", ["LT-EUR"], [], by="emil")
    wanted = Advertisement(AdvertisementId(""), INSTALL, CollectionId("EURC0001"), 1000.0)
    ahead = advertising.look_ahead(below.parts, wanted)
    advertising.advertise(below.parts, wanted, ahead.digest, by="emil")
    settle(sites)
    assert offered(below, "LT-EUR") == ["EUR20001 1"]
    assert [each.advertisement.advertisement_id for each in sites.sites["LON"].store.advertised()] == ["EUR20001"]
    assert standing(sites.sites["LON"], AdvertisementId("EUR20001")) is Standing.IN_FORCE


def test_a_site_that_joins_later_gets_everything_and_one_that_leaves_keeps_nothing(sites: Hierarchy) -> None:
    center, below = sites.sites["CEN"], sites.sites["EUR"]
    author(center)
    approve(center)
    settle(sites)
    hierarchy.leave(below.parts, by="emil")
    hierarchy.dismiss(center.parts, "EUR", by="olga")
    settle(sites)
    assert (below.store.packages(), below.store.advertised(), below.store.collections()) == ((), (), ())
    assert sites.sites["LON"].store.packages() == ()
    sites.join("EUR", "CEN")
    settle(sites)
    assert offered(below, "PC-EUR") == ["CEN20001 1"]
    assert offered(sites.sites["LON"], "PC-LON") == ["CEN20001 1"]


def test_what_is_cancelled_and_removed_above_is_so_below(sites: Hierarchy) -> None:
    center, below = sites.sites["CEN"], sites.sites["LON"]
    author(center)
    approve(center)
    settle(sites)
    advertising.cancel(center.parts, OFFER, by="olga")
    settle(sites)
    assert standing(below) is Standing.CANCELLED
    assert below.store.advertisement(OFFER).cancelled_by == "olga at CEN"
    advertising.remove(center.parts, OFFER, by="olga")
    software_packages.remove(center.parts, PACKAGE, by="olga")
    settle(sites)
    assert (below.store.advertised(), below.store.packages(), below.store.programs()) == ((), (), ())
    assert below.store.contents(PACKAGE) == ()


def said(number: int, machine: str, state: State) -> AdvertisementReport:
    return AdvertisementReport(
        machine=machine, at=100.0, number=number, advertisement=OFFER, package=PACKAGE, program="Install", state=state
    )


def test_how_clients_below_fare_is_told_above_each_report_once(sites: Hierarchy) -> None:
    center = sites.sites["CEN"]
    author(center)
    approve(center)
    settle(sites)
    for code in ("CEN", "EUR", "LON"):
        site = sites.sites[code]
        site.enrol(f"PC-{code}")
        for number, state in enumerate((State.RECEIVED, State.RUNNING, State.SUCCEEDED), 1):
            letter = messages.write(said(number, f"PC-{code}", state))
            deliver(site.parts, f"PC-{code}", "statmsgs.box", f"{number}.svf", letter)
        read_inboxes(site.parts)
    settle(sites)
    found = {(one.client, one.site): (one.state, one.member) for one in advertisement_status(center.parts, OFFER)}
    assert found == {
        ("PC-CEN", "CEN"): ("succeeded", True),
        ("PC-EUR", "EUR"): ("succeeded", True),
        ("PC-LON", "LON"): ("succeeded", True),
    }
    kept = center.store.reports(OFFER, "PC-LON")
    assert [(one.report.number, one.site) for one in kept] == [(1, "LON"), (2, "LON"), (3, "LON")]
    assert sites.sites["EUR"].store.queued_reports(10) == ()


def test_clients_of_two_sites_with_one_name_are_two(sites: Hierarchy) -> None:
    center = sites.sites["CEN"]
    author(center)
    for source_site, state in ((EUR, State.FAILED), (LON, State.SUCCEEDED)):
        told = ToldReport(said(1, "PC-0001", state), 5.0)
        reports_above.take(center.parts, source_site, told_of(told))
    found = {(one.site, one.client): one.state for one in advertisement_status(center.parts, OFFER) if one.site}
    assert found == {("EUR", "PC-0001"): "failed", ("LON", "PC-0001"): "succeeded"}


def told_of(*told: ToldReport) -> bytes:
    return messages.write(Reports(told))


def test_a_site_is_not_believed_about_what_is_not_its_own(sites: Hierarchy) -> None:
    center, below = sites.sites["CEN"].parts, sites.sites["EUR"].parts
    of_others = structs.replace(said(1, "PC-1", State.FAILED), advertisement="USA20001")
    foreign = HandedDown(packages=(Package(PackageId("LON00001"), "Foreign"),))
    attempts = (
        (lambda: handing_down.take(below, CEN, messages.write(foreign)), "hands down LON00001, which is not its own"),
        (lambda: handing_down.take(center, EUR, messages.write(HandedDown())), "EUR is not above this one"),
        (lambda: reports_above.take(below, CEN, told_of()), "CEN is not below this one"),
        (
            lambda: reports_above.take(center, EUR, told_of(ToldReport(of_others, 1.0))),
            "EUR tells this one of USA20001",
        ),
        (lambda: content_below.answer(below, CEN, b""), "CEN is not below this one"),
        (lambda: content_below.take(center, EUR, b""), "EUR was not asked for content"),
    )
    for attempt, reason in attempts:
        with pytest.raises(Refused, match=reason):
            attempt()


class Killed(BaseException):
    """Ends a site's process, as `kill -9` does."""


@dataclass
class Mortal:
    """The content that arrives at a site: at random its process ends right after the disk has it, or right before."""

    inner: Arriving
    chance: random.Random

    def there(self, sha256: str) -> int:
        return self.inner.there(sha256)

    def append(self, sha256: str, offset: int, piece: bytes) -> None:
        self._die()
        self.inner.append(sha256, offset, piece)
        self._die()

    def settle(self, sha256: str) -> bool:
        self._die()
        settled = self.inner.settle(sha256)
        self._die()
        return settled

    def sweep(self, used: Collection[str], before: float) -> None:
        self.inner.sweep(used, before)

    def _die(self) -> None:
        if self.chance.random() < 0.3:
            raise Killed


def mortal(sites: Hierarchy, code: str, chance: random.Random) -> None:
    site = sites.found(code, ESTATES[code], two_person_approval=code == "CEN")
    assert site.parts.content is not None
    content = replace(site.parts.content, arriving=Mortal(site.parts.content.arriving, chance))
    site.parts = replace(site.parts, content=content)
    sites.handing[code] = HandingDown(site.parts)
    sites.senders[code] = Sender(site.parts, lambda: 1.0)


@pytest.mark.parametrize("seed", range(2))
def test_sites_killed_at_random_lose_and_double_nothing(sites: Hierarchy, seed: int) -> None:
    chance = random.Random(seed)
    contents = [random.Random(100 + number).randbytes(3_000_000 + number) for number in range(3)]
    author(sites.sites["CEN"], content=contents[0])
    approve(sites.sites["CEN"])
    for code in ("EUR", "LON"):
        sites.sites[code].enrol(f"PC-{code}")
    pairs = [("CEN", "EUR"), ("EUR", "CEN"), ("EUR", "LON"), ("LON", "EUR")]
    kills = 0
    for round_number in range(45):
        sites.cut = {pair for pair in pairs if chance.random() < 0.2}
        sites.silent = {pair for pair in pairs if chance.random() < 0.2}
        if round_number in (15, 30):
            source(sites.sites["CEN"], install=contents[round_number // 15])
            software_packages.update(sites.sites["CEN"].parts, PACKAGE, by="olga")
            approve(sites.sites["CEN"])
        for code in ("EUR", "LON"):
            leave_report(sites.sites[code], f"PC-{code}", round_number + 1)
        victim = chance.choice(("CEN", "EUR", "LON"))
        for code in sites.sites:
            try:
                sites.turn(code, step_s=10)
            except Killed:
                victim = code
        if chance.random() < 0.5 or victim != "CEN":
            sites.sites[victim].close()
            mortal(sites, victim, chance)
            kills += 1
    sites.cut, sites.silent = set(), set()
    for code in sites.sites:
        sites.sites[code].close()
        sites.found(code, ESTATES[code], two_person_approval=code == "CEN")
    settle(sites, 40)
    assert kills > 10
    for code in ("EUR", "LON"):
        assert content_at(sites.sites[code])["install"] == contents[2]
        assert offered(sites.sites[code], f"PC-{code}") == ["CEN20001 1"]
        kept = sites.sites["CEN"].store.reports(OFFER, f"PC-{code}")
        known = sites.sites[code].store.reports(OFFER, f"PC-{code}")
        assert [one.report.number for one in kept] == [one.report.number for one in known]
        assert len(kept) > 20


def leave_report(site: InnerSite, machine: str, number: int) -> None:
    """Taken in once the advertisement is known."""
    deliver(site.parts, machine, "statmsgs.box", f"{number}.svf", messages.write(said(number, machine, State.RUNNING)))
    read_inboxes(site.parts)
