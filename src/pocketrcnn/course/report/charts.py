"""Charts that only the report of the course has: multiplications by stage, published values, arms."""

from collections.abc import Sequence
from statistics import fmean

from ...report import charts
from ...report.charts import Axes
from ...report.colours import BLUE, INK, RULE
from ..verdicts import interval
from .records import Record


def stacked_chart(names: Sequence[str], stages: Sequence[str], values: Sequence[Sequence[float]]) -> str:
    """One bar a name, cut into its stages from left to right: values [names][stages], in millions."""

    def paint(axes: Axes) -> None:
        for y, row in enumerate(values):
            left = 0.0
            for colour, value in zip(shades(len(stages)), row, strict=True):
                axes.barh(y, value, left=left, height=0.62, color=colour, edgecolor="white")
                left += value
        charts.name_rows(axes, names)
        axes.xaxis.set_major_locator(charts.few(5))
        axes.xaxis.set_major_formatter(charts.ticks("M"))

    return charts.svg(paint, 0.5 + 0.42 * len(names), charts.beside(names), 0.3)


def shades(n: int) -> list[str]:
    """n blues from light to dark, which differ in grey as well."""
    steps = [i / max(n - 1, 1) for i in range(n)]
    light, dark = (198, 219, 239), (8, 48, 107)
    return ["#" + "".join(f"{round(a + s * (b - a)):02x}" for a, b in zip(light, dark, strict=True)) for s in steps]


def dot_chart(records: Sequence[Record]) -> str:
    """Ours (filled, with deviation) and the published value (ring), one line each, fractions shown in percent."""
    names = [record.id for record in records]

    def paint(axes: Axes) -> None:
        for y, record in enumerate(records):
            ours = 100 * record.value.mean
            if record.published is not None:
                published = 100 * record.published.value
                axes.plot([published, ours], [y, y], color=RULE, linewidth=3, zorder=1)
                axes.plot(published, y, "o", markersize=7, color="white", markeredgecolor=INK, zorder=3)
            axes.errorbar(ours, y, xerr=100 * record.value.std, color=BLUE, capsize=3, fmt="o", zorder=4)
        charts.name_rows(axes, names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.xaxis.set_major_formatter(charts.ticks("%"))
        axes.xaxis.set_major_locator(charts.few(6))

    return charts.svg(paint, 0.5 + 0.27 * len(names), charts.beside(names), 0.3)


def arm_chart(rows: Sequence[tuple[str, Sequence[float]]], percent: bool, unit: str = "") -> str:
    """One line an arm: a dot for each value, a bar for the 95 % interval of their mean, a tick for the mean."""
    names, factor = [name for name, _ in rows], 100 if percent else 1

    def paint(axes: Axes) -> None:
        for y, (_, values) in enumerate(rows):
            scaled = [factor * value for value in values]
            low, high = interval(scaled)
            if low is not None and high is not None:
                axes.plot([low, high], [y, y], color=INK, linewidth=1.4, zorder=2)
            axes.plot(fmean(scaled), y, "|", color=INK, markersize=13, markeredgewidth=1.8, zorder=3)
            axes.plot(scaled, [y] * len(scaled), "o", color=BLUE, markersize=5, alpha=0.75, zorder=4)
        charts.name_rows(axes, names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.xaxis.set_major_formatter(charts.ticks("%" if percent else unit))
        axes.xaxis.set_major_locator(charts.few(3))

    return charts.svg(paint, 0.5 + 0.3 * len(names), charts.beside(names), 0.3)
