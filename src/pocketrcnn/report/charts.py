"""Charts as SVG in data URIs. The same values give the same bytes; matplotlib's global state stays as it was.

Each chart is a separate image, so that identifiers inside of one never meet those of another. Text stays
text and is set in the font of the reader's system.
"""

from __future__ import annotations

import base64
import io
import math
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .blocks import Panel
from .colours import BLUE, GREY, INK, RULE
from .phrases import percent

if TYPE_CHECKING:
    from matplotlib import axes as matplotlib_axes

Axes: TypeAlias = "matplotlib_axes.Axes"  # for those who paint: no other file imports matplotlib

WIDTH, HEIGHT = 4.3, 2.75  # inches of 72 points
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
OCTAVES = 3  # an axis as short as this has too few powers of 2
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}  # the date would change the bytes
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "pocketrcnn",
    "text.parse_math": False,  # a `$` in somebody's name for a class is a letter
    "font.family": "DejaVu Sans",  # measured in; comes with matplotlib, and no system font is much wider
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.direction": "out",
    "lines.linewidth": 1.7,
    "lines.solid_capstyle": "round",
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "path.simplify": False,
}


@dataclass(frozen=True)
class Line:
    """A curve: x [N] and one row of N values for each seed; the band spans the seeds, the line is their mean."""

    x: Sequence[float]
    rows: Sequence[Sequence[float]]
    colour: str = BLUE
    dashed: bool = False

    @property
    def mean(self) -> list[float]:
        """The mean over the seeds, [N]."""
        return [sum(column) / len(column) for column in zip(*self.rows, strict=True)]


@dataclass(frozen=True)
class Bar:
    """One value with the standard deviation of its seeds (0 for none) and the text beside it."""

    name: str
    value: float
    deviation: float
    text: str
    colour: str = BLUE


def curve_panel(
    heading: str,
    lines: Sequence[tuple[str, Line]],
    unit: str = "",
    log: bool = False,
    *,
    reference: float | None = None,
    subject: str = "",
) -> Panel:
    """A chart of labelled curves, and their first and last values in words. `log`: where all values allow it."""
    thinned = [replace(line, x=thin(line.x), rows=[thin(row) for row in line.rows]) for _, line in lines]
    log = log and min(value for line in thinned for row in line.rows for value in row) > 0
    courses = "; ".join(f"{label} {_course(line, unit)}" for label, line in lines)
    uri = line_chart(thinned, unit, log, reference)
    return Panel(uri, f"Line chart{subject}, {heading}: {courses}.", heading)


def _course(line: Line, unit: str) -> str:
    mean = line.mean
    first, last = (percent(v, 1) if unit == "%" else f"{v:.3g} {unit}".strip() for v in (mean[0], mean[-1]))
    return f"goes from {first} at iteration {line.x[0]:g} to {last} at iteration {line.x[-1]:g}"


def line_chart(lines: Sequence[Line], unit: str = "", log: bool = False, reference: float | None = None) -> str:
    """Curves over iterations. `unit`: empty, `%` (values are fractions) or `px`. `reference`: a dotted level."""

    def paint(axes: Axes) -> None:
        factor = 100 if unit == "%" else 1
        for line in lines:
            _paint_line(axes, line, factor)
        if reference is not None:
            axes.axhline(factor * reference, color=INK, linewidth=1.1, linestyle=(0, (1, 2)))
        if log:
            log_axis(axes)
        else:
            axes.yaxis.set_major_formatter(ticks(unit))
        axes.set_xlim(left=0)
        axes.set_xlabel("iteration")
        axes.xaxis.set_major_locator(few(5, integer=True))
        axes.grid(axis="y")

    return svg(paint)


def _paint_line(axes: Axes, line: Line, factor: float) -> None:
    if len(line.rows) > 1:
        columns = list(zip(*line.rows, strict=True))
        low, high = [factor * min(c) for c in columns], [factor * max(c) for c in columns]
        axes.fill_between(line.x, low, high, color=line.colour, alpha=0.18, linewidth=0)
    mean = [factor * value for value in line.mean]
    marker, style = "o" if len(mean) == 1 else "", "--" if line.dashed else "-"
    axes.plot(line.x, mean, color=line.colour, marker=marker, linestyle=style)


def fraction_chart(lines: Sequence[Line], x_label: str, level: float | None = None) -> str:
    """Curves of fractions over a fraction, both from 0 to 1. `level`: a dotted upright line at this value."""

    def paint(axes: Axes) -> None:
        for line in lines:
            _paint_line(axes, line, 1)
        if level is not None:
            axes.axvline(level, color=INK, linewidth=1.1, linestyle=(0, (1, 2)))
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=x_label)
        axes.grid()

    return svg(paint)


