"""The crash suite must see what is broken: each variant fails it, and for the right reason."""

import pytest

from keyturn.lifecycle.plan import PlanKind
from tests.crash.cases import CASES
from tests.crash.moods import BEHAVES, MOODS, Mood
from tests.crash.promises import live_passwords_open, the_plan_is_done
from tests.crash.stops import stops
from tests.crash.survival import survive_one
from tests.crash.variants import DiscardsOnError, RetiresOnPublish, SealsLate, SetsBeforeSealed, Variant
from tests.crash.world import about_to_begin

BROKEN = [
    pytest.param(SealsLate, PlanKind.IN_PLACE, BEHAVES, "never sealed|cannot be opened", id="seals-late"),
    pytest.param(SetsBeforeSealed, PlanKind.IN_PLACE, BEHAVES, "cannot be opened", id="sets-before-sealed"),
    pytest.param(
        DiscardsOnError, PlanKind.IN_PLACE, MOODS["apply-then-fail"], "cannot be opened", id="discards-on-error"
    ),
    pytest.param(RetiresOnPublish, PlanKind.CYCLE, BEHAVES, "has no account left", id="retires-on-publish"),
]


@pytest.mark.parametrize(("variant", "kind", "mood", "seen"), BROKEN)
def test_a_broken_variant_is_caught(variant: type[Variant], kind: PlanKind, mood: Mood, seen: str) -> None:
    with pytest.raises(AssertionError, match=seen):
        survive_one(about_to_begin(CASES[kind], mood), the_plan_is_done, variant)


def test_sealing_late_loses_a_password_that_is_live() -> None:
    left = stops(about_to_begin(CASES[PlanKind.IN_PLACE]), SealsLate)
    with pytest.raises(AssertionError, match="cannot be opened"):
        list(map(live_passwords_open, left))
