"""A realm that reports a failure and makes the change some calls later, when it may have been sent again already."""

import pytest

from keyturn.lifecycle.plan import PlanKind
from keyturn.operations.ports import PlanRecord, PlanState
from tests.crash.cases import CASES
from tests.crash.moods import LATE
from tests.crash.promises import sets, the_plan_is_done, wanted_sets
from tests.crash.survival import survive_one, survive_two
from tests.crash.world import World, about_to_begin

SOME = ("apply-late-3", "apply-late-6")


def nothing_worse_than_a_question(world: World, record: PlanRecord, start: World) -> None:
    """The candidate may have been set twice, never more often, and by nobody who did not seal it."""
    stopped_by_the_mark = record.state is PlanState.STOPPED and "somebody else has changed" in record.note
    assert record.state is PlanState.DONE or stopped_by_the_mark, f"{record.state}: {record.note}"
    extra = {name: number - wanted_sets(start)[name] for name, number in sets(world).items()}
    assert set(extra.values()) <= {0, 1}, extra
    if record.state is PlanState.DONE and not any(extra.values()):
        the_plan_is_done(world, record, start)


def extra_sets_are_told(world: World, record: PlanRecord, start: World) -> None:
    nothing_worse_than_a_question(world, record, start)
    if sets(world) != wanted_sets(start):
        told = [event for event in world.store.events if event.kind == "remark" and "passwords set" in event.detail]
        assert told or record.state is PlanState.STOPPED, "an extra set and not a word of it"


@pytest.mark.parametrize("mood", LATE)
@pytest.mark.parametrize("kind", CASES)
def test_a_late_change_loses_nothing_at_any_crash_point(kind: PlanKind, mood: str) -> None:
    assert survive_one(about_to_begin(CASES[kind], LATE[mood]), nothing_worse_than_a_question) >= 8


@pytest.mark.parametrize(
    "mood", [mood if mood in SOME else pytest.param(mood, marks=pytest.mark.long) for mood in LATE]
)
@pytest.mark.parametrize("kind", CASES)
def test_a_late_change_loses_nothing_at_pairs_of_crash_points(kind: PlanKind, mood: str) -> None:
    every = 6 if mood in SOME else 1
    assert survive_two(about_to_begin(CASES[kind], LATE[mood]), nothing_worse_than_a_question, every=every) >= 5


MAKING = [kind for kind in CASES if CASES[kind].makes and not CASES[kind].sets]


@pytest.mark.parametrize("mood", LATE)
@pytest.mark.parametrize("kind", MAKING)
def test_an_account_made_late_is_made_once(kind: PlanKind, mood: str) -> None:
    survive_one(about_to_begin(CASES[kind], LATE[mood]), the_plan_is_done)


@pytest.mark.parametrize("mood", ["apply-late-1", "apply-late-3"])
def test_a_second_set_of_ours_seen_before_the_proof_is_told(mood: str) -> None:
    survive_one(about_to_begin(CASES[PlanKind.IN_PLACE], LATE[mood]), extra_sets_are_told)


@pytest.mark.parametrize("mood", ["apply-late-4", "apply-late-5", "apply-late-8", "apply-late-9"])
def test_a_second_set_of_ours_is_told_whenever_it_lands(mood: str) -> None:
    survive_one(about_to_begin(CASES[PlanKind.IN_PLACE], LATE[mood]), extra_sets_are_told)


@pytest.mark.xfail(
    strict=True, reason="a set of ours that lands after its proof is taken for somebody else's, and asked"
)
@pytest.mark.parametrize("mood", ["apply-late-6", "apply-late-7", "apply-late-10"])
def test_a_second_set_of_ours_after_the_proof_stops_nothing(mood: str) -> None:
    world = about_to_begin(CASES[PlanKind.IN_PLACE], LATE[mood])
    record = world.run()
    assert record.state is PlanState.DONE, record.note