def log_axis(axes: Axes, which: str = "y") -> None:
    """A logarithmic axis (`x` or `y`): powers of 10, and 2 and 5 between them where that is too few."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set(**{f"{which}scale": "log"})
    axis = getattr(axes, f"{which}axis")
    low, high = axis.get_view_interval()
    subs = (1.0,) if high / low > 100 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def octaves(axes: Axes, which: str, limits: tuple[float, float]) -> None:
    """A logarithmic axis (`x` or `y`) of sizes in pixels: powers of 2, or round numbers where that is too few."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set(**{f"{which}scale": "log"})
    axis = getattr(axes, f"{which}axis")
    low, high = (math.log2(limit) for limit in limits)
    if high - low > OCTAVES:
        powers = range(math.floor(low), math.ceil(high) + 1, round((high - low) / 6) or 1)
        axis.set_major_locator(FixedLocator([2.0**power for power in powers]))
    else:
        axis.set_major_locator(few(5))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def sizes_axis(axes: Axes, sizes: Sequence[float]) -> None:
    """A logarithmic axis to the right, with these numbers and no others."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(sizes)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def ticks(unit: str) -> Any:
    """Numbers in five digits with a unit behind them."""
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: f"{value:.5g} {unit}".strip())


def rounded_ticks(low: float, high: float) -> list[float]:
    """A few round numbers between two."""
    return [float(value) for value in few(4).tick_values(low, high)]


def bar_chart(bars: Sequence[Bar], unit: str = "") -> str:
    """Horizontal bars, the first on top, each with its text behind it."""
    names = [bar.name for bar in bars]

    def paint(axes: Axes) -> None:
        widest = max(bar.value + bar.deviation for bar in bars)
        for y, bar in enumerate(bars):
            axes.barh(y, bar.value, height=0.62, color=bar.colour)
            if bar.deviation:
                axes.errorbar(bar.value, y, xerr=bar.deviation, color=INK, capsize=3, linewidth=1)
            axes.text(bar.value + bar.deviation + widest * 0.025, y, bar.text, va="center", color=INK)
        name_rows(axes, names)
        end = widest * 1.42  # room for the texts
        axes.set_xlim(0, end)
        axes.xaxis.set_major_formatter(ticks(unit))
        # A number close to the end would stand half outside.
        axes.set_xticks([value for value in few(4).tick_values(0, end) if value <= 0.9 * end])

    return svg(paint, 0.5 + 0.42 * len(bars), beside(names), 0.3)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Names on the left of rows at y = 0, 1, .., the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")


def few(n: int, integer: bool = False) -> Any:
    """At most about n ticks."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(n, integer=integer)


def beside(names: Sequence[str]) -> float:
    """Room for names left of a chart, in inches, as wide as the letters of the measuring font at their widest."""
    return 0.2 + 0.085 * max(map(len, names))


def svg(paint: Callable[[Axes], None], height: float = HEIGHT, left: float = 0.52, bottom: float = 0.5) -> str:
    """`left` and `bottom`: room for tick labels, in inches; the same in charts of a kind, so that their axes align.

    Letters that the measuring font does not have are measured as boxes, and shown in the reader's font.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        room = {"left": left / WIDTH, "right": 1 - 0.12 / WIDTH, "bottom": bottom / height, "top": 1 - 0.1 / height}
        paint(figure.subplots(gridspec_kw=room))
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=NO_METADATA)
    return data_uri(buffer.getvalue())


def data_uri(svg: str) -> str:
    """A shorter SVG that looks the same: one font for all text, no white space, coordinates without needless digits."""
    svg = svg[svg.index("<svg") :]  # an image in a page needs neither XML declaration nor document type
    svg = re.sub(r"font-size: [\d.]+px; font-family: [^;\"]*; ?|font: [\d.]+px [^;\"]*; ?", "", svg)
    svg = svg.replace('<style type="text/css">', f'<style type="text/css">text{{font: 9px {FONT}}}', 1)
    svg = re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><")
    svg = re.sub(r'"[^"<>]*"', lambda attribute: _rounded(attribute[0]), svg)
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def _rounded(attribute: str) -> str:
    """Hundredths of a point are enough for coordinates; the text between tags is left alone."""
    return re.sub(r"-?\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}", attribute)


def thin(values: Sequence[float], max_values: int = 150) -> list[float]:
    """At most `max_values` values: the means over equal stretches, so that no peak is hit or missed by chance."""
    if len(values) <= max_values:
        return list(values)
    stretch = math.ceil(len(values) / max_values)
    return [sum(part) / len(part) for part in (values[i : i + stretch] for i in range(0, len(values), stretch))]


def heat(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values of 0..1 as colours from dark to bright, also for those who see few colours: [h,w] -> [h,w,3]."""
    from matplotlib import colormaps

    return np.asarray(255 * colormaps["inferno"](np.clip(values, 0, 1))[..., :3]).round().astype(np.uint8)
