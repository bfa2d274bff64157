"""Somebody else sets the password of an account that a plan is changing, before any call of the realm, with crashes."""

from collections.abc import Iterable

import pytest

from keyturn.lifecycle.journal import Mark
from keyturn.lifecycle.plan import AwaitUptake, PlanKind, Seal
from keyturn.operations.ports import PlanRecord, PlanState
from tests.crash.cases import CASES
from tests.crash.moods import THEIRS
from tests.crash.promises import sets, the_plan_is_done, wanted_sets
from tests.crash.survival import survive_one, survive_two
from tests.crash.world import World, about_to_begin

TOUCHED = {
    f"{kind}-{step.credential.account.name}": (kind, step.credential.account.name)
    for kind in CASES
    for step in about_to_begin(CASES[kind]).steps()
    if isinstance(step, Seal)
}
"""Every account that a plan gives a password."""

touched = pytest.mark.parametrize(("kind", "whose"), TOUCHED.values(), ids=TOUCHED)


def calls_of(kind: PlanKind) -> int:
    """How often the realm is called while the plan runs undisturbed."""
    world = about_to_begin(CASES[kind])
    world.run()
    return world.realm.calls


def struck(kind: PlanKind, whose: str, moments: Iterable[int]) -> list[World]:
    return [about_to_begin(CASES[kind], whose=whose, theirs_at=at) for at in moments]


def it_stops_and_says_so(world: World, record: PlanRecord, start: World) -> None:
    """Unless their change never came, or came before a candidate was sealed. Once every holder has proven the
    credential, the plan may have nothing left to do for which it matters."""
    at = struck_at(world)
    if at is None:
        the_plan_is_done(world, record, start)
    elif theirs_is_live(world) and (record.state is not PlanState.DONE or not uptake_ended_by(world, at)):
        it_stopped(record)
    else:
        assert record.state is PlanState.DONE, record.note
        whose = world.realm.whose
        assert sets(world) == wanted_sets(start) | {whose: wanted_sets(start)[whose] + 1}


def it_stopped(record: PlanRecord) -> None:
    assert record.state is PlanState.STOPPED, f"the plan is {record.state}, and the password is somebody else's"
    assert "somebody else has changed" in record.note, record.note


def struck_at(world: World) -> float | None:
    changes = (each for entry in world.realm.realm.entries.values() for each in entry.changes)
    return next((change.at for change in changes if change.secret == THEIRS), None)


def theirs_is_live(world: World) -> bool:
    account = world.realm.realm.find(world.realm.whose)
    return account is not None and world.realm.realm.live_password(account) == THEIRS


def uptake_ended_by(world: World, at: float) -> bool:
    for number, step in enumerate(world.steps()):
        if isinstance(step, AwaitUptake) and step.credential.account.name == world.realm.whose:
            marked = world.store.marks.get(number)
            return marked is not None and marked.mark is Mark.DONE and marked.since <= at
    return False


@touched
@pytest.mark.parametrize("apart", [3, pytest.param(1, marks=pytest.mark.long)])
def test_their_change_before_a_call_and_a_crash_at_any_point(kind: PlanKind, whose: str, apart: int) -> None:
    worlds = struck(kind, whose, range(2, calls_of(kind) + 1, apart))
    assert sum(survive_one(world, it_stops_and_says_so) for world in worlds) >= 40


@touched
def test_their_change_before_some_calls_and_some_pairs_of_crashes(kind: PlanKind, whose: str) -> None:
    worlds = struck(kind, whose, range(2, calls_of(kind) + 1, 9))
    assert sum(survive_two(world, it_stops_and_says_so, every=12) for world in worlds) >= 10


@pytest.mark.long
@pytest.mark.timeout(3600)
@touched
def test_their_change_before_any_call_and_every_fourth_pair_of_crashes(kind: PlanKind, whose: str) -> None:
    for world in struck(kind, whose, range(1, calls_of(kind) + 1)):
        survive_two(world, it_stops_and_says_so, every=4)


@pytest.mark.parametrize(
    ("kind", "whose", "before_the_last"),
    [
        (PlanKind.CYCLE, "KtClient_2", 2),
        (PlanKind.STAGGERED, "KtClient_4", 2),
        (PlanKind.SITE_REGENERATION, "SMSClient_PHX_2", 30),
    ],
)
def test_their_change_of_the_second_account_stops_the_first_one_from_being_taken_away(
    kind: PlanKind, whose: str, before_the_last: int
) -> None:
    world = about_to_begin(CASES[kind], whose=whose, theirs_at=calls_of(kind) - before_the_last)
    it_stopped(world.run())
