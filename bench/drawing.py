"""Time and memory over the size of a fleet, as two diagrams side by side, both axes logarithmic."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from bench.lines import Line, Point

INK, FAINT, PAPER = "#52514e", "#e1e0d9", "#ffffff"
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so the letters are the same everywhere
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "keyturn",  # the same figures give the same file
}


def draw(lines: Sequence[Line], span: str, to: Path) -> None:
    """`span` is what each forecast looks ahead. The kind of picture follows from the name of the file."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 3.8), layout="constrained", facecolor=PAPER)
        left, right = figure.subplots(1, 2)
        _fill(left, lines, lambda point: point.seconds, f"Seconds to forecast {span}")
        _fill(right, lines, lambda point: point.peak_mb, "Peak memory in MB")
        # On the right, where the upper left is free: memory grows late.
        right.legend(frameon=False, loc="upper left", handlelength=2.4, labelspacing=0.3)
        figure.savefig(to, dpi=150, metadata={"Date": None, "Creator": None} if to.suffix == ".svg" else None)


def _fill(axes: Axes, lines: Sequence[Line], value: Callable[[Point], float], title: str) -> None:
    for line in lines:
        xs, ys = [point.clients for point in line.points], [value(point) for point in line.points]
        dashes = (0, (4, 2)) if line.peer else "-"
        axes.plot(xs, ys, color=line.colour, linestyle=dashes, linewidth=1.8, marker="o", markersize=4, label=line.name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel("clients")
    axes.grid(color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 3) if _narrow(axes) else (1,)))
    for axis, name in ((axes.xaxis, _short), (axes.yaxis, _plain)):
        axis.set_major_formatter(FuncFormatter(name))
        axis.set_minor_locator(NullLocator())


def _narrow(axes: Axes) -> bool:
    """Whether powers of ten alone would leave the axis nearly bare."""
    low, high = axes.get_ylim()
    return high < 100 * low


def _short(value: float, _place: int) -> str:
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _plain(value: float, _place: int) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
