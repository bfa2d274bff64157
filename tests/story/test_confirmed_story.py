"""A machine without an agent: a person carries the password there, and says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.model.errors import Refused
from keyturn.model.estate import Proof
from keyturn.operations.confirming import confirm
from keyturn.operations.plans import release
from keyturn.operations.ports import PlanRecord
from tests.estates import ADDITIONAL, MACHINES
from tests.inner_site import InnerSite, site_in

NAME = "CORP\\KtClient"
WITH_AGENT, WITHOUT = MACHINES[:2], MACHINES[2]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, ADDITIONAL)
    site.create(NAME)
    for machine in WITH_AGENT:
        site.enrol(machine)
    yield site
    site.close()


@pytest.fixture
def waiting(site: InnerSite) -> PlanRecord:
    """For the machine that has no agent, and for nobody else."""
    record = site.run(site.rotate(NAME).plan_id, machines=WITH_AGENT, rounds=20)
    assert (record.state, record.missing) == ("waiting", (WITHOUT,))
    return record


def test_on_a_persons_word_the_plan_goes_on_and_the_log_has_it(site: InnerSite, waiting: PlanRecord) -> None:
    confirm(site.parts, waiting.plan_id, [WITHOUT], by="paul")
    assert site.run(waiting.plan_id, machines=WITH_AGENT, rounds=40).state == "done"
    [told] = [event for event in site.store.since() if event.kind == "holders-confirmed"]
    assert (told.actor, WITHOUT in told.detail) == ("paul", True)
    assert Proof.CONFIRMED in {holding.proof for holding in site.store.estate().holdings}


def test_the_only_holder_that_is_left_is_named_before_anybody_has_tried(site: InnerSite) -> None:
    record = site.rotate(NAME)
    first = site.run(record.plan_id, rounds=20)
    assert "waiting for the first holder to prove" in first.note
    release(site.parts, record.plan_id, WITH_AGENT, by="paul")
    assert f"waiting for {WITHOUT} to prove" in site.run(record.plan_id, rounds=5).note
    confirm(site.parts, record.plan_id, [WITHOUT], by="paul")
    assert site.run(record.plan_id, rounds=40).state == "done"


def test_a_machine_that_it_does_not_wait_for_is_not_confirmed_nor_its_neighbour(
    site: InnerSite, waiting: PlanRecord
) -> None:
    with pytest.raises(Refused, match="does not wait for PC-9"):
        confirm(site.parts, waiting.plan_id, [WITHOUT, "PC-9"], by="paul")
    assert site.run(waiting.plan_id, machines=WITH_AGENT, rounds=5).missing == (WITHOUT,)


def test_a_plan_that_waits_for_nobody_takes_no_word(site: InnerSite) -> None:
    record = site.rotate(NAME)
    confirmable = site.store.plan(record.plan_id)
    assert confirmable.marks == {}
    with pytest.raises(Refused, match="waits for no holder now"):
        confirm(site.parts, record.plan_id, [WITHOUT], by="paul")


def test_a_logon_says_more_than_a_word(site: InnerSite, waiting: PlanRecord) -> None:
    confirm(site.parts, waiting.plan_id, WITH_AGENT[:1], by="paul")
    proofs = {h.holder: h.proof for h in site.store.estate().holdings}
    assert proofs[WITH_AGENT[0]] is not Proof.CONFIRMED
