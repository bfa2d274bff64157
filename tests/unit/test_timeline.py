"""The timeline reads without a mouse, in light and in dark, and no text lies on another."""

import re
import unicodedata
from itertools import combinations
from xml.etree import ElementTree

import pytest

from keyturn.lockout.axis import axis_for, duration
from keyturn.lockout.changes import Change, Contact, Forecast, Moment, PasswordSet, Published, Retired
from keyturn.lockout.forecast import predict
from keyturn.lockout.moments import LOCKS
from keyturn.lockout.timeline import RIGHT, timeline
from keyturn.model.estate import Habit
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy

SVG = "{http://www.w3.org/2000/svg}"
DAY = 86400.0
CHANGES: list[Change] = [PasswordSet(0), Published(0), Published(1), Published(3600, True), Retired(DAY)]


def forecast(holders: int, changes: list[Change] = CHANGES) -> Forecast:
    fleet = [
        Contact(f"a-rather-long-machine-name-{number:05}", Habit(3600), LogonProtocol.NTLM, number % 3 == 0)
        for number in range(holders)
    ]
    return predict(fleet, changes, RealmPolicy(history=0), horizon_s=2 * DAY)


def texts(svg: str) -> list[tuple[str, float, float, float, float]]:
    """Each text with the box it takes up, at 6.7 a letter and 14 high."""
    boxes = []
    root = ElementTree.fromstring(svg)
    offsets = dict.fromkeys(root.iter(), 0.0)
    for group in root.iter(f"{SVG}g"):
        moved = re.search(r"translate\(0,([\d.]+)\)", group.get("transform", ""))
        offsets |= {child: float(moved[1]) for child in group.iter() if moved}
    for text in root.iter(f"{SVG}text"):
        content = text.text or ""
        width = 6.7 * sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in content)
        left = float(text.get("x", 0)) - {"start": 0, "middle": width / 2, "end": width}[text.get("text-anchor", "")]
        base = float(text.get("y", 0)) + offsets.get(text, 0)
        boxes.append((content, left, left + width, base - 11, base + 3))
    return boxes


@pytest.mark.parametrize("holders", [0, *range(1, 31), 31, 250, 3000])
def test_no_text_lies_on_another_or_leaves_the_picture(holders: int) -> None:
    svg = timeline(forecast(holders), horizon_s=2 * DAY)
    _, _, width, height = map(float, ElementTree.fromstring(svg).get("viewBox", "").split())
    boxes = texts(svg)
    for text, left, right, top, bottom in boxes:
        assert left >= 0, text
        assert right <= width, text
        assert top >= 0, text
        assert bottom <= height, text
    for one, other in combinations(boxes, 2):
        apart = one[2] <= other[1] or other[2] <= one[1] or one[4] <= other[3] or other[4] <= one[3]
        assert apart, f"{one[0]} on {other[0]}"


def test_a_line_of_a_change_never_crosses_the_text_of_another() -> None:
    close: list[Change] = [Published(600.0 * number, second_account=True) for number in range(6)]
    svg = timeline(forecast(3, close), horizon_s=2 * DAY)
    lines = [(float(x), float(y)) for x, y in re.findall(r'd="M([\d.]+),([\d.]+)V[^"]+"[^>]*dasharray', svg)]
    labels = [box for box in texts(svg) if box[0] == "second account"]
    assert len(lines) == len(labels) == 6
    for x, begins in lines:
        for _, left, right, top, bottom in labels:
            assert not (left < x < right and begins < (top + bottom) / 2)


def test_up_to_thirty_holders_are_named_and_of_more_only_numbers_told() -> None:
    thirty = texts(timeline(forecast(30)))
    assert sum(text.startswith("a-rather-long") for text, *_ in thirty) == 30
    many = [text for text, *_ in texts(timeline(forecast(31)))]
    assert not [text for text in many if text.startswith("a-rather-long")]
    assert {"refused", "learned", "recovered", "orphaned"} <= set(many)
    assert [text for text in many if text.isdigit()] == ["20", "11", "0", "20"]


def test_crowds_are_counted_holder_by_holder() -> None:
    svg = timeline(forecast(3000))
    assert [text for text, *_ in texts(svg) if text.isdigit()] == ["2000", "1000", "0", "2000"]


