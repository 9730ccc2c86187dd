"""The plot of `pocketrcnn bench growth`: times above, memory below, on logarithmic axes. No torch here."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..data.files import require_writable, write_atomically
from ..errors import UserError
from ..report import charts
from ..report.charts import Axes
from ..report.colours import COLOURS, INK

WIDE, HIGH = 8.6, 4.6  # inches of 72 points
TITLES = {"images": "images", "side": "side in pixels", "objects": "objects an image"}
LINES = {
    "iteration": "an iteration",
    "augmentation": "augmentation in it",
    "data": "data in it",
    "evaluation": "evaluation of an image",
}
PAPER = "#ffffff"  # readable on a dark page, too
START = b"<svg"


def write_chart(result: Mapping[str, Any], path: Path) -> None:
    """Write the SVG of what `growth` measured. Raises UserError as `require_plot`."""
    require_plot(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, chart(result["points"]))


def require_plot(path: Path) -> None:
    """Raises UserError where another kind of file would be overwritten, or none can be written."""
    require_writable(path.parent, "name another file with --plot")
    if path.is_dir() or (path.is_file() and not path.read_bytes().startswith(START)):
        raise UserError(f"--plot {path} is no plot: name another file, it is not overwritten")


def chart(points: Sequence[Mapping[str, Any]]) -> bytes:
    """Points with their measures as an SVG: a column for each axis."""
    axes_of = list(dict.fromkeys(point["axis"] for point in points))

    def paint(first: Axes) -> None:
        figure: Any = first.figure
        first.remove()
        figure.set_facecolor(PAPER)
        figure.set_size_inches(WIDE, HIGH)
        room = {"left": 0.08, "right": 0.99, "top": 0.9, "bottom": 0.11, "hspace": 0.12, "wspace": 0.12}
        grid = figure.subplots(
            2, len(axes_of), sharex="col", sharey="row", squeeze=False, gridspec_kw=room | {"height_ratios": (2, 1)}
        )
        for column, axis in enumerate(axes_of):
            rows = [point for point in points if point["axis"] == axis]
            draw(grid[0, column], grid[1, column], axis, rows)
        grid[0, 0].set_ylabel("milliseconds")
        grid[1, 0].set_ylabel("GB")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncols=len(labels), frameon=False)

    return base64.b64decode(charts.svg(paint).partition(",")[2])


def draw(times: Axes, memory: Axes, axis: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """What grows with one axis."""
    sizes = [row[axis] for row in rows]
    for colour, (name, label) in zip(COLOURS, LINES.items(), strict=False):
        times.plot(sizes, [1e3 * row[name] for row in rows], color=colour, marker="o", markersize=3.5, label=label)
    memory.plot(sizes, [row["memory"] for row in rows], color=INK, marker="o", markersize=3.5, label="memory")
    for one in (times, memory):
        charts.log_axis(one)
        charts.sizes_axis(one, sizes)
        one.grid(axis="y")
    memory.set_xlabel(TITLES[axis])
