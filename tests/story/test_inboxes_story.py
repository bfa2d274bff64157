"""Access points and inboxes: published, taken in exactly once, and repaired when an account was made anew."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from keyturn.model.accounts import Account, AccountToBe, RealmName
from keyturn.model.secret import Secret
from keyturn.operations import accounts
from keyturn.operations.access_permissions import Found, apply_permissions, repair_permissions
from keyturn.operations.inbox_ports import FileState
from keyturn.operations.inboxes import VISIT_S, tend
from keyturn.operations.status_messages import Asked
from keyturn.server.access_point import access_files
from keyturn.site.access_points import BAD_BOX, PASSAGES
from keyturn.site.client_files import ClientStatus, DiscoveryRecord, write_letter
from keyturn.site.permissions import AccessList
from keyturn.site.status_messages import MessageId, Severity
from tests.estates import ADDITIONAL, account
from tests.inner_site import InnerSite, site_in
from tests.memory_access_point import MemoryAccessPoint, PowerCut

CONNECTION, SERVICE = r"CORP\SMSServer_PHX", r"CORP\SMSService"
SECRET = Secret("Turn-the-key-0001")
ESTATE = (
    ADDITIONAL
    + account("SMSServer_PHX", "server-connection")
    + account("SMSService", "service")
    + r"""
