"""What agents write into the boxes of the access point over HTTPS, and what the site makes of it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyturn.adapters.shares.https import HttpsShare
from keyturn.agent.consumers.handing import NotHanded
from keyturn.agent.letters import DISCOVERY_S, NOT_HANDED, write_letters
from keyturn.agent.report import Presented, Report
from keyturn.model.accounts import Credential
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations import software_collections
from keyturn.operations.inbox_ports import FileState, InboxFile
from keyturn.operations.inboxes import FROM_A_CLIENT, tend
from keyturn.operations.status_messages import Asked
from keyturn.server.agents import ACCESS_POINT
from keyturn.site.access_points import BAD_BOX, READ_BOXES, WRITE_BOXES
from keyturn.site.client_files import ClientStatus, DiscoveryRecord, write_letter
from keyturn.site.status_messages import Severity, StatusMessage
from keyturn.wire.agent import Reply, box_path
from tests.estates import ADDITIONAL
from tests.inner_site import InnerSite, site_in
from tests.share_fleet import Machine, RoutesOf, fleet_of

ACCOUNT = r"CORP\KtClient"


@dataclass
class Site:
    inner: InnerSite
    machine: Machine

    def visit(self) -> None:
        tend(self.inner.parts, lambda: ())

    def messages(self) -> list[StatusMessage]:
        return [m for m in self.inner.store.messages(Asked(), 1000) if m.machine]

    def bring(self, name: str, letter: ClientStatus, *, box: str = "statmsgs.box", secret: Secret | None = None) -> int:
        """The status of the site's answer."""
        found = self.inner.realm().find("KtClient")
        assert found is not None
        right = self.inner.store.secret(Credential(found, 1))
        with HttpsShare(self._send, ACCESS_POINT).reach() as reached:
            reached.leave(box, name, letter, ACCOUNT, secret or right)
        return self.status

    def _send(self, *given: object, **named: object) -> Reply:
        reply = self.machine.client.link.send(*given, **named)  # type: ignore[arg-type]
        self.status = reply.status
        return reply


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    inner = site_in(tmp_path, ADDITIONAL)
    inner.create("KtClient")
    (machine,) = fleet_of(inner, tmp_path, ["PC-0001"], gated=True)
    site = Site(inner, machine)
    site.visit()
    yield site
    inner.close()


def letter(machine: str = "PC-0001", text: str = "it did not install") -> ClientStatus:
    return ClientStatus(machine, 1.0, "Ccm", 10006, Severity.ERROR, text)


def test_a_client_that_was_let_in_is_discovered_and_again_a_week_later(site: Site) -> None:
    (seen,) = site.inner.store.seen_clients()
    assert (seen.name, seen.signed, seen.accounts) == ("PC-0001", True, (ACCOUNT,))
    site.machine.contact()
    site.inner.clock.turn(DISCOVERY_S)
    site.visit()
    assert site.inner.store.seen_clients() == (seen,)
    site.machine.contact()
    site.visit()
    (again,) = site.inner.store.seen_clients()
    assert again.seen_at == seen.seen_at + DISCOVERY_S


def test_what_a_client_tells_of_itself_decides_on_its_collections_and_a_change_is_told_at_once(site: Site) -> None:
    (told,) = site.inner.store.facts()
    assert (told.client, told.signed) == ("PC-0001", True)
    assert told.facts["processors"] == (str(os.cpu_count()),)
    query = f"processors is {os.cpu_count()} and kind is legacy"
    software_collections.add(site.inner.parts, "Alike", [], [query], by="olga")
    assert software_collections.members_of(site.inner.parts, "alike") == ("PC-0001",)
    credentials = site.machine.client.credentials
    credentials.refresh()
    credentials.left_letter(facts={"os": ("what it was before an upgrade",)})
    site.inner.clock.turn(60)
    site.machine.contact()
    site.visit()
    (again,) = site.inner.store.facts()
    assert again.told_at == told.told_at + 60


