"""What the command line says of a source that is being read, where nobody looks at a terminal."""

import pytest

from keyturn.cli.package_reading import LINE_S, how_far, lines
from tests.builtin import Clock

BEGUN = {"files": 0, "of_files": 0, "size": 0, "of_size": 0, "unchanged": 0}
HALF = {"files": 3120, "of_files": 9000, "size": 1_200_000_000, "of_size": 4_000_000_000, "unchanged": 0}


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (BEGUN, "its files are being listed"),
        (HALF, "3,120 of 9,000 files, 1,200.0 of 4,000.0 MB"),
        (HALF | {"unchanged": 12}, "3,120 of 9,000 files, 1,200.0 of 4,000.0 MB; 12 more have not changed"),
    ],
)
def test_how_far_it_is_is_one_line(reading: dict[str, int], said: str) -> None:
    assert how_far(reading) == said


def test_a_line_now_and_then_tells_the_rate_since_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    show = lines("PHX00001", clock)
    for at_s, size in ((1, 10**9), (LINE_S, 3 * 10**9), (LINE_S + 1, 3 * 10**9), (2 * LINE_S, 3 * 10**9 + 15 * 10**6)):
        clock.now = Clock().now + at_s
        show(HALF | {"size": size})
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.rpartition(", ")[2] for line in told.err.splitlines()] == ["200.0 MB/s", "1.0 MB/s"]


def test_nothing_is_said_while_no_reading_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    show = lines("PHX00001", clock)
    clock.turn(LINE_S)
    show({})
    assert capsys.readouterr().err == ""
