"""Charts that only the report of a run has: histograms, shapes and anchors."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ...report import charts
from ...report.charts import Axes
from ...report.colours import BLUE, COLOURS


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