def test_of_a_machine_that_is_none_of_the_estate_no_facts_are_kept(site: Site) -> None:
    stranger = DiscoveryRecord("PC-0099", 1.0, "keyturn-agent", facts={"os": ("debian",)})
    point = InboxFile("ddm", "ddr.box", "9.ddr", "CAP1", False, "r9", 1.0, write_letter(stranger))
    assert site.inner.store.take_in(point)
    site.visit()
    assert [told.client for told in site.inner.store.facts()] == ["PC-0001"]


def test_a_client_complains_when_something_begins_to_be_wrong_and_not_at_every_contact(site: Site) -> None:
    client, now = site.machine.client, site.inner.clock.now
    client.credentials.refresh()
    inside = Presented(ACCOUNT, 1, Answer.ACCEPTED)
    for reason in ("no\nroom", "no\nroom", "", "no\nroom"):
        events = (inside, NotHanded(ACCOUNT, "backup", reason)) if reason else (inside,)
        write_letters(client, Report(events), now)
    site.visit()
    said = [(m.message_id, m.machine, m.text) for m in site.messages()]
    assert said == [(NOT_HANDED, "PC-0001", rf"backup does not have the password of {ACCOUNT}: no room")] * 2


def test_a_letter_whose_answer_was_lost_is_taken_once(site: Site) -> None:
    assert [site.bring("1.svf", letter()), site.bring("1.svf", letter())] == [201, 200]
    site.visit()
    assert site.bring("1.svf", letter()) == 200
    site.visit()
    assert [m.text for m in site.messages()] == ["it did not install"]


def test_a_client_speaks_for_itself_alone(site: Site) -> None:
    assert site.bring("1.svf", letter("PC-0002")) == 201
    site.visit()
    assert site.messages() == []
    (bad,) = site.inner.store.inbox_files()
    assert (bad.state, bad.note) == (FileState.BAD, "it speaks for PC-0002")


@pytest.mark.parametrize("box", [*READ_BOXES, BAD_BOX, "nowhere.box"])
def test_no_client_writes_where_clients_read(site: Site, box: str) -> None:
    assert site.bring("1.svf", letter(), box=box) == 403
    assert site.inner.store.inbox_files() == ()


def test_a_name_that_leads_elsewhere_is_refused(site: Site) -> None:
    assert site.bring("-", letter()) == 400
    assert site.inner.store.inbox_files() == ()


@pytest.mark.parametrize("box", WRITE_BOXES)
def test_a_client_writes_where_the_table_lets_users_write_and_nobody_reads_it_there(site: Site, box: str) -> None:
    assert site.bring("1.svf", letter(), box=box) == 201
    assert site.machine.client.link.send("GET", box_path(ACCESS_POINT, box, "1.svf")).status == 405
    assert [file.box for file in site.inner.store.inbox_files()] == [box]


def test_a_wrong_password_leaves_nothing_and_counts(site: Site) -> None:
    assert site.bring("1.svf", letter(), secret=Secret("Never-was-a-key-0")) == 401
    assert site.inner.store.inbox_files() == ()
    found = site.inner.realm().find("KtClient")
    assert found is not None
    assert sum(replica.bad_count for replica in site.inner.realm().describe(found).replicas) == 1


def test_who_does_not_sign_brings_nothing(site: Site) -> None:
    path = box_path(ACCESS_POINT, "statmsgs.box", "1.svf")
    answer = RoutesOf(site.inner)._http.post(path, content=b"{}", auth=(ACCOUNT, "whatever"))
    assert answer.status_code == 401
    assert site.inner.store.inbox_files() == ()


def test_a_client_gone_mad_fills_no_disk(site: Site) -> None:
    for number in range(FROM_A_CLIENT):
        site.inner.store.take_in(_lying(number))
    assert site.bring("one-more", letter()) == 403
    site.visit()  # which reads none of them
    assert len(site.inner.store.inbox_files()) == FROM_A_CLIENT


def _lying(number: int) -> InboxFile:
    return InboxFile("sinv", "sinv.box", f"{number}", "PC-0001", True, f"{number}", 1.0, b"")