[[site_system]]
name = "FS1"
site = "PHX"
roles = ["client-access-point"]
share = '\\fs1.corp.example\cap'
"""
)
STATUS = write_letter(ClientStatus("PC-0001", 1.0, "Ccm", 10006, Severity.ERROR, "it did not install"))
RECORD = write_letter(DiscoveryRecord("PC-0001", 1.0, "legacy-client", ("CORP\\KtClient",)))


@dataclass
class Site:
    inner: InnerSite
    point: MemoryAccessPoint

    def visit(self) -> None:
        tend(self.inner.parts, lambda: access_files(self.inner.parts), at_once=True)

    def trouble(self) -> str:
        return self.inner.store.point("FS1").trouble

    def told(self) -> list[MessageId | int]:
        return [m.message_id for m in self.inner.store.messages(Asked(), 1000)]

    def seen(self) -> list[tuple[str, float, bool]]:
        return [(seen.name, seen.seen_at, seen.signed) for seen in self.inner.store.seen_clients()]

    def from_clients(self) -> list[str]:
        return [m.text for m in self.inner.store.messages(Asked(), 1000) if m.machine]

    def make_anew(self, name: str) -> Account:
        """Deleted in the directory and made again: the same name and password, another identity."""
        realm = self.inner.realm()
        found = realm.find(name)
        assert found is not None
        realm.delete(found)
        return realm.create(AccountToBe(RealmName("CORP"), name), SECRET)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    inner = site_in(tmp_path, ESTATE)
    realm = inner.realm()
    for name in (CONNECTION, SERVICE):
        realm.create(AccountToBe(RealmName("CORP"), name.partition("\\")[2]), SECRET)
        accounts.adopt(inner.parts, name, SECRET, by="olga")
    inner.create("KtClient")
    point = MemoryAccessPoint(realm, administrators={"SMSService"})
    inner.parts = replace(inner.parts, access_point=lambda share: point)
    yield Site(inner, point)
    inner.close()


def test_what_is_published_follows_what_it_says(site: Site) -> None:
    site.inner.enrol("PC-0001")
    site.visit()
    assert set(site.point.boxes["clidata.box"]) == {"site.json", "PC-0001.acc"}
    site.point.written.clear()
    site.visit()
    assert site.point.written == []
    del site.point.boxes["clidata.box"]["site.json"]
    site.inner.enrol("PC-0002")
    site.visit()
    assert sorted(site.point.written) == ["PC-0002.acc", "PC-0002.pol", "site.json"]


def test_a_new_credential_is_published_to_whom_it_concerns(site: Site) -> None:
    site.inner.enrol("PC-0001", "PC-0002")
    site.visit()
    site.point.written.clear()
    site.inner.enrol("PC-0001")  # with a key of its own, to which everything is sealed anew
    site.inner.rotate("KtClient")
    plan = site.inner.store.plans(only_open=True)[0].plan_id
    site.inner.run(plan, rounds=3)
    site.visit()
    assert sorted(site.point.written) == ["PC-0001.acc", "PC-0001.pol", "PC-0002.acc", "PC-0002.pol"]


def test_what_clients_wrote_is_read_and_gone_from_the_share(site: Site) -> None:
    site.visit()
    site.point.leave("statmsgs.box", "1.svf", STATUS)
    site.point.leave("ddr.box", "1.ddr", RECORD)
    site.point.leave("sinv.box", "1.sic", b"\0whatever it is")
    site.visit()
    assert site.from_clients() == ["it did not install"]
    assert site.seen() == [("PC-0001", site.inner.clock.now, False)]
    assert [len(site.point.boxes[box]) for box in PASSAGES] == [0] * len(PASSAGES)
    (kept,) = site.inner.store.inbox_files("sinv")
    assert site.inner.store.inbox_file(kept.number).content == b"\0whatever it is"


def test_a_file_that_is_still_written_is_left_alone_until_it_is_done(site: Site) -> None:
    site.visit()
    site.point.leave("statmsgs.box", "1.svf", STATUS)
    site.point.leave("statmsgs.box", ".2.svf.new", STATUS)
    site.point.open_elsewhere.add(r"statmsgs.box\1.svf")
    site.visit()
    assert (site.from_clients(), site.trouble()) == ([], "")
    site.point.open_elsewhere.clear()
    site.visit()
    assert site.from_clients() == ["it did not install"]
    assert set(site.point.boxes["statmsgs.box"]) == {".2.svf.new"}


@pytest.mark.parametrize("moment", ["take", "after-keep"])
def test_a_power_cut_loses_no_file_and_doubles_none(site: Site, moment: str) -> None:
    site.visit()
    site.point.leave("statmsgs.box", "1.svf", STATUS)

    def cut(verb: str) -> None:
        if verb == moment:
            raise PowerCut

    site.point.cut = cut
    with pytest.raises(PowerCut):
        site.visit()
    assert len(site.point.boxes["statmsgs.box"]) == 1
    site.point.cut = lambda verb: None
    site.visit()
    site.visit()
    assert site.from_clients() == ["it did not install"]
    assert site.point.boxes["statmsgs.box"] == {}


def test_the_same_words_in_another_file_are_said_twice(site: Site) -> None:
    site.visit()
    for _ in range(2):
        site.point.leave("statmsgs.box", "1.svf", STATUS)
        site.visit()
    assert site.from_clients() == ["it did not install"] * 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("long.svf", b"x" * 70_000, "70000 bytes are more than 65536"),
        ("na me.svf", STATUS, "its name is none that a client gives"),
    ],
)
def test_what_no_inbox_takes_is_put_aside_on_the_share(site: Site, name: str, content: bytes, reason: str) -> None:
    site.visit()
    site.point.leave("statmsgs.box", name, content)
    site.visit()
    assert (site.point.boxes["statmsgs.box"], site.from_clients()) == ({}, [])
    assert list(site.point.boxes[BAD_BOX].values()) == [content]
    (told,) = [m for m in site.inner.store.messages(Asked(), 1000) if m.message_id == MessageId.PUT_ASIDE]
    assert reason in told.text


@pytest.mark.parametrize("content", [b"", b"{", RECORD, STATUS.replace(b"10006", b"70000"), b"[" * 60_000])
def test_what_has_another_form_is_kept_and_told(site: Site, content: bytes) -> None:
    site.visit()
    site.point.leave("statmsgs.box", "1.svf", content)
    site.visit()
    (bad,) = site.inner.store.inbox_files()
    assert (bad.state, bad.note) == (FileState.BAD, "it is no status message")
    assert site.inner.store.inbox_file(bad.number).content == content
    assert MessageId.PUT_ASIDE in site.told()


def test_an_access_point_that_is_down_is_told_once_and_costs_no_logon(site: Site) -> None:
    site.point.up = False
    site.visit()
    site.visit()
    assert (site.trouble(), site.point.logons) == ("file server fs1 does not answer", 0)
    assert site.told().count(MessageId.POINT_TROUBLE) == 1
    site.point.up = True
    site.visit()
    assert site.trouble() == ""
    assert MessageId.POINT_REACHED in site.told()


def test_a_password_that_was_called_wrong_is_presented_once_however_long_it_stays_wrong(site: Site) -> None:
    realm = site.inner.realm()
    found = realm.find("SMSServer_PHX")
    assert found is not None
    realm.set_password(found, Secret("Somebody-else-0001"))
    realm.set_password(found, Secret("Somebody-else-0002"))  # the one before it is taken by grace
    for _ in range(5):
        site.visit()
        site.inner.clock.turn(90_000)
    assert site.point.logons == 1
    assert "called wrong" in site.trouble()
    accounts.adopt(site.inner.parts, CONNECTION, Secret("Somebody-else-0002"), by="olga")
    site.visit()
    assert site.trouble() == ""


def test_a_server_connection_account_made_anew_has_lost_its_rights_until_they_are_repaired(site: Site) -> None:
    parts = site.inner.parts
    apply_permissions(parts, "FS1", by="olga")
    site.visit()
    site.make_anew("SMSServer_PHX")
    site.point.leave("statmsgs.box", "1.svf", STATUS)
    site.visit()
    assert r"denied to SMSServer_PHX" in site.trouble()
    assert site.from_clients() == []
    shown = repair_permissions(parts, None, by="olga", carry_out=False)["FS1"].dead
    assert {entry.account for entry in shown} == {CONNECTION}
    assert r"statmsgs.box\1.svf" in {entry.path for entry in shown}
    site.visit()
    assert site.trouble() != ""
    assert repair_permissions(parts, None, by="olga", carry_out=True)["FS1"].dead == shown
    site.visit()
    assert (site.trouble(), site.from_clients()) == ("", ["it did not install"])
    assert repair_permissions(parts, None, by="olga", carry_out=False) == {"FS1": Found((), ())}


def test_every_identity_that_was_ever_given_rights_is_remembered(site: Site) -> None:
    parts = site.inner.parts
    apply_permissions(parts, "FS1", by="olga")
    once = site.make_anew("SMSServer_PHX")
    repair_permissions(parts, "FS1", by="olga", carry_out=True)
    site.make_anew("SMSServer_PHX")
    dead = repair_permissions(parts, "FS1", by="olga", carry_out=True)["FS1"].dead
    assert {entry.ace.sid for entry in dead} == {once.sid}
    site.visit()
    assert site.trouble() == ""


def test_an_account_that_nobody_made_again_keeps_its_dead_entries_and_is_shown(site: Site) -> None:
    apply_permissions(site.inner.parts, "FS1", by="olga")
    realm = site.inner.realm()
    found = realm.find("KtClient")
    assert found is not None
    realm.delete(found)
    dead = repair_permissions(site.inner.parts, "FS1", by="olga", carry_out=True)["FS1"].dead
    assert {(entry.account, entry.live) for entry in dead} == {(r"CORP\KtClient", None)}
    assert repair_permissions(site.inner.parts, "FS1", by="olga", carry_out=False)["FS1"].dead == dead


def test_a_file_that_is_closed_to_everybody_keeps_no_other_from_being_repaired(site: Site) -> None:
    parts = site.inner.parts
    apply_permissions(parts, "FS1", by="olga")
    site.point.leave("ccr.box", "1.ccr", b"")
    site.point.lists[r"ccr.box\1.ccr"] = AccessList(())
    site.make_anew("SMSServer_PHX")
    found = repair_permissions(parts, None, by="olga", carry_out=True)["FS1"]
    assert found.closed == (r"access to ccr.box\1.ccr is denied to SMSService",)
    assert apply_permissions(parts, "FS1", by="olga").closed == found.closed
    site.point.leave("statmsgs.box", "1.svf", STATUS)
    site.visit()
    assert r"ccr.box\1.ccr" in site.trouble()
    assert site.from_clients() == ["it did not install"]


def test_an_access_point_is_visited_once_a_minute_however_often_its_turn_is_asked_for(site: Site) -> None:
    def tended() -> int:
        tend(site.inner.parts, lambda: access_files(site.inner.parts))
        return site.point.logons

    assert [tended(), tended()] == [1, 1]
    site.inner.clock.turn(VISIT_S)
    assert [tended(), tended()] == [2, 2]
    site.point.up = False
    site.inner.clock.turn(VISIT_S)
    tended()
    site.point.up = True
    assert tended() == 2
    site.inner.clock.turn(VISIT_S)
    assert tended() == 3
