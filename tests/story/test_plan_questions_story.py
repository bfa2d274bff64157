"""Many plans that stop with one question are answered by one word."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.model.errors import Refused
from keyturn.operations.plan_questions import questions, resume_alike
from keyturn.operations.ports import PlanState
from tests.inner_site import InnerSite, site_in

NAMES = ("svc-a", "svc-b", "svc-c")
ESTATE = """
product = "generic"

[[realm]]
name = "CORP"

[[consumer]]
name = "web1"
accounts = ["svc-a", "svc-b", "svc-c"]
""" + "".join(f'\n[[account]]\nname = "{name}"\nrealm = "CORP"\nrole = "service"\n' for name in NAMES)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    """All three wait for a machine that does not come, longer than anybody has patience."""
    site = site_in(tmp_path, ESTATE)
    site.enrol("web1")
    for name in NAMES:
        site.create(name)
    for _ in range(4):
        site.contact("web1")
    for record in [site.rotate(name) for name in NAMES]:
        assert site.run(record.plan_id, step_s=60).state is PlanState.STOPPED
    yield site
    site.close()


def test_the_question_of_many_plans_is_asked_once(site: InnerSite) -> None:
    [question] = questions(site.parts)
    assert question.text == "no holder has come to try …"
    assert {record.plan.account.name for record in question.plans} == set(NAMES)


def test_the_question_of_one_plan_keeps_its_names(site: InnerSite) -> None:
    for record in questions(site.parts)[0].plans[1:]:
        site.parts.store.decide(record.plan_id, PlanState.ABANDONED, "paul")
    [question] = questions(site.parts)
    assert question.text == f"no holder has come to try {question.plans[0].plan.account} generation 2"


def test_one_word_resumes_all_that_ask_the_same(site: InnerSite) -> None:
    plans = {record.plan_id for record in questions(site.parts)[0].plans}
    resumed = resume_alike(site.parts, min(plans), by="paul")
    assert (set(resumed.plans), resumed.refused) == (plans, ())
    assert questions(site.parts) == ()
    assert {site.run(plan_id, machines=["web1"]).state for plan_id in plans} == {PlanState.DONE}


def test_a_plan_that_does_not_ask_has_none_alike(site: InnerSite) -> None:
    plan_id = questions(site.parts)[0].plans[0].plan_id
    resume_alike(site.parts, plan_id, by="paul")
    with pytest.raises(Refused, match="only a stopped one"):
        resume_alike(site.parts, plan_id, by="paul")
