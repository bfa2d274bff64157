"""Somebody uses an account whom the estate does not name: the account stays until that is cleared up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.agent.scan import scan
from keyturn.model.estate import Sighted
from keyturn.operations import plans
from keyturn.operations.sightings import Record, learn
from keyturn.wire.evidence.reading import read_evidence
from keyturn.wire.evidence.sightings import add_up
from keyturn.wire.scan import write_scan
from tests.estates import ADDITIONAL, MACHINES
from tests.inner_site import InnerSite, site_in

NAME = "CORP\\KtClient"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ADDITIONAL)
    site.create(NAME)
    for machine in MACHINES:
        site.enrol(machine)
    yield site
    site.close()


def record(source: str, *, name: str = "KtClient", domain: str = "CORP", accepted: int = 3) -> Record:
    return Record(domain, name, Sighted(source, 1.0, 2.0, accepted, 0, "NTLM"))


def test_a_stranger_is_told_from_a_holder(site: InnerSite) -> None:
    found = learn(site.parts, [record("pc-0001"), record("OLD-SERVER"), record("X", name="somebody")], by="olga")
    assert [(each.seen.source, each.holder) for each in found] == [("pc-0001", True), ("OLD-SERVER", False)]
    assert "2 sources, 1 of them strangers" in [event.detail for event in site.store.since()]


@pytest.mark.parametrize(
    ("domain", "counts"), [("CORP", 1), ("corp.example", 1), ("", 1), ("OTHER", 0), ("corpse.example", 0)]
)
def test_a_record_counts_for_the_realm_it_names(site: InnerSite, domain: str, counts: int) -> None:
    assert len(learn(site.parts, [record("OLD-SERVER", domain=domain)], by="olga")) == counts


def test_the_same_record_read_again_changes_nothing(site: InnerSite) -> None:
    for _ in range(2):
        learn(site.parts, [record("OLD-SERVER")], by="olga")
    [seen] = site.store.estate().managed(NAME).sightings
    assert (seen.source, seen.accepted, seen.first_at, seen.last_at) == ("OLD-SERVER", 3, 1.0, 2.0)


def test_a_plan_says_before_it_runs_who_would_be_cut_off(site: InnerSite) -> None:
    learn(site.parts, [record("OLD-SERVER")], by="olga")
    notes = site.rotate(NAME).plan.notes
    assert any("is used from OLD-SERVER, which the estate does not name" in note for note in notes)


def test_the_account_is_not_retired_while_a_stranger_may_need_it(site: InnerSite) -> None:
    learn(site.parts, [record("OLD-SERVER")], by="olga")
    record_ = site.rotate(NAME)
    ended = site.run(record_.plan_id, machines=MACHINES, rounds=40)
    assert ended.state == "waiting"
    assert ended.missing == ("OLD-SERVER",)
    assert site.realm().find("KtClient") is not None
    plans.release(site.parts, record_.plan_id, {"OLD-SERVER"}, by="paul")
    assert site.run(record_.plan_id, machines=MACHINES, rounds=40).state == "done"


def test_whoever_was_only_refused_needs_nothing(site: InnerSite) -> None:
    learn(site.parts, [record("GUESSER", accepted=0)], by="olga")
    assert site.run(site.rotate(NAME).plan_id, machines=MACHINES, rounds=40).state == "done"


def test_a_machine_that_is_set_up_to_use_the_account_holds_its_retirement_up(site: InnerSite, tmp_path: Path) -> None:
    """Nobody has seen it log on: its crontab runs once a year."""
    (tmp_path / "etc/cron.d").mkdir(parents=True)
    (tmp_path / "etc/cron.d/yearly").write_text("0 0 1 1 * KtClient /usr/bin/report\n")
    found = scan(["CORP\\KtClient"], machine="OLD-SERVER", now=1.0, top=tmp_path)
    evidence = read_evidence(write_scan(found).encode(), "scan.json")
    [seen] = add_up(evidence.sightings)
    sighted = Sighted(seen.source, seen.first_at, seen.last_at, seen.accepted, seen.wrong, *seen.how)
    [learnt] = learn(site.parts, [Record(seen.domain, seen.name, sighted)], by="olga")
    assert (learnt.seen.source, learnt.seen.how, learnt.holder) == ("OLD-SERVER", "scan", False)
    ended = site.run(site.rotate(NAME).plan_id, machines=MACHINES, rounds=40)
    assert (ended.state, ended.missing) == ("waiting", ("OLD-SERVER",))
