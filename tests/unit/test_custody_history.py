"""What the events tell about envelopes, row by row."""

import pytest

from keyturn.operations.custody import CUSTODY, About, History, Told, histories, read_about
from keyturn.operations.ports import Event

SVC = "CORP\\svc web; account=odd"


def story(*told: tuple[Told, About]) -> History:
    events = [
        Event(number, 100.0 + number, "alice", kind, about.account, str(about))
        for number, (kind, about) in enumerate(told, 1)
    ]
    return histories(events)["corp\\svc web; account=odd"]


def about(generation: int, **said: str) -> About:
    return About(SVC, generation, **said)


@pytest.mark.parametrize(
    "said", [about(1), about(12, serial="k7qd-2m9x"), about(3, digest="ab" * 32), about(3, drill="x", why="it broke")]
)
def test_a_detail_is_read_as_it_was_written(said: About) -> None:
    assert read_about(str(said)) == said


@pytest.mark.parametrize("detail", ["", "generation 3", "generation=x; account=A", "generation=3; other=1; account=A"])
def test_a_detail_of_another_form_is_passed_over(detail: str) -> None:
    assert read_about(detail) is None
    assert histories([Event(1, 0, "a", Told.OPENED, "A", detail)]) == {}


def test_events_of_other_kinds_are_passed_over() -> None:
    assert histories([Event(1, 0, "a", "plan-done", "A", str(about(1)))]) == {}
    assert histories([Event(1, 0, "a", "custody-pinned", CUSTODY, "1 of alice ABCD")]) == {}


def test_only_an_opening_of_the_live_generation_calls_for_a_rotation() -> None:
    history = story((Told.OPENED, about(2)))
    assert history.opened(2) is not None
    assert history.opened(3) is None
    assert history.opened(None) is None


def test_an_undecided_generation_that_was_opened_calls_for_one_once_it_is_live() -> None:
    history = story((Told.OPENED, about(3)))
    assert history.opened(2) is None
    assert history.opened(3) is not None


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ([], 0),
        ([(Told.COPIED, about(2))], 1),
        ([(Told.COPIED, about(1))], 0),
        ([(Told.COPIED, about(2)), (Told.PRINTED, about(2, serial="a"))], 2),
        ([(Told.DRILL_BEGUN, about(2, drill="d"))], 1),
        ([(Told.DRILL_BEGUN, about(2, drill="d")), (Told.DRILL_FAILED, about(2, drill="d", why="no"))], 0),
        ([(Told.DRILL_BEGUN, about(2, drill="d")), (Told.DRILL_PASSED, about(2, drill="e"))], 1),
    ],
)
def test_what_left_keyturn_is_out_of_sight(told: list[tuple[Told, About]], left: int) -> None:
    assert story((Told.SEALED, about(2, digest="ff")), *told).out_of_sight(2) == left


def test_a_paper_is_void_once_another_generation_is_live_or_the_account_has_ended() -> None:
    history = story((Told.PRINTED, about(1, serial="old")), (Told.PRINTED, about(2, serial="new")))
    assert [paper.serial for paper in history.void(2)] == ["old"]
    assert [paper.serial for paper in history.void(None)] == ["old", "new"]


def test_a_drill_confirms_the_paper_of_its_serial_and_only_when_it_passes() -> None:
    printed = [(Told.PRINTED, about(2, serial="one")), (Told.PRINTED, about(2, serial="two"))]
    failed = story(*printed, (Told.DRILL_FAILED, about(2, serial="one", drill="d", why="no")))
    assert [paper.confirmed_at for paper in failed.papers] == [None, None]
    passed = story(*printed, (Told.DRILL_PASSED, about(2, serial="two", drill="d")))
    assert [paper.confirmed_at for paper in passed.papers] == [None, 103.0]
    assert [drill.passed for drill in passed.drills] == [True]
    without = story(*printed, (Told.DRILL_PASSED, about(2, drill="d")))
    assert [paper.confirmed_at for paper in without.papers] == [None, None]


def test_the_digest_that_counts_is_that_of_the_last_sealing() -> None:
    history = story((Told.SEALED, about(1, digest="aa")), (Told.SEALED, about(2, digest="bb")),
                    (Told.SEALED, about(1, digest="cc")))  # fmt: skip
    assert history.digests == {1: "cc", 2: "bb"}


def test_accounts_are_told_apart_without_regard_to_case() -> None:
    events = [Event(1, 1.0, "a", Told.OPENED, "x", str(About(name, 1))) for name in ("CORP\\Web", "corp\\web")]
    assert len(histories(events)["corp\\web"].openings) == 2
