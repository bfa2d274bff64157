"""Checkpoints as lines: printed, kept, read again, and refused where they are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.model.errors import Refused
from keyturn.operations.audit_log import Checkpoint, read_checkpoints

LINE = "keyturn-checkpoint-1 PHX 41 2026-03-01T10:00:00Z " + "ab" * 32


@given(
    site=st.from_regex(r"[A-Z0-9]{3}", fullmatch=True),
    number=st.integers(1, 10**17),
    at=st.integers(0, 4 * 10**9).map(float),
    link=st.binary(min_size=32, max_size=32),
)
def test_a_checkpoint_is_read_as_it_was_printed(site: str, number: int, at: float, link: bytes) -> None:
    checkpoint = Checkpoint(site, number, at, link)
    assert read_checkpoints(f"{checkpoint}\n") == (checkpoint,)


def test_a_file_holds_many_with_notes_between_them() -> None:
    found = read_checkpoints(f"# kept in the safe\n\n  {LINE}\n{LINE.replace(' 41 ', ' 42 ')}\n")
    assert [checkpoint.number for checkpoint in found] == [41, 42]


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        LINE.replace("-1 ", "-2 "),
        LINE.replace(" 41 ", " 0 "),
        LINE.replace(" 41 ", " -1 "),
        LINE.replace(" 41 ", " 41٣ "),
        LINE.replace("-03-", "-13-"),
        LINE[:-1],
        LINE + "0",
        LINE.replace("ab", "AB"),
        LINE + " " + LINE,
    ],
)
def test_a_line_that_is_no_checkpoint_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(Refused, match="line 2 of"):
        read_checkpoints(f"{LINE}\n{line}\n")
