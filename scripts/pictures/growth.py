"""Times and memory over images, their side and their objects: growth.svg.

Drawn from docs/results/growth.json, as `pocketrcnn bench growth --json` prints it; without it nothing is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from shown import Numbers

from pocketrcnn.custom.growth_chart import chart

KEPT = Path(__file__).parents[2] / "docs" / "results" / "growth.json"


def pictures(path: Path = KEPT) -> tuple[dict[str, Callable[[], bytes]], dict[str, Numbers]]:
    """What draws the picture, and what it is given; nothing where nothing was measured."""
    if not path.is_file():
        return {}, {}
    given: Numbers = {"points": json.loads(path.read_text(encoding="utf-8"))["points"]}
    return {"growth.svg": partial(chart, given["points"])}, {"growth.svg": given}


PICTURES, GIVEN = pictures()
