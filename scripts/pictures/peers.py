"""AP50 over minutes of pocket-rcnn and of other programs: peers-nuclei.svg, peers-scenes.svg.

Drawn from docs/results/peers.json by `report/charts.py`; without that file there is nothing to draw.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from drawing import PAPER
from shown import Numbers

from pocketrcnn.report import charts
from pocketrcnn.report.charts import Axes
from pocketrcnn.report.colours import COLOURS

FEW = 15  # points, which then are dots
KEPT = Path(__file__).parents[2] / "docs" / "results" / "peers.json"
NAMES = {  # of the rows, as the chart has them
    "ours": "pocket-rcnn",
    "yolo26n": "yolo26n",
    "yolo11n": "yolo11n",
    "torchvision": "torchvision",
    "torchvision-320": "torchvision, 320 px",
}


def curves(results: Any, data: str) -> Numbers:
    """Minutes and AP50 of each round of each program on a data set."""
    found: Numbers = {}
    for one in results["rounds"]:
        place, _, peer = one["row"].partition("/")
        if place == data and one["points"]:
            points = [(round(point["minutes"], 2), round(point["AP50"], 4)) for point in one["points"]]
            minutes, values = zip(*points, strict=True)
            found.setdefault(peer, []).append({"minutes": list(minutes), "AP50": list(values)})
    return found


def draw(given: Numbers) -> bytes:
    """A line for each round, in the colour of its program."""

    def paint(axes: Axes) -> None:
        axes.figure.set_facecolor(PAPER)  # readable on a dark page, too
        for colour, (peer, name) in zip(COLOURS, NAMES.items(), strict=False):
            for number, line in enumerate(given.get(peer, [])):
                few = len(line["minutes"]) <= FEW
                label = "" if number else name
                axes.plot(
                    line["minutes"], line["AP50"], color=colour, marker="o" if few else "", markersize=3, label=label
                )
        axes.set(xlim=(0, None), ylim=(0, 1), xlabel="minutes")
        axes.grid(axis="y")
        axes.legend(loc="best", frameon=False, fontsize=8)

    return base64.b64decode(charts.svg(paint).partition(",")[2])


def pictures(path: Path = KEPT) -> tuple[dict[str, Callable[[], bytes]], dict[str, Numbers]]:
    """What draws each picture, and what it is given; nothing where nothing was measured."""
    results = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"rounds": []}
    given = {f"peers-{data}.svg": found for data in ("nuclei", "scenes") if (found := curves(results, data))}
    return {name: partial(draw, one) for name, one in given.items()}, given


PICTURES, GIVEN = pictures()
