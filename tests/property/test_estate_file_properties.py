"""What holds for every estate, and for every text."""

import tomllib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyturn.model.estate import Estate
from keyturn.wire.estate_file import positions
from keyturn.wire.estate_file.problems import EstateErrors, Problem
from keyturn.wire.estate_file.reading import read_estate
from keyturn.wire.estate_file.writing import write_estate
from tests.property.estate_strategies import ROLES, estates

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
STRAY = ("", "[", "]", "{", "'", '"', '"""', "\\", "=", "\n", ".", "#", "1")


@given(estates())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_an_estate_that_is_written_is_read_as_it_was(estate: Estate) -> None:
    assert read_estate(write_estate(estate), roles=ROLES) == estate


@st.composite
def spoilt_examples(draw: st.DrawFn) -> str:
    """An example of which pieces were cut out, doubled or replaced by something stray."""
    text = draw(st.sampled_from(EXAMPLES)).read_text(encoding="utf-8")
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 60))
        text = text[:start] + draw(st.sampled_from((*STRAY, text[start:end] * 2))) + text[end:]
    return text


@given(st.text() | spoilt_examples())
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_reader_and_every_problem_is_in_the_file(text: str) -> None:
    lines = [problem.line for problem in problems_of(text)]
    assert lines == sorted(lines)
    assert not lines or (lines[0] >= 1 and lines[-1] <= text.count("\n") + 1)


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        read_estate(text, roles=ROLES)
    except EstateErrors as errors:
        return errors.problems
    return ()


@given(st.text("[]{}=.,\"'\\# \nab01", max_size=40) | spoilt_examples())
@settings(max_examples=500, deadline=None)
def test_every_value_of_a_toml_text_has_a_line_and_nothing_else_has(text: str) -> None:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(positions.lines_of(text)) == set(paths(values))


def paths(value: object, path: positions.Path = ()) -> list[positions.Path]:
    """The path of everything inside `value`."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, inner in steps for found in ((*path, step), *paths(inner, (*path, step)))]
