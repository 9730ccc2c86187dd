"""Losses and figures over the iterations, of one run (training and validation) or of several on top of each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...report import charts, phrases
from ...report.blocks import Block, Figure, Key, Panel, Section, Text
from ...report.charts import COLOURS

Facts = Mapping[str, Any]

TRAIN, VAL = charts.ORANGE, charts.BLUE
LOSSES = {
    "loss_total": "Total loss, weighted",
    "loss_objectness": "Object or not, of anchors",
    "loss_box": "Boxes of the proposals",
    "loss_classification": "Class, of regions",
    "loss_box_regression": "Boxes of the head",
}
SHARES = {
    "recall_50": "Objects with a proposal, IoU ≥ 0.5",
    "recall_70": "Objects with a proposal, IoU ≥ 0.7",
    "objectness_accuracy": "Anchors told apart",
    "accuracy": "Regions with the right class",
}
PRECISIONS = {"AP50": "AP50", "AP": "AP", "AP75": "AP75"}
TRAINED = "Training: means over the batches since the point before, augmented as they were learned from."
JUDGED = "{}: whole images and the network that is evaluated; a point may use a part of them."


def section(runs: Sequence[Facts]) -> Section:
    """All curves there are."""
    if not any(run["points"] for run in runs):
        return Section("training", "Training", [Text(["There are no points of the curves yet."], "note")])
    made = [precisions(runs), losses(runs), shares(runs)]
    blocks: list[Block] = [figure for figure in made if figure]
    return Section("training", "Training", blocks)


def series(run: Facts, part: str, name: str) -> tuple[list[float], list[float]]:
    """Iterations and values of a figure in `train` or `test`, where it exists and is finite."""
    found = [(point["iteration"], value_of(run, point, part, name)) for point in run["points"]]
    kept = [(x, y) for x, y in found if y is not None and math.isfinite(y)]
    return [float(x) for x, _ in kept], [y for _, y in kept]


def value_of(run: Facts, point: Facts, part: str, name: str) -> float | None:
    """A figure of a point; the total loss on validation images is summed up from its parts."""
    figures_of: Facts = point[part]
    if name in figures_of or name != "loss_total":
        return figures_of.get(name)
    parts = {key.removeprefix("loss_"): value for key, value in figures_of.items() if key.startswith("loss_")}
    return sum(run["settings"][f"loss.{key}"] * value for key, value in parts.items()) if parts else None


def lines_of(runs: Sequence[Facts], name: str) -> list[tuple[str, charts.Line]]:
    """The curves of a figure with what they show: training and validation of one run, or validation of each run."""
    if len(runs) == 1:
        found = [(key.label, part, key.colour) for key, part in zip(keys_of(runs), ("train", "test"), strict=True)]
        chosen = [(label, *series(runs[0], part, name), colour) for label, part, colour in found]
    else:
        chosen = [(run["name"], *series(run, "test", name), colour_of(place)) for place, run in enumerate(runs)]
    return [(label, charts.Line(charts.thin(x), [charts.thin(y)], colour)) for label, x, y, colour in chosen if x]


def held(run: Facts) -> str:
    """What the images are called that a run is judged on while it is trained."""
    own = run["settings"]["data.kind"] == "folder" or run["settings"]["data.holdout"]
    return "validation" if own else "test"


def colour_of(place: int) -> str:
    """The colour of a run or a class; after eight they come again."""
    return COLOURS[place % len(COLOURS)]


def keys_of(runs: Sequence[Facts]) -> list[Key]:
    """What the colours stand for."""
    if len(runs) == 1:
        return [Key("training", TRAIN), Key(held(runs[0]), VAL)]
    return [Key(run["name"], colour_of(place)) for place, run in enumerate(runs)]


def panel(heading: str, lines: Sequence[tuple[str, charts.Line]], unit: str = "", log: bool = False) -> Panel | None:
    """A chart of curves with its text; None without curves."""
    if not lines:
        return None
    values = [y for _, line in lines for row in line.rows for y in row]
    uri = charts.line_chart([line for _, line in lines], unit, log and min(values) > 0)
    shown = "; ".join(f"{label} {course(line, unit)}" for label, line in lines)
    return Panel(uri, f"Line chart, {heading}: {shown}.", heading)


def course(line: charts.Line, unit: str) -> str:
    """The first and the last value in words."""
    first, last = (phrases.percent(y, 1) if unit else f"{y:.3g}" for y in (line.rows[0][0], line.rows[0][-1]))
    return f"goes from {first} at iteration {line.x[0]:g} to {last} at iteration {line.x[-1]:g}"


def grid(runs: Sequence[Facts], names: Mapping[str, str], unit: str = "", log: bool = False) -> list[Panel]:
    """A panel for each figure that the runs have."""
    made = (panel(heading, lines_of(runs, name), unit, log) for name, heading in names.items())
    return [one for one in made if one]


def losses(runs: Sequence[Facts]) -> Figure | None:
    """Losses of all parts."""
    panels = grid(runs, LOSSES, log=True)
    if not panels:
        return None
    single, judged = len(runs) == 1, JUDGED.format(phrases.sentence(held(runs[0])))
    heading = "Losses" if single else f"Losses on {held(runs[0])} images"
    caption = f"{TRAINED} {judged} {overfitting(runs[0])}" if single else judged
    return Figure(heading, f"Logarithmic axes. {caption}", panels, keys_of(runs))


def overfitting(run: Facts) -> str:
    """Where the loss on validation images is lowest."""
    iterations, values = series(run, "test", "loss_total")
    if len(values) < 2:
        return ""
    best = values.index(min(values))
    if best == len(values) - 1:
        return f"The loss on {held(run)} images is lowest at the end: longer training may help."
    return (
        f"The loss on {held(run)} images is lowest at iteration {iterations[best]:g} of {iterations[-1]:g}; it is "
        f"{phrases.ratio(values[-1], values[best])} times as high at the end."
    )


def shares(runs: Sequence[Facts]) -> Figure | None:
    """How well each part does its work."""
    panels = grid(runs, SHARES, unit="%")
    where = "" if len(runs) == 1 else f" on {held(runs[0])} images"
    caption = (
        "A detection needs a proposal, and a proposal an anchor that was told from the background: look here for the "
        "part that holds the others back."
    )
    return Figure(f"Parts of the detector{where}", caption, panels, keys_of(runs)) if panels else None


def precisions(runs: Sequence[Facts]) -> Figure | None:
    """Average precision on validation images over the iterations."""
    if len(runs) > 1:
        panels = grid(runs, PRECISIONS)
        caption = f"Average precision on the {held(runs[0])} images of each run while it was trained. Higher is better."
        return Figure("Average precision in training", caption, panels, keys_of(runs)) if panels else None
    colours = dict(zip(PRECISIONS, COLOURS, strict=False))
    found = {name: series(runs[0], "test", name) for name in PRECISIONS}
    lines = [(name, charts.Line(x, [y], colours[name])) for name, (x, y) in found.items() if x]
    made = panel(f"On {held(runs[0])} images", lines)
    if not made:
        return None
    keys = [Key(name, colours[name]) for name, _ in lines]
    return Figure("Average precision in training", best_point(*found["AP"]), [made], keys)


def best_point(iterations: Sequence[float], values: Sequence[float]) -> str:
    """Where AP is best, and whether it still rises."""
    text = "How the detections get better, iteration by iteration."
    if len(values) < 2:
        return text
    best = values.index(max(values))
    end = ", the last point: longer training may help" if best == len(values) - 1 else f" of {iterations[-1]:g}"
    return f"{text} AP is highest, {values[best]:.3f}, at iteration {iterations[best]:g}{end}."
