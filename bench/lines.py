"""What `growth.py` has measured and `drawing.py` draws."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """`peak_mb` is the resident memory of the whole process at its highest."""

    clients: int
    seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Line:
    """A `peer` is drawn dashed."""

    name: str
    colour: str
    peer: bool
    points: tuple[Point, ...]
