"""Charts that only the reports of runs have: histograms, shapes and anchors, settings that were tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...report import charts
from ...report.charts import Axes
from ...report.colours import BLUE, COLOURS
from ..sweep.space import is_number, written

TICKS = 6  # values of a list that have room below an axis
WIDE = 8  # how many times the smallest value of a list the largest one is, from where on its axis is logarithmic


def histogram(bins: Mapping[str, Any], x_label: str) -> str:
    """Bars between edges [n+1] with counts [n]; on a logarithmic axis where the bins grow, so that all look alike."""

    def paint(axes: Axes) -> None:
        edges, counts = bins["edges"], bins["counts"]
        widths = [high - low for low, high in pairwise(edges)]
        axes.bar(edges[:-1], counts, widths, align="edge", color=BLUE, edgecolor="white", linewidth=0.5)
        if widths[-1] > 1.01 * widths[0]:
            charts.octaves(axes, "x", (edges[0], edges[-1]))
        else:
            axes.xaxis.set_major_locator(charts.few(6, integer=edges[-1] > 1))
        axes.set_xlim(edges[0], edges[-1])
        axes.set_xlabel(x_label)
        axes.yaxis.set_major_locator(charts.few(5, integer=True))
        axes.grid(axis="y")

    return charts.svg(paint)


def shape_chart(boxes: Sequence[Sequence[float]], anchors: Sequence[Sequence[float]]) -> str:
    """Width and height in pixels: each box a dot, each anchor a ring; axes are logarithmic."""

    def paint(axes: Axes) -> None:
        sides = [max(side, 0.1) for shape in (*boxes, *anchors) for side in shape]
        limits = min(sides) * 0.85, max(sides) * 1.18
        charts.octaves(axes, "x", limits)
        charts.octaves(axes, "y", limits)
        widths, heights = ([max(box[i], 0.1) for box in boxes] for i in (0, 1))
        axes.plot(widths, heights, "o", markersize=2.4, color=BLUE, alpha=0.35, markeredgewidth=0)
        for width, height in anchors:
            axes.plot(width, height, "o", markersize=9, color="none", markeredgecolor=COLOURS[4], markeredgewidth=1.8)
        axes.set(xlim=limits, ylim=limits, xlabel="width in px; height upwards")
        axes.grid()

    return charts.svg(paint)


@dataclass(frozen=True)
class Tried:
    """A value of a setting, and a metric: its mean over runs, and that of each."""

    value: Any
    mean: float
    runs: Sequence[float]


def tried_chart(points: Sequence[Tried], name: str, *, log: bool | None, known: Sequence[Any] | None) -> str:
    """A metric over the values of a setting, a dot a trial; the first one is the best.

    log: whether the axis is logarithmic; None: as the values are spread. known: all values of a list; other than
    numbers stand side by side.
    """
    words = known is not None and not all(is_number(value) for value in known)
    texts = [written(value) for value in known or ()]

    def place(value: Any) -> float:
        return texts.index(written(value)) if words else float(value)

    def paint(axes: Axes) -> None:
        for point in reversed(points):
            is_best, x = point is points[0], place(point.value)
            colour = COLOURS[1] if is_best else BLUE
            if len(point.runs) > 1:
                places = [x] * len(point.runs)
                axes.plot(places, point.runs, "o", markersize=4, color="none", markeredgecolor=colour)
            axes.plot(x, point.mean, "o", markersize=7 if is_best else 5.5, color=colour, markeredgewidth=0)
        if words:
            axes.set_xticks(range(len(texts)), texts)
            axes.set_xlim(-0.5, len(texts) - 0.5)
        else:
            number_axis(axes, [float(point.value) for point in points], known, log)
        axes.set_xlabel(name)
        axes.yaxis.set_major_locator(charts.few(5))
        axes.grid(axis="y")

    return charts.svg(paint)


def number_axis(axes: Axes, values: Sequence[float], known: Sequence[float] | None, log: bool | None) -> None:
    """An axis for numbers: ticks at those of a list, where they have room; else a few round ones."""
    logarithmic = log if log is not None else min(values) > 0 and max(values) > WIDE * min(values)
    whole = all(value == round(value) for value in values)
    axes.margins(x=0.08)
    if logarithmic:
        charts.log_axis(axes, "x")
    else:
        axes.xaxis.set_major_locator(charts.few(6, integer=whole))
    if known is not None and len(known) <= TICKS:
        axes.set_xticks([float(value) for value in known], [f"{value:g}" for value in known])
