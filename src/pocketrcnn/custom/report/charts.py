"""Charts and pictures that only the report of a run has: histograms, shapes and anchors, confusions, marked images."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ...report import charts
from ...report.charts import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELLED = 8  # marks in an image; with more of them, labels would hide what they name
PIXELS_SEEN = 96  # pixels: smaller images are shown with their pixels as squares
LINES = (2.2, 1.4)  # pixels of the page: width of lines around few and around many objects
LONGEST_NAME = 16  # letters of a class beside a chart
OCTAVES = 3  # an axis as short as this has too few powers of 2
LETTER = 0.68  # width of a letter, as a part of its height


def histogram(bins: Mapping[str, Any], x_label: str) -> str:
    """Bars between edges [n+1] with counts [n]; on a logarithmic axis where the bins grow, so that all look alike."""

    def paint(axes: Axes) -> None:
        edges, counts = bins["edges"], bins["counts"]
        widths = [high - low for low, high in pairwise(edges)]
        axes.bar(edges[:-1], counts, widths, align="edge", color=charts.BLUE, edgecolor="white", linewidth=0.5)
        if widths[-1] > 1.01 * widths[0]:
            _log(axes, "x", (edges[0], edges[-1]))
        else:
            axes.xaxis.set_major_locator(charts.few(6, integer=edges[-1] > 1))
        axes.set_xlim(edges[0], edges[-1])
        axes.set_xlabel(x_label)
        axes.yaxis.set_major_locator(charts.few(5, integer=True))
        axes.grid(axis="y")

    return charts.svg(paint)


def _log(axes: Axes, which: str, limits: tuple[float, float]) -> None:
    """A logarithmic axis with plain numbers, for sizes in pixels: powers of 2, or round ones where that is too few."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set(**{f"{which}scale": "log"})
    axis = getattr(axes, f"{which}axis")
    low, high = (math.log2(limit) for limit in limits)
    if high - low > OCTAVES:
        powers = range(math.floor(low), math.ceil(high) + 1, round((high - low) / 6) or 1)
        axis.set_major_locator(FixedLocator([2.0**power for power in powers]))
    else:
        axis.set_major_locator(charts.few(5))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def shape_chart(boxes: Sequence[Sequence[float]], anchors: Sequence[Sequence[float]]) -> str:
    """Width and height in pixels: each box a dot, each anchor a ring; axes are logarithmic."""

    def paint(axes: Axes) -> None:
        sides = [max(side, 0.1) for shape in (*boxes, *anchors) for side in shape]
        limits = min(sides) * 0.85, max(sides) * 1.18
        _log(axes, "x", limits)
        _log(axes, "y", limits)
        widths, heights = ([max(box[i], 0.1) for box in boxes] for i in (0, 1))
        axes.plot(widths, heights, "o", markersize=2.4, color=charts.BLUE, alpha=0.35, markeredgewidth=0)
        for width, height in anchors:
            axes.plot(width, height, "o", markersize=9, color="none", markeredgecolor=COLOURS[4], markeredgewidth=1.8)
        axes.set(xlim=limits, ylim=limits, xlabel="width in px; height upwards")
        axes.grid()

    return charts.svg(paint)


def confusion_chart(names: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Counts [n,n], rows truth, columns detections, the last background.

    Each cell is the darker the larger its part of the row; in the last row, its part of all detections.
    """
    n = len(names)

    def paint(axes: Axes) -> None:
        totals = [*map(sum, counts[:-1]), sum(sum(row[:-1]) for row in counts)]
        shares = [[value / max(total, 1) for value in row] for row, total in zip(counts, totals, strict=True)]
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1.25, edgecolors="white", linewidth=1)
        for y, x in ((y, x) for y in range(n) for x in range(n) if counts[y][x] and n <= 12):
            ink = "white" if shares[y][x] > 0.6 else charts.INK
            axes.text(x + 0.5, y + 0.5, f"{counts[y][x]:,}", ha="center", va="center", color=ink)
        places = [place + 0.5 for place in range(n)]
        axes.set_xticks(places, [*map(shortened, names[:-1]), "not found"], rotation=90 if n > 3 else 0)
        axes.set_yticks(places, [*map(shortened, names[:-1]), "nothing there"])
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    labels = [*map(shortened, names[:-1]), "nothing there"]
    below = 0.75 * charts.beside(labels) if n > 3 else 0.3
    return charts.svg(paint, 0.1 + max(0.26 * n, 1.3) + below, charts.beside(labels), below)


def shortened(name: str) -> str:
    """At most LONGEST_NAME letters."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


@dataclass(frozen=True)
class Mark:
    """A box on an image, in parts of its sides, 0..1. `filled`: something is wrong with it."""

    box: Sequence[float]
    colour: str
    filled: bool
    dashed: bool = False
    label: str = ""


def marked(uri: str, size: Sequence[int], marks: Sequence[Mark], letters: float) -> str:
    """An image (a data URI) with boxes over it, as SVG: lines stay thin at any size. Labels only where they are few.

    letters: their size, as a part of the image's width.
    """
    width, height = size
    pixels = ' style="image-rendering:pixelated"' if max(size) <= PIXELS_SEEN else ""
    line = LINES[len(marks) > LABELLED]
    inside = "".join(_outline(mark, width, height, line) for mark in marks)
    if len(marks) <= LABELLED:
        inside += "".join(_label(mark, width, height, letters * width) for mark in marks)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<image href="{uri}" width="{width}" height="{height}" preserveAspectRatio="none"{pixels}/>{inside}</svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def _outline(mark: Mark, width: int, height: int, line: float) -> str:
    x1, y1, x2, y2 = (part * side for part, side in zip(mark.box, (width, height) * 2, strict=True))
    shape = f'x="{x1:.2f}" y="{y1:.2f}" width="{x2 - x1:.2f}" height="{y2 - y1:.2f}"'
    dashes = ' stroke-dasharray="4 2.5"' if mark.dashed else ""
    fill = f'fill="{mark.colour}" fill-opacity=".28"' if mark.filled else 'fill="none"'
    thin = 'vector-effect="non-scaling-stroke"'  # as wide on the page, however large the image is shown
    shade = f'<rect {shape} fill="none" stroke="#000" stroke-opacity=".25" stroke-width="{line + 1.4}" {thin}/>'
    return f'{shade}<rect {shape} {fill} stroke="{mark.colour}" stroke-width="{line}" {thin}{dashes}/>'


def _label(mark: Mark, width: int, height: int, points: float) -> str:
    if not mark.label:
        return ""
    x, y = mark.box[0] * width, mark.box[1] * height
    y = y - 0.25 * points if y > 1.3 * points else y + points
    room = max(0.0, width - LETTER * points * len(mark.label))  # where the text has to begin to end inside the image
    style = f'font-size="{points:.2f}" font-family="{charts.FONT}" font-weight="600"'
    halo = f'stroke="#000" stroke-opacity=".75" stroke-width="{points / 5:.2f}" paint-order="stroke"'
    return f'<text x="{min(x, room):.2f}" y="{y:.2f}" fill="#fff" {style} {halo}>{escape(mark.label)}</text>'
