"""Bundles that go as files into the receive inbox on a share, with the Site Address account of their destination."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from keyturn.adapters.links.receive_folder import ReceivedFiles
from keyturn.model.accounts import AccountToBe, RealmName
from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.operations import accounts, bundles, links, site_control
from keyturn.operations.receive_inbox import BOX, PORTION
from keyturn.operations.status_messages import Asked
from keyturn.site.bundles import MAX_BUNDLE, Header, Kind, seal, sign
from keyturn.site.control.catalogue import Section
from keyturn.site.control.deltas import Set
from keyturn.site.control.document import Path as ControlPath
from keyturn.site.keys import new_keys
from keyturn.site.status_messages import MessageId
from tests.hierarchy import Hierarchy, account, child, estate
from tests.memory_access_point import MemoryAccessPoint

SHARE, ACCOUNT = r"\\cen\inboxes", r"CORP\KtToCen"
CEN, EUR = SiteCode("CEN"), SiteCode("EUR")
SECRET = Secret("Turn-the-key-0001")


@dataclass
class FolderShare(MemoryAccessPoint):
    """What is written into it stands in a folder."""

    folder: Path = field(default_factory=Path)

    def leave(self, box: str, name: str, content: bytes) -> None:
        assert box == BOX
        (self.folder / name).write_bytes(content)


@dataclass
class Linked:
    """EUR stands below CEN, whose receive inbox is on a share."""

    sites: Hierarchy
    share: FolderShare

    @property
    def receive(self) -> Path:
        return self.share.folder

    def send(self, payload: bytes) -> None:
        bundles.post(self.sites.sites["EUR"].parts, CEN, Kind.STATUS, payload)

    def received(self) -> list[bytes]:
        site = self.sites.sites["CEN"]
        return [bundles.collect(site.parts, header) for header in site.store.delivered()]

    def lying(self) -> list[str]:
        return sorted(path.name for path in self.receive.iterdir())

    def put_aside(self) -> list[str]:
        return sorted(path.name for path in (self.receive.parent / "bad").iterdir())

    def trouble(self) -> str:
        [link] = links.links(self.sites.sites["EUR"].parts)
        return link.record.trouble


@pytest.fixture
def linked(tmp_path: Path) -> Iterator[Linked]:
    sites = Hierarchy(tmp_path)
    below = child("EUR", parent="CEN", realm="CORP")
    address = account("KtToCen", "site-address", realm="CORP", sites=("EUR",))
    cen = sites.found("CEN", estate("CEN", realm="CORP", kind="central", sites=below, accounts=address))
    eur = sites.found("EUR", estate("EUR", realm="EURO"))
    cen.realm().create(AccountToBe(RealmName("CORP"), "KtToCen"), SECRET)
    sites.join("EUR", "CEN")
    accounts.adopt(cen.parts, ACCOUNT, SECRET, by="olga")
    inboxes = tmp_path / "inboxes"
    cen.parts = replace(cen.parts, receive_folder=ReceivedFiles(inboxes))
    share = FolderShare(cen.realm(), folder=inboxes / "despoolr.box" / "receive")
    eur.parts = replace(eur.parts, access_point=lambda place: share)
    sites.senders["EUR"].parts = eur.parts
    sites.settle()
    place = Set(ControlPath(Section.ADDRESS, "CEN", "place"), SHARE)
    site_control.propose(eur.parts, [place], by="olga")
    sites.logons.clear()
    yield Linked(sites, share)
    sites.close()


def test_files_go_over_the_share_with_one_logon_however_many_there_are(linked: Linked) -> None:
    for number in range(20):
        linked.send(b"%d" % number)
    linked.sites.turn("EUR")
    assert (len(linked.lying()), linked.share.logons) == (20, 1)
    linked.sites.settle(2)
    assert linked.received() == [b"%d" % number for number in range(20)]
    assert linked.lying() == []
    assert linked.sites.logons == []  # at the site's own server


def test_what_lies_there_twice_is_taken_once(linked: Linked) -> None:
    linked.send(b"once")
    linked.sites.turn("EUR")
    [name] = linked.lying()
    content = (linked.receive / name).read_bytes()
    linked.sites.turn("CEN")
    (linked.receive / name).write_bytes(content)
    linked.sites.turn("CEN")
    assert (linked.received(), linked.lying()) == ([b"once"], [])


def test_a_new_password_of_the_address_account_finds_its_way_without_the_share(linked: Linked) -> None:
    linked.sites.sites["CEN"].rotate(ACCOUNT)
    record = linked.sites.sites["CEN"].store.plans()[0]
    for _ in range(10):
        linked.sites.sites["CEN"].run(record.plan_id, rounds=1)
        linked.sites.settle(2)
    assert linked.sites.sites["CEN"].store.plan(record.plan_id).state == "done"
    linked.send(b"with the new one")
    linked.sites.settle()
    assert linked.received() == [b"with the new one"]
    assert linked.sites.sites["CEN"].realm().failed_logons(0) == 0


def test_a_password_changed_by_hand_is_shown_once_and_never_again(linked: Linked) -> None:
    realm = linked.sites.sites["CEN"].realm()
    found = realm.find("KtToCen")
    assert found is not None
    realm.set_password(found, Secret("Somebody-else-0001"))
    linked.send(b"waits")
    linked.sites.settle()
    assert realm.failed_logons(0) == 1
    assert "no Site Address account of site CEN that works" in linked.trouble()
    assert linked.received() == []


def test_a_share_that_is_away_is_tried_again_later_and_costs_no_logon(linked: Linked) -> None:
    linked.share.up = False
    linked.send(b"patient")
    linked.sites.settle(3)
    assert "does not answer" in linked.trouble()
    linked.share.up = True
    linked.sites.settle()
    told = [m.message_id for m in linked.sites.sites["EUR"].store.messages(Asked(), 1000)]
    assert [told.count(MessageId.LINK_TROUBLE), told.count(MessageId.LINK_WELL)] == [1, 1]
    assert (linked.trouble(), linked.received()) == ("", [b"patient"])


def test_what_is_no_bundle_of_a_site_is_put_aside_and_harms_nobody(linked: Linked) -> None:
    forged = Header(EUR, CEN, Kind.STATUS, 1, 0.0)
    recipient = linked.sites.sites["CEN"].store.site_keys().recipient
    (linked.receive / "a-forged").write_bytes(sign(forged, seal(b"forged", recipient), new_keys()))
    (linked.receive / "b-noise").write_bytes(b"no bundle")
    (linked.receive / "c-long").write_bytes(bytes(MAX_BUNDLE + 1))
    (linked.receive / "d-link").symlink_to("/etc/passwd")
    os.mkfifo(linked.receive / "e-pipe")
    (linked.receive / ".f-being-written").write_bytes(b"")
    linked.send(b"good")
    linked.sites.settle(3)
    assert linked.received() == [b"good"]
    assert linked.put_aside() == ["a-forged", "b-noise", "c-long", "d-link", "e-pipe"]
    assert linked.lying() == [".f-being-written"]


def test_a_bundle_of_a_site_that_is_not_known_yet_stays(linked: Linked) -> None:
    unknown = Header(SiteCode("NEW"), CEN, Kind.STATUS, 1, 0.0)
    recipient = linked.sites.sites["CEN"].store.site_keys().recipient
    (linked.receive / "new").write_bytes(sign(unknown, seal(b"hello", recipient), new_keys()))
    linked.sites.settle(3)
    assert linked.lying() == ["new"]


def test_bundles_that_stay_keep_no_other_waiting(linked: Linked) -> None:
    unknown = Header(SiteCode("NEW"), CEN, Kind.STATUS, 1, 0.0)
    recipient = linked.sites.sites["CEN"].store.site_keys().recipient
    bundle = sign(unknown, seal(b"hello", recipient), new_keys())
    for number in range(PORTION):
        (linked.receive / f"A-{number:03}").write_bytes(bundle)
    linked.send(b"behind them")
    linked.sites.settle(3)
    assert linked.received() == [b"behind them"]
