"""A realm that reports a failure and makes the change some calls later, when it may have been sent again already."""

from dataclasses import replace

import pytest

from keyturn.lifecycle.plan import PlanKind
from keyturn.model.logon import Answer
from keyturn.operations.ports import PlanRecord, PlanState
from tests.crash.cases import CASES
from tests.crash.memory_realm import OURSELVES
from tests.crash.moods import LATE
from tests.crash.promises import sets, the_plan_is_done, wanted_sets
from tests.crash.survival import survive_one, survive_two
from tests.crash.world import UNFORGIVING, World, about_to_begin

THEIR_MOMENT = 8
"""The call of the realm before which somebody else comes: our password is proven by then, and no machine has it."""
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
        told = [remark for remark in remarks(world) if "passwords set" in remark or "was set again" in remark]
        assert told, "an extra set and not a word of it"


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


AFTER_THE_PROOF = ["apply-late-6", "apply-late-7", "apply-late-10"]
"""Here the set that was believed lost lands when its repetition has been proven already."""


@pytest.mark.parametrize("mood", AFTER_THE_PROOF)
def test_a_second_set_of_ours_after_the_proof_stops_the_plan_which_asks_and_tells(mood: str) -> None:
    world = about_to_begin(CASES[PlanKind.IN_PLACE], LATE[mood])
    record = world.run()
    assert record.state is PlanState.STOPPED
    assert "a set of ours came late" in record.note
    assert "keyturn plan resume" in record.hint
    assert remarks(world) == [record.note]
    assert not bad_attempts(world), "nobody asked for a logon yet"


@pytest.mark.parametrize("mood", AFTER_THE_PROOF)
def test_a_second_set_of_ours_after_the_proof_is_proven_again_when_the_plan_is_resumed(mood: str) -> None:
    world = forgiving(about_to_begin(CASES[PlanKind.IN_PLACE], LATE[mood]))
    world.run()
    world.resume()
    record = world.run()
    assert record.state is PlanState.DONE, record.note
    assert remarks(world)[1:] == ["2 passwords set since it was sealed; the last is ours"]
    assert not bad_attempts(world)


@pytest.mark.parametrize("mood", AFTER_THE_PROOF)
def test_a_second_set_of_ours_after_the_proof_is_told_at_any_crash_point(mood: str) -> None:
    survive_one(about_to_begin(CASES[PlanKind.IN_PLACE], LATE[mood]), extra_sets_are_told)


def test_a_plan_resumed_over_somebody_elses_set_spends_one_logon_and_asks_again() -> None:
    world = forgiving(about_to_begin(CASES[PlanKind.IN_PLACE], whose="KtInstall", theirs_at=THEIR_MOMENT))
    assert "set again after it was proven" in world.run().note
    assert not bad_attempts(world)
    world.resume()
    record = world.run()
    assert record.state is PlanState.STOPPED
    assert "keyturn account adopt" in record.hint
    assert bad_attempts(world) == [OURSELVES]


def test_where_two_bad_attempts_lock_a_resumed_plan_asks_again_without_a_logon() -> None:
    world = about_to_begin(CASES[PlanKind.IN_PLACE], whose="KtInstall", theirs_at=THEIR_MOMENT)
    asked = world.run().note
    world.resume()
    assert world.run().note == asked
    assert not bad_attempts(world)


def forgiving(world: World) -> World:
    world.realm.realm.policy = replace(UNFORGIVING, lockout_threshold=3)
    return world


def remarks(world: World) -> list[str]:
    return [event.detail for event in world.store.events if event.kind == "remark"]


def bad_attempts(world: World) -> list[str]:
    return [tried.source for tried in world.realm.realm.log if tried.answer is Answer.WRONG_PASSWORD]
