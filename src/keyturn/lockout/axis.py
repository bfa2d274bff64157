"""The time axis of a timeline: where a moment is drawn, and which moments are marked."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

ROUND = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 2592000, 31536000)
"""Seconds that people count by."""
UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
MARKS = 8
"""At most so many marks on an even axis."""
UNEVEN = 100
"""An axis more than so many times as long as its first step would hide the beginning: it is drawn logarithmically."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From `left` (now) to `right` (`end_s`, above 0). `first_s` is the step to be seen; 0: all steps are alike."""

    left: float
    right: float
    end_s: float
    first_s: float = 0

    def x(self, at_s: float) -> float:
        return self.left + (self.right - self.left) * min(self._part(at_s), 1)

    def marks(self, apart: float) -> Iterator[float]:
        """Round moments whose places lie at least `apart` from each other, now first."""
        yield 0
        last = self.left
        for at_s in self._round():
            if at_s <= self.end_s and self.x(at_s) - last >= apart:
                last = self.x(at_s)
                yield at_s

    def _part(self, at_s: float) -> float:
        if not self.first_s:
            return at_s / self.end_s
        return math.log1p(at_s / self.first_s) / math.log1p(self.end_s / self.first_s)

    def _round(self) -> Iterator[float]:
        if self.first_s:
            yield from ROUND
            return
        step = next((step for step in ROUND if self.end_s / step <= MARKS), ROUND[-1])
        yield from (number * step for number in range(1, MARKS + 1))


def axis_for(moments_s: list[float], end_s: float, left: float, right: float) -> Axis:
    """Logarithmic if all that happens first would else fall on one place."""
    first_s = min((at_s for at_s in moments_s if at_s > 0), default=end_s)
    end_s = max(end_s, *moments_s, 1) if moments_s else max(end_s, 1)
    return Axis(left, right, end_s, max(first_s, 0.1) if first_s * UNEVEN < end_s else 0)


def duration(seconds: float) -> str:
    """`90` is `1.5 min`: the largest unit of which there is one, to one decimal."""
    size, unit = next(((size, unit) for size, unit in UNITS if seconds >= size), UNITS[-1])
    return f"{round(seconds / size, 1):g} {unit}"