def test_a_screen_reader_is_told_what_the_picture_shows() -> None:
    root = ElementTree.fromstring(timeline(forecast(30), ident="plan-7"))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "plan-7-title plan-7-desc"
    title, described = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert described is not None
    assert (title.get("id"), described.get("id")) == ("plan-7-title", "plan-7-desc")
    assert title.text == "First lockout after 1.1 h"
    assert "password set at 0 s, published at 1 s, second account published at 1 h" in (described.text or "")
    assert "Locked by a-rather-long-machine-name-000" in (described.text or "")
    assert "and 10 more" in (described.text or "")


def test_a_safe_forecast_says_so() -> None:
    root = ElementTree.fromstring(timeline(Forecast(None, (), (), ())))
    assert (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")) == (
        "No lockout within the horizon",
        "Nothing is changed. Orphaned: none. Recovered by the logon script: none.",
    )


def test_text_and_lines_take_the_colours_of_the_page() -> None:
    svg = timeline(forecast(3))
    assert "<style" not in svg
    assert not re.search(r"<text[^>]*fill=", svg)
    assert set(re.findall(r'stroke="([^"#]+)"', svg)) == {"currentColor"}


def test_a_picture_of_its_own_brings_light_and_dark() -> None:
    svg = timeline(forecast(3), standalone=True)
    ElementTree.fromstring(svg)
    assert "prefers-color-scheme:dark" in svg


@pytest.mark.parametrize("colour", sorted(set(re.findall("#[0-9a-f]{6}", timeline(forecast(3))))))
def test_every_colour_stands_out_from_white_and_from_black(colour: str) -> None:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 3
    assert (luminance + 0.05) / 0.05 >= 3


def test_names_cannot_break_out_of_their_text() -> None:
    name = "</text><script>alert(1)</script>\x00\x1b&"
    told = Forecast(None, (), (name,), (), (Moment(1, "orphaned", name),))
    svg = timeline(told)
    assert "<script" not in svg
    assert [text for text, *_ in texts(svg) if "script" in text] == ["</text><script>alert(1)</s…"]


def test_wide_letters_are_cut_sooner() -> None:
    told = Forecast(None, (), (), (), (Moment(1, "learned", "端" * 40),))
    assert "端" * 13 + "…" in [text for text, *_ in texts(timeline(told))]


def test_locks_too_close_to_tell_apart_are_drawn_as_one() -> None:
    locks = [Moment(at / 10, kind) for at in range(0, 9000, 2) for at, kind in ((at, "locked"), (at + 1, "unlocked"))]
    svg = timeline(Forecast(0, (), (), (), tuple(locks)), horizon_s=14 * DAY)
    assert svg.count("<rect") < 40


def test_beyond_the_locks_told_the_account_is_drawn_as_locked_to_the_horizon() -> None:
    locks = [Moment(at, kind) for at in range(LOCKS) for at, kind in ((at, "locked"), (at + 0.5, "unlocked"))]
    svg = timeline(Forecast(0, (), (), (), tuple(locks)), horizon_s=14 * DAY)
    assert f"locked {LOCKS}+×" in svg
    ends = [float(x) + float(width) for x, width in re.findall(r'<rect x="([\d.]+)" y="-6" width="([\d.]+)"', svg)]
    assert max(ends) == RIGHT


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (0.25, "0.2 s"), (90, "1.5 min"), (7200, "2 h"), (1209600, "14 d")]
)
def test_durations_are_said_in_the_largest_unit(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("moments_s", "end_s", "marks"),
    [
        ([1, 30], 60, [0, 10, 20, 30, 40, 50, 60]),
        ([0], 0, [0, 1]),
        ([], 14 * DAY, [0, 2 * DAY, 4 * DAY, 6 * DAY, 8 * DAY, 10 * DAY, 12 * DAY, 14 * DAY]),
    ],
)
def test_an_even_axis_is_marked_in_round_steps(moments_s: list[float], end_s: float, marks: list[float]) -> None:
    assert list(axis_for(moments_s, end_s, 0, 660).marks(apart=60)) == marks


def test_what_happens_at_once_is_not_squeezed_into_the_beginning_of_two_weeks() -> None:
    axis = axis_for([0, 1, 2, 3600], 14 * DAY, 0, 660)
    assert axis.x(2) - axis.x(1) > 10
    assert axis.x(14 * DAY) == 660
