"""Every kind of plan, killed at every stop and killed again at every stop of the recovery, in every mood of the realm.

Over realm and store in memory, where a case takes a millisecond; `test_single_crash_points` and `test_kill9` do less
of the same with the real ones.
"""

import pytest

from keyturn.lifecycle.plan import PlanKind
from tests.crash.cases import CASES
from tests.crash.moods import MOODS
from tests.crash.promises import the_plan_is_done
from tests.crash.survival import survive_two
from tests.crash.world import about_to_begin

AT_LEAST = {
    PlanKind.CREATE: 190,
    PlanKind.IN_PLACE: 700,
    PlanKind.CYCLE: 1800,
    PlanKind.STAGGERED: 1800,
    PlanKind.SITE_REGENERATION: 2700,
    PlanKind.DELETE: 30,
}
"""Fewer pairs than these, 7,200 in each mood, would mean that the stops are not seen."""

SOME = 2
"""In the other moods every second one of the second kills, another half after each first kill; all with `--long`."""


@pytest.mark.parametrize("kind", CASES)
def test_every_pair_of_crash_points_is_survived(kind: PlanKind) -> None:
    cases = survive_two(about_to_begin(CASES[kind]), the_plan_is_done)
    assert cases >= AT_LEAST[kind], f"only {cases} cases"


@pytest.mark.parametrize("every", [SOME, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("kind", CASES)
def test_pairs_of_crash_points_are_survived_in_a_realm_that_fails(kind: PlanKind, mood: str, every: int) -> None:
    cases = survive_two(about_to_begin(CASES[kind], MOODS[mood]), the_plan_is_done, every=every)
    assert cases >= AT_LEAST[kind] * 0.9 / every, f"only {cases} cases"
