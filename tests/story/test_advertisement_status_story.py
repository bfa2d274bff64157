"""What clients report of an advertisement, and what the site believes: each client's newest word about itself."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn.distribution.reports import AccessLine, AdvertisementReport, AdvertisementState, signed_report
from keyturn.model.errors import NotFound
from keyturn.model.software import AdvertisementId
from keyturn.operations import clients
from keyturn.operations.advertisement_status import ClientStanding, advertisement_status, history, summary
from keyturn.operations.inbox_ports import FileState, InboxFile
from keyturn.operations.inbox_reading import read_inboxes
from keyturn.operations.inboxes import deliver
from keyturn.operations.status_messages import Asked
from keyturn.site.status_messages import Severity
from tests.estates import DEFAULT
from tests.inner_site import RECIPIENT, InnerSite, site_in
from tests.offers import OFFER, PACKAGE, PROGRAM, offer

LAPTOP = '\n[[client]]\nname = "LT-1"\nsite = "PHX"\nkind = "advanced"\n'
BOX = "statmsgs.box"
State = AdvertisementState


class Site:
    def __init__(self, inner: InnerSite) -> None:
        self.inner = inner
        self.keys: dict[str, Ed25519PrivateKey] = {}
        self._letters = 0

    def enrol(self, name: str) -> None:
        self.keys[name] = Ed25519PrivateKey.generate()
        token = clients.invite(self.inner.parts, name, by="test")
        key = self.keys[name].public_key().public_bytes_raw()
        clients.enrol(self.inner.parts, token, name, key, RECIPIENT)

    def over_https(self, told: AdvertisementReport, sender: str = "") -> None:
        name = f"{self._next()}.svf"
        deliver(self.inner.parts, sender or told.machine, BOX, name, msgspec.json.encode(told))
        read_inboxes(self.inner.parts)

    def over_share(self, told: AdvertisementReport, signed_by: str = "") -> None:
        key = self.keys[signed_by or told.machine]
        self.drop(signed_report(told, key.sign))

    def drop(self, told: AdvertisementReport) -> None:
        """Into the box on the share, as it is."""
        name = f"{self._next()}.svf"
        now = self.inner.clock()
        file = InboxFile("statmgr", BOX, name, "CAP1", False, f"receipt-{name}", now, msgspec.json.encode(told))
        self.inner.store.take_in(file)
        read_inboxes(self.inner.parts)

    def status(self) -> dict[str, str]:
        return {one.client: one.state for one in advertisement_status(self.inner.parts, OFFER)}

    def of(self, client: str) -> ClientStanding:
        (found,) = (one for one in advertisement_status(self.inner.parts, OFFER) if one.client == client)
        return found

    def put_aside(self) -> list[str]:
        return [file.note for file in self.inner.store.inbox_files() if file.state is FileState.BAD]

    def said(self) -> list[tuple[str, str, int, Severity]]:
        messages = self.inner.store.messages(Asked(), 1000)
        return [(m.machine, m.component, m.message_id, m.severity) for m in messages if m.machine]

    def _next(self) -> int:
        self._letters += 1
        return self._letters


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    inner = site_in(tmp_path, DEFAULT + LAPTOP)
    site = Site(inner)
    for name in ("PC-0001", "PC-0002", "LT-1"):
        site.enrol(name)
    offer(inner, "PC-0001", "PC-0002", "LT-1")
    yield site
    inner.close()


def report(
    number: int, state: State, message_id: int = 0, machine: str = "PC-0001", **more: object
) -> AdvertisementReport:
    return AdvertisementReport(
        machine=machine,
        at=5.0,
        number=number,
        advertisement=OFFER,
        package=PACKAGE.package_id,
        program=PROGRAM.name,
        state=state,
        message_id=message_id,
        **more,  # type: ignore[arg-type]
    )


def test_a_client_that_said_nothing_yet_is_not_heard_of(site: Site) -> None:
    assert site.status() == {"LT-1": "not-heard", "PC-0001": "not-heard", "PC-0002": "not-heard"}


def test_a_client_stands_where_it_last_said_over_https_and_over_a_share(site: Site) -> None:
    site.over_share(report(1, State.RECEIVED, 10002))
    site.over_share(report(2, State.WAITING, reason="it waits for a user to log on"))
    site.over_https(report(1, State.SUCCEEDED, 10008, "LT-1", executed_as="root", exit_code=0))
    assert site.status() == {"LT-1": "succeeded", "PC-0001": "waiting", "PC-0002": "not-heard"}
    assert site.of("PC-0001").reason == "it waits for a user to log on"
    assert (site.of("LT-1").executed_as, site.of("LT-1").exit_code) == ("root", 0)
    counts = summary(advertisement_status(site.inner.parts, OFFER))
    assert counts == {"not-heard": 1, "waiting": 1, "succeeded": 1}
    assert [one.state for one in history(site.inner.parts, OFFER, "pc-0001")] == ["received", "waiting"]


def test_a_client_that_nobody_knows_is_not_taken_for_one_that_said_nothing(site: Site) -> None:
    with pytest.raises(NotFound, match="no client PC-9999 is known here"):
        history(site.inner.parts, OFFER, "PC-9999")
    assert history(site.inner.parts, OFFER, "pc-0002") == ()


def test_a_failure_comes_with_its_cause_its_evidence_and_the_way_out(site: Site) -> None:
    access = AccessLine(r"\\fs1\tools", r"CORP\KtReach", 1, "no-share-access", 0xC0000022, 0.02)
    failed = report(4, State.FAILED, 10006, cause="no-share-access", reason="access denied", accesses=(access,))
    site.over_share(failed)
    found = site.of("PC-0001")
    assert (found.state, found.cause, found.accesses) == ("failed", "no-share-access", (access,))
    assert found.remedy == "let the account read the share"


def test_a_cause_that_this_release_does_not_know_is_shown_as_it_is(site: Site) -> None:
    site.over_share(report(4, State.FAILED, 10006, cause="of-a-later-release"))
    assert (site.of("PC-0001").cause, site.of("PC-0001").remedy) == ("of-a-later-release", "")


@pytest.mark.parametrize(
    ("message_id", "state", "severity"),
    [
        (10002, State.RECEIVED, Severity.INFORMATIONAL),
        (10003, State.FAILED, Severity.ERROR),
        (10005, State.RUNNING, Severity.INFORMATIONAL),
        (10006, State.FAILED, Severity.ERROR),
        (10007, State.FAILED, Severity.ERROR),
        (10008, State.SUCCEEDED, Severity.INFORMATIONAL),
        (10009, State.SUCCEEDED, Severity.INFORMATIONAL),
    ],
)
def test_what_a_client_says_is_a_status_message_of_the_client(
    site: Site, message_id: int, state: State, severity: Severity
) -> None:
    site.over_share(report(1, state, message_id))
    site.over_https(report(1, state, message_id, "LT-1"))
    assert site.said() == [
        ("PC-0001", "Available Programs Manager", message_id, severity),
        ("LT-1", "Software Distribution", message_id, severity),
    ]


def test_the_severity_and_words_of_a_message_are_the_sites_own(site: Site) -> None:
    site.over_share(report(1, State.FAILED, 10006, reason="exit code 7"))
    site.over_share(report(2, State.RUNNING, 500))
    (message,) = (m for m in site.inner.store.messages(Asked(), 1000) if m.machine)
    assert message.text == "PHX00001 Install failed (advertisement PHX20001): exit code 7"


def test_the_same_report_twice_is_one(site: Site) -> None:
    for _ in range(2):
        site.over_share(report(1, State.RUNNING, 10005))
    assert (len(site.said()), len(history(site.inner.parts, OFFER, "PC-0001")), site.put_aside()) == (1, 1, [])


def test_a_late_report_is_known_and_changes_nothing(site: Site) -> None:
    site.over_share(report(3, State.SUCCEEDED, 10008))
    site.over_share(report(2, State.RUNNING, 10005))
    assert site.status()["PC-0001"] == "succeeded"
    assert [one.state for one in history(site.inner.parts, OFFER, "PC-0001")] == ["running", "succeeded"]


def test_a_machine_that_signs_for_another_is_not_believed(site: Site) -> None:
    site.over_https(report(1, State.SUCCEEDED, 10008), sender="PC-0002")
    assert (site.status()["PC-0001"], site.put_aside()) == ("not-heard", ["it speaks for PC-0001"])


@pytest.mark.parametrize("signature", [b"", b"x", bytes(64)])
def test_what_lies_on_a_share_without_the_clients_signature_is_not_believed(site: Site, signature: bytes) -> None:
    site.drop(msgspec.structs.replace(report(1, State.SUCCEEDED, 10008), signature=signature))
    assert (site.status()["PC-0001"], site.said()) == ("not-heard", [])
    assert site.put_aside() == ["it does not bear the signature of PC-0001"]


def test_another_clients_signature_does_not_do(site: Site) -> None:
    site.over_share(report(1, State.SUCCEEDED, 10008), signed_by="PC-0002")
    assert site.put_aside() == ["it does not bear the signature of PC-0001"]


def test_a_report_that_was_changed_on_the_share_is_not_believed(site: Site) -> None:
    true = signed_report(report(1, State.FAILED, 10006), site.keys["PC-0001"].sign)
    site.drop(msgspec.structs.replace(true, state=State.SUCCEEDED))
    assert site.status()["PC-0001"] == "not-heard"


def test_a_forged_report_does_not_use_up_the_number_of_a_true_one(site: Site) -> None:
    site.drop(report(1, State.SUCCEEDED, 10008))
    site.over_share(report(1, State.FAILED, 10006))
    assert site.status()["PC-0001"] == "failed"


def test_a_machine_that_is_no_enrolled_client_is_not_believed(site: Site) -> None:
    site.drop(report(1, State.SUCCEEDED, 10008, "PC-0003"))
    site.drop(report(1, State.SUCCEEDED, 10008, "PC-9999"))
    assert [note.endswith("is no enrolled client of this site") for note in site.put_aside()] == [True, True]


def test_a_client_that_was_enrolled_anew_may_count_from_the_beginning(site: Site) -> None:
    site.over_share(report(700, State.SUCCEEDED, 10008))
    site.inner.clock.turn(10)
    site.enrol("PC-0001")
    site.over_share(report(1, State.RECEIVED, 10002))
    assert site.status()["PC-0001"] == "received"


def test_each_user_of_a_client_is_shown(site: Site) -> None:
    site.over_share(report(1, State.SUCCEEDED, 10008, user="ann"))
    site.over_share(report(2, State.WAITING, user="bob"))
    found = [(one.user, one.state) for one in advertisement_status(site.inner.parts, OFFER) if one.user]
    assert found == [("ann", "succeeded"), ("bob", "waiting")]


def test_a_client_that_left_the_collection_is_shown_as_one_that_left(site: Site) -> None:
    site.over_share(report(1, State.SUCCEEDED, 10008))
    offer(site.inner, "PC-0002")
    found = {one.client: (one.state, one.member) for one in advertisement_status(site.inner.parts, OFFER)}
    assert found == {"PC-0002": ("not-heard", True), "PC-0001": ("succeeded", False)}


def test_a_word_about_an_advertisement_that_is_gone_is_dropped_in_silence(site: Site) -> None:
    told = msgspec.structs.replace(report(1, State.SUCCEEDED, 10008), advertisement=AdvertisementId("PHX2FFFF"))
    site.over_share(told)
    assert (site.put_aside(), site.said()) == ([], [])


@pytest.mark.parametrize(
    "change",
    [{"number": 2**63}, {"number": 0}, {"state": "won"}, {"advertisement": "a\nb"}, {"accesses": [{}]}, {"more": 1}],
)
def test_a_report_of_another_shape_is_put_aside_and_stops_nothing(site: Site, change: dict[str, object]) -> None:
    shape = msgspec.json.decode(msgspec.json.encode(report(1, State.SUCCEEDED, 10008, "LT-1")))
    deliver(site.inner.parts, "LT-1", BOX, "1.svf", msgspec.json.encode({**shape, **change}))
    deliver(site.inner.parts, "LT-1", BOX, "2.svf", msgspec.json.encode(report(2, State.RUNNING, 10005, "LT-1")))
    read_inboxes(site.inner.parts)
    assert site.put_aside() == ["it is no status message"]
    assert site.status()["LT-1"] == "running"


@given(st.permutations(range(1, 7)), st.data())
@settings(max_examples=8)
def test_in_whatever_order_and_however_often_reports_arrive_the_last_word_counts(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], data: st.DataObject
) -> None:
    inner = site_in(tmp_path_factory.mktemp("site"), DEFAULT)
    site = Site(inner)
    site.enrol("PC-0001")
    offer(inner)
    doubled = data.draw(st.lists(st.sampled_from(order), max_size=4))
    states = list(State)
    for number in [*order, *doubled]:
        site.over_share(report(number, states[number % len(states)], 10005))
    assert site.status()["PC-0001"] == states[6 % len(states)]
    assert len(site.said()) == 6
    inner.close()
