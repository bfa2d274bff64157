"""When the agent comes, and what it says of it."""

import json
import threading
from dataclasses import replace

import pytest

from keyturn.agent.deciding import Forget, Pause
from keyturn.agent.disk import PosixDisk
from keyturn.agent.report import Adopted, Presented, Report, Spoiled, gather
from keyturn.agent.status import in_words
from keyturn.agent.turns import SHORTEST_S, pause_s, run
from keyturn.model.logon import Answer
from keyturn.wire.agent import NoAnswer
from tests.story.agent_site import FIRST, SECOND, Machine, MemorySite

ACCEPTED = Presented(FIRST, 1, Answer.ACCEPTED)
WRONG = Presented(SECOND, 1, Answer.WRONG_PASSWORD)


@pytest.mark.parametrize(
    ("interval_s", "retry_s", "random", "expected"),
    [
        (100, None, 0.5, 100),
        (100, None, 0.0, 90),
        (100, None, 1.0, 110),
        (100, 5, 0.5, 5),
        (100, 500, 0.5, 100),
        (100, 0, 0.5, SHORTEST_S),
        (0.001, None, 0.5, SHORTEST_S),
    ],
)
def test_the_pause_until_the_next_contact(interval_s, retry_s, random, expected):
    assert pause_s(interval_s, retry_s, random) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("events", "failure", "logon", "accepted", "failed"),
    [
        ((ACCEPTED,), "", ACCEPTED, True, False),
        ((WRONG, ACCEPTED), "", ACCEPTED, True, False),
        ((WRONG,), "", WRONG, False, True),
        ((), "", None, False, True),
        ((Pause(FIRST, 5, "busy"),), "", None, False, False),
        ((ACCEPTED,), "the site did not answer", ACCEPTED, True, True),
    ],
)
def test_how_a_contact_went(events, failure, logon, accepted, failed):
    report = Report(events, failure)
    assert (report.logon, report.accepted, report.failed) == (logon, accepted, failed)


def test_the_shortest_wait_counts():
    assert Report((Pause(FIRST, 5, ""), Pause(SECOND, 3, ""))).retry_s == 3


def test_what_happened_before_the_trouble_is_kept():
    def events():
        yield ACCEPTED
        raise NoAnswer("gone")

    assert gather(events()) == Report((ACCEPTED,), "gone")


def test_a_contact_in_words():
    events = (
        Adopted(FIRST, 2),
        ACCEPTED,
        Pause(SECOND, 5, "busy"),
        Spoiled(SECOND, "it does not open"),
        Forget(SECOND),
    )
    assert in_words(Report(events, "the site did not answer")) == (
        f"adopted {FIRST} generation 2; {FIRST} generation 1: accepted; {SECOND} waits 5 s: busy; it does not open; "
        f"forgot {SECOND}; the site did not answer"
    )


def running(machine, *, contacts, interval_s=None):
    """The pauses of an agent stopped after so many contacts."""
    pauses, stop = [], threading.Event()

    def wait(event, seconds):
        pauses.append(seconds)
        if len(pauses) == contacts:
            event.set()
        machine.site.clock.now += seconds
        return event.is_set()

    parts = replace(machine.parts, wait=wait)
    run(machine.contact, parts, interval_s=interval_s, contact_s=500, stop=stop, tell=lambda *_: None)
    return pauses


@pytest.fixture
def machine(tmp_path):
    site = MemorySite()
    site.realm.set_password(FIRST, "the password")
    site.publish(FIRST, 1, "the password")
    return Machine(site, tmp_path / "agent").enrol()


def test_the_site_says_how_often_unless_the_operator_does(machine):
    assert running(machine, contacts=2) == [60, 60]
    assert running(machine, contacts=2, interval_s=7) == [7, 7]


def test_an_agent_that_never_reached_its_site_keeps_the_interval_of_its_enrolment(machine):
    machine.site.down = True
    assert running(machine, contacts=1) == [500]


def test_a_client_told_to_wait_comes_back_sooner(machine):
    machine.site.waits[FIRST] = 5
    assert running(machine, contacts=1) == [5]


def test_an_agent_stopped_before_it_began_contacts_nobody(machine):
    stop = threading.Event()
    stop.set()
    run(machine.contact, machine.parts, interval_s=1, contact_s=1, stop=stop, tell=lambda *_: None)
    assert machine.site.check_ins == []


def test_the_status_counts(machine):
    machine.contact()
    machine.site.down = True
    machine.contact()
    machine.contact()
    status = json.loads((machine.folder / "status.json").read_bytes())
    assert status == {
        "agent": "PC-0001",
        "site": "PHX",
        "gated": True,
        "at": machine.site.clock.now,
        "account": None,
        "generation": None,
        "answer": None,
        "note": "the site did not answer",
        "hint": "",
        "orphaned": False,
        "contacts": 3,
        "failures": 2,
        "failed_logons": 0,
        "credentials": [{"account": FIRST, "generation": 1, "standing": "proven", "proven": True}],
    }


def test_a_full_disk_is_a_failed_contact_and_no_logon(machine):
    class FullDisk(PosixDisk):
        def write(self, path, data):
            raise OSError(28, "No space left on device")

    machine.disk = FullDisk()
    report, _ = machine.contact()
    assert report.failure == "cannot keep what is known: No space left on device"
    assert machine.site.realm.logons == []
