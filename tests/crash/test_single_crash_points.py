"""Every kind of plan, stopped before and after every call it makes, once, and started again: the real store and realm.

Whatever is killed when: the live password of every account can be opened, nobody fails a logon, the realm's version
rises by exactly one per change, and the plan ends as if nothing had happened.
"""

import pytest

from keyturn.lifecycle.plan import PlanKind
from tests.crash.cases import CASES
from tests.crash.disk import Left, about_to_begin, stops
from tests.crash.recovery import survive
from tests.crash.variants import SealsLate

AT_LEAST = {
    PlanKind.CREATE: 15,
    PlanKind.IN_PLACE: 25,
    PlanKind.CYCLE: 40,
    PlanKind.STAGGERED: 40,
    PlanKind.SITE_REGENERATION: 50,
    PlanKind.DELETE: 5,
}
"""Fewer stops than these would mean that they are not seen."""


@pytest.mark.parametrize("kind", CASES)
def test_every_single_crash_point_is_survived(kind: PlanKind) -> None:
    start = about_to_begin(CASES[kind])
    left = stops(start)
    assert len(left) >= AT_LEAST[kind], f"only {len(left)} stops"
    survive_all(left, start)


def test_a_variant_that_seals_late_is_caught() -> None:
    start = about_to_begin(CASES[PlanKind.IN_PLACE])
    left = stops(start, SealsLate)
    with pytest.raises(AssertionError, match=r"cannot be opened|never sealed"):
        survive_all(left, start)


def survive_all(left: list[Left], start: Left) -> None:
    for each in left:
        survive(each, start)
