"""Charts that only the report of a run has: histograms, shapes and anchors, confusion matrices."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ...report import charts
from ...report.charts import Axes
from ...report.colours import BLUE, COLOURS, INK

LONGEST_NAME = 16  # letters of a class beside a chart


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


def confusion_chart(names: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Counts [n,n], rows ground truth, columns detections, the last background.

    A cell is darker where its fraction of the row is larger; in the last row, its fraction of all detections.
    """
    n, room = len(names), LONGEST_NAME - 1
    classes = [name if len(name) <= LONGEST_NAME else name[:room] + "…" for name in names[:-1]]

    def paint(axes: Axes) -> None:
        totals = [*map(sum, counts[:-1]), sum(sum(row[:-1]) for row in counts)]
        shares = [[value / max(total, 1) for value in row] for row, total in zip(counts, totals, strict=True)]
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1.25, edgecolors="white", linewidth=1)
        for y, x in ((y, x) for y in range(n) for x in range(n) if counts[y][x] and n <= 12):
            ink = "white" if shares[y][x] > 0.6 else INK
            axes.text(x + 0.5, y + 0.5, f"{counts[y][x]:,}", ha="center", va="center", color=ink)
        middles = [i + 0.5 for i in range(n)]
        axes.set_xticks(middles, [*classes, "missed"], rotation=90 if n > 3 else 0)
        axes.set_yticks(middles, [*classes, "no object"])
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    left = charts.beside([*classes, "no object"])
    below = 0.75 * left if n > 3 else 0.3
    return charts.svg(paint, 0.1 + max(0.26 * n, 1.3) + below, left, below)
