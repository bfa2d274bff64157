"""What a key may hold, and how each kind of value is read."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from keyturn.model.accounts import canonical
from keyturn.model.estate import SHARE_NAME, Absence
from keyturn.model.spelling import nearest, shown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

UNITS: Mapping[str, int] = {"s": 1, "min": 60, "h": 3600, "d": 86400}
"""Seconds in each unit of a duration."""

_LONGEST_TEXT = 256
_LONGEST_S = 100 * 365 * UNITS["d"]
_SHORTEST_INTERVAL_S = 0.1
"""Who comes more often would make a forecast of weeks endless."""

_DURATION = re.compile(rf"(?P<number>[0-9]{{1,12}}(?:\.[0-9]{{1,12}})?) ?(?P<unit>{'|'.join(UNITS)})")


class Wrong(Exception):
    """A value that its key cannot hold. `at` leads from the value to the element that is wrong."""

    def __init__(self, message: str, hint: str = "", at: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.at = at


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """`read` raises Wrong, whose message completes "must be …", as `expected` does."""

    expected: str
    read: Callable[[object], T_co]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Wrong(TEXT.expected)
    if not value.strip() or value != value.strip():
        raise Wrong("text that neither begins nor ends with a space, and is not empty")
    if len(value) > _LONGEST_TEXT:
        raise Wrong(f"at most {_LONGEST_TEXT} characters long")
    if not value.isprintable():
        raise Wrong("text without control characters")
    return value


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong(SWITCH.expected)
    return value


def _duration(value: object) -> float:
    seconds = _seconds(value)
    if seconds < 0:
        raise Wrong("zero or longer")
    if seconds > _LONGEST_S:
        raise Wrong("at most 36500 d")
    return float(seconds)


def _seconds(value: object) -> float:
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        return float(match["number"]) * UNITS[match["unit"]]
    if isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value):
        return value
    raise Wrong(DURATION.expected)


def _interval(value: object) -> float:
    seconds = _duration(value)
    if seconds < _SHORTEST_INTERVAL_S:
        raise Wrong(f"at least {_SHORTEST_INTERVAL_S} s")
    return seconds


def _share(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(SHARE_NAME, value):
        raise Wrong(SHARE.expected)
    return value


def whole(least: int, most: int) -> Kind[int]:
    expected = f"a whole number from {least} to {most}"

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Wrong(expected)
        return value

    return Kind(expected, read)


def one_of(choices: Mapping[str, T]) -> Kind[T]:
    expected = "one of " + ", ".join(choices)

    def read(value: object) -> T:
        if not isinstance(value, str) or value not in choices:
            hint = nearest(value, choices) if isinstance(value, str) else ""
            raise Wrong(f"{expected}, not {_told(value)}", hint)
        return choices[value]

    return Kind(expected, read)


def _names(value: object) -> tuple[str, ...]:
    """Names in their order, none twice as directories compare names."""
    seen: set[str] = set()
    names = []
    for index, name in _elements(value, NAMES.expected):
        try:
            names.append(_text(name))
        except Wrong as wrong:
            raise Wrong(f"a list in which each name is {wrong.message}", at=(index,)) from None
        if canonical(names[-1]) in seen:
            raise Wrong(f"a list without repetition; {shown(names[-1])} is in it twice", at=(index,))
        seen.add(canonical(names[-1]))
    return tuple(names)


def _absences(value: object) -> tuple[Absence, ...]:
    absences = []
    for index, pair in _elements(value, ABSENCES.expected):
        if not isinstance(pair, list) or len(pair) != 2:
            raise Wrong(ABSENCES.expected, at=(index,))
        try:
            absence = Absence(_duration(pair[0]), _duration(pair[1]))
        except Wrong as wrong:
            raise Wrong(f"pairs of which each part is {wrong.message}", at=(index,)) from None
        if absence.from_s >= absence.until_s:
            raise Wrong("pairs that begin before they end", at=(index,))
        absences.append(absence)
    return tuple(absences)


def _elements(value: object, expected: str) -> Iterator[tuple[int, object]]:
    if not isinstance(value, list):
        raise Wrong(expected)
    return enumerate(value)


def _told(value: object) -> str:
    return shown(value) if isinstance(value, str) else "a value of another kind"


TEXT = Kind("text in quotes", _text)
SHARE = Kind(r"the name of a share such as '\\fs1.corp.example\cap', in single quotes", _share)
SWITCH = Kind("true or false", _switch)
DURATION = Kind('a duration such as "30 min", with s, min, h or d, or a number of seconds', _duration)
INTERVAL = Kind(DURATION.expected, _interval)
NAMES = Kind("a list of names in quotes", _names)
ABSENCES = Kind('a list of pairs such as [["2 d", "16 d"]], each from and until, counted from now', _absences)
