"""A forecast as a picture: SVG text that needs no script, no font and no style sheet.

Lines and letters take the colour of the text around the picture, and every other colour stands out from white as well
as from black, so that one picture serves light pages and dark ones. Kinds differ by shape, not by colour alone.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from html import escape

from keyturn.lockout.axis import Axis, axis_for, duration
from keyturn.lockout.changes import Forecast, Moment
from keyturn.lockout.moments import LOCKS, crowd_of

WIDTH, LEFT, RIGHT = 960, 204, 856
"""Of the picture, and where the axis begins and ends. What is left of it are names, right of it outcomes."""
ROW = 20
LETTER = 6.7
"""About the width of a letter, at the size of 12 in which all text is written."""
LONGEST_NAME = 27
MOST_ROWS = 30
"""So many holders have a row each; of more than that, only numbers are drawn."""
NAMED = 10
"""So many names stand in a sentence."""
BARS = 48

SHAPES = {
    "refused": ("#d64545", "M-4,-4L4,4M-4,4L4,-4"),
    "learned": ("#2f9e5b", "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z"),
    "recovered": ("#3b82c4", "M0,-5L5,0L0,5L-5,0z"),
    "orphaned": ("#b7791f", "M-4,-4H4V4H-4z"),
}
"""What befalls holders: a colour with a contrast of 3 to white and to black, and a shape around (0, 0)."""
CHANGES = {"set": "password set", "published": "published", "retired": "retired"}
"""Short enough that even the last of them fits right of the axis."""
LOCKED = "#d64545"

PAGE = """<style>#{id}{{color:#1b1f24;background:#fff}}
@media (prefers-color-scheme:dark){{#{id}{{color:#e6e8eb;background:#14171a}}}}</style>"""
"""For a picture that stands alone, with no page to take its colours from."""


def timeline(
    forecast: Forecast, *, horizon_s: float | None = None, ident: str = "timeline", standalone: bool = False
) -> str:
    """The SVG element, to stand in a page where `ident` is unique, or `standalone` as a file.

    The axis ends at `horizon_s`, or at the last moment told. Up to MOST_ROWS holders have a row each.
    """
    moments = [moment for moment in forecast.moments if horizon_s is None or moment.at_s <= horizon_s]
    axis = axis_for([moment.at_s for moment in moments], horizon_s or 0, LEFT, RIGHT)
    labels = list(_labels(moments, axis))
    lanes = 1 + max((lane for lane, *_ in labels), default=-1)
    top = lanes * ROW + 10
    rows = list(_rows(forecast, moments, axis))
    bottom = top + len(rows) * ROW + 6
    body = [
        *_axis(axis, top, bottom),
        *(_change(lane, x, text, bottom) for lane, x, text in labels),
        *(f'<g transform="translate(0,{top + ROW * number + ROW // 2})">{row}</g>' for number, row in enumerate(rows)),
        *_legend(bottom + 2 * ROW + 6),
        _text(WIDTH - 8, bottom + 2 * ROW + 10, "time on a logarithmic scale" if axis.first_s else "", "end"),
    ]
    height = bottom + 3 * ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{ident}" role="img" viewBox="0 0 {WIDTH} {height}" '
        f'aria-labelledby="{ident}-title {ident}-desc" font-family="system-ui,sans-serif" font-size="12" '
        f'fill="currentColor"><title id="{ident}-title">{_plain(_title(forecast))}</title>'
        f'<desc id="{ident}-desc">{_plain(_description(forecast, moments))}</desc>'
    )
    return "\n".join([head + (PAGE.format(id=ident) if standalone else ""), *body, "</svg>"])


def _title(forecast: Forecast) -> str:
    if forecast.first_lockout_s is None:
        return "No lockout within the horizon"
    return f"First lockout after {duration(forecast.first_lockout_s)}"


def _description(forecast: Forecast, moments: Sequence[Moment]) -> str:
    changes = [
        f"{moment.who} {CHANGES[moment.kind]} at {duration(moment.at_s)}".strip()
        for moment in moments
        if moment.kind in CHANGES
    ]
    sentences = [
        "Changes: " + ", ".join(changes) if changes else "Nothing is changed",
        f"Locked by {_some(forecast.blamed)}" if forecast.blamed else "",
        f"Orphaned: {_some(forecast.orphaned)}",
        f"Recovered by the logon script: {_some(forecast.recovered)}",
    ]
    return ". ".join(sentence for sentence in sentences if sentence) + "."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (", ".join(names[:NAMED]) or "none") + more


def _labels(moments: Sequence[Moment], axis: Axis) -> Iterator[tuple[int, float, str]]:
    """Lane, place and text of each change. Its line begins in its lane and goes down, so it takes a lane below every
    text that reaches over its place."""
    ends: list[float] = []
    for moment in moments:
        if moment.kind in CHANGES:
            x, text = axis.x(moment.at_s), moment.who or CHANGES[moment.kind]
            lane = 1 + max((lane for lane, end in enumerate(ends) if end > x), default=-1)
            ends[lane:] = [x + _width(text) + 12]
            yield lane, x, text


def _change(lane: int, x: float, text: str, bottom: float) -> str:
    y = lane * ROW + 6
    line = f'<path d="M{x:.1f},{y}V{bottom}" stroke="currentColor" stroke-opacity=".6" stroke-dasharray="3 3"/>'
    return line + _text(x + 4, y + 10, text, "start")


def _axis(axis: Axis, top: float, bottom: float) -> Iterator[str]:
    yield f'<path d="M{LEFT},{bottom}H{RIGHT}" stroke="currentColor" fill="none"/>'
    for at_s in axis.marks(apart=62):
        x = axis.x(at_s)
        yield f'<path d="M{x:.1f},{top}V{bottom + 4}" stroke="currentColor" stroke-opacity=".2"/>'
        yield _text(x, bottom + 18, duration(at_s) if at_s else "now", "middle")


def _rows(forecast: Forecast, moments: Sequence[Moment], axis: Axis) -> Iterator[str]:
    """First the account, then the holders; each drawn around the height 0."""
    yield _account(moments, axis)
    told = [moment for moment in moments if moment.kind in SHAPES]
    names = list(dict.fromkeys(moment.who for moment in told))
    if len(names) > MOST_ROWS or any(crowd_of(name) for name in names):
        yield from (_numbers(kind, [m for m in told if m.kind == kind], axis) for kind in SHAPES)
        return
    outcomes = dict.fromkeys(forecast.recovered, "recovered") | dict.fromkeys(forecast.orphaned, "orphaned")
    for name in names:
        yield _holder(name, [m for m in told if m.who == name], outcomes.get(name, ""), axis)


def _account(moments: Sequence[Moment], axis: Axis) -> str:
    times = sum(moment.kind == "locked" for moment in moments)
    more = "+" if times >= LOCKS else ""
    spans = _locked(moments, axis)
    bars = (f'<rect x="{x:.1f}" y="-6" width="{end - x:.1f}" height="12" fill="{LOCKED}"/>' for x, end in spans)
    outcome = "not locked" if not times else "locked" if times == 1 else f"locked {times}{more}×"
    return _row("account", outcome, "".join(bars))


def _locked(moments: Sequence[Moment], axis: Axis) -> Iterator[tuple[float, float]]:
    """Where the account is locked at any replica, as places on the axis at least one unit wide. After the last lock
    that is told, there are more like it."""
    since: dict[str, float] = {}
    spans = []
    locks = [moment.at_s for moment in moments if moment.kind == "locked"]
    if len(locks) >= LOCKS:
        spans.append((locks[-1], axis.end_s))
    for moment in moments:
        if moment.kind == "locked":
            since.setdefault(moment.who, moment.at_s)
        elif moment.kind == "unlocked" and moment.who in since:
            spans.append((since.pop(moment.who), moment.at_s))
    spans += [(begin, axis.end_s) for begin in since.values()]
    drawn: tuple[float, float] | None = None
    for begin, end in sorted((axis.x(begin), max(axis.x(end), axis.x(begin) + 1)) for begin, end in spans):
        if drawn and begin <= drawn[1] + 1:
            drawn = (drawn[0], max(drawn[1], end))
            continue
        if drawn:
            yield drawn
        drawn = (begin, end)
    if drawn:
        yield drawn


def _holder(name: str, moments: Sequence[Moment], outcome: str, axis: Axis) -> str:
    """Shapes of one kind that would touch are drawn once; a refusal gives way to what it led to."""
    taken: dict[str, list[float]] = {kind: [] for kind in SHAPES}
    for moment in sorted(moments, key=lambda moment: moment.kind == "refused"):
        x = axis.x(moment.at_s)
        rivals = [moment.kind] if moment.kind != "refused" else ["refused", "learned", "recovered"]
        if all(abs(x - other) >= 10 for rival in rivals for other in taken[rival]):
            taken[moment.kind].append(x)
    return _row(name, outcome, "".join(_shape(kind, x, 0) for kind, places in taken.items() for x in places))


def _numbers(kind: str, moments: Sequence[Moment], axis: Axis) -> str:
    """One kind of a large fleet: bars as high as holders are many that meet it first in that part of the axis."""
    wide = (RIGHT - LEFT) / BARS
    counts = [0] * BARS
    counted: set[str] = set()
    for moment in moments:
        if moment.who not in counted:
            counts[min(int((axis.x(moment.at_s) - LEFT) / wide), BARS - 1)] += crowd_of(moment.who) or 1
        counted |= {moment.who} if crowd_of(moment.who) is None else set()
    bars = []
    for number, count in enumerate(counts):
        if count:
            high = max(2, 16 * count / max(counts))
            place = f'x="{LEFT + number * wide:.1f}" y="{8 - high:.1f}"'
            bars.append(f'<rect {place} width="{wide - 2:.1f}" height="{high:.1f}"/>')
    return _row(kind, f"{sum(counts)}", f'<g fill="{SHAPES[kind][0]}">{"".join(bars)}</g>')


def _row(name: str, outcome: str, drawn: str) -> str:
    line = f'<path d="M{LEFT},0H{RIGHT}" stroke="currentColor" stroke-opacity=".15"/>'
    return _text(LEFT - 12, 4, _fitting(name), "end") + _text(RIGHT + 10, 4, outcome, "start") + line + drawn


def _legend(y: float) -> Iterator[str]:
    yield f'<rect x="{LEFT - 6}" y="{y - 6}" width="12" height="12" fill="{LOCKED}"/>'
    yield _text(LEFT + 12, y + 4, "locked", "start")
    for number, kind in enumerate(SHAPES, 1):
        yield _shape(kind, LEFT + 92 * number, y) + _text(LEFT + 92 * number + 12, y + 4, kind, "start")


def _shape(kind: str, x: float, y: float) -> str:
    colour, path = SHAPES[kind]
    fill = "none" if kind in ("refused", "orphaned") else colour
    return f'<path d="{path}" transform="translate({x:.1f},{y})" fill="{fill}" stroke="{colour}" stroke-width="2"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{_plain(text)}</text>' if text else ""


def _fitting(name: str) -> str:
    while _width(name) > LONGEST_NAME * LETTER:
        name = name.removesuffix("…")[:-1] + "…"
    return name


def _width(text: str) -> float:
    """About how wide `text` is drawn: letters of East Asia take twice the place."""
    return LETTER * sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _plain(text: str) -> str:
    """Safe between tags: characters that XML does not know are replaced."""
    return escape(re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text), quote=False)
