"""Losses and metrics over the iterations, of one run (training and validation) or of several on top of each other."""

import math
from collections.abc import Mapping, Sequence

from ...report import charts, phrases
from ...report.blocks import Block, Figure, Key, Panel, Section, Text
from ...report.colours import BLUE, COLOURS, ORANGE
from ...report.prose import Prose
from .compare import Summary

TRAIN, VAL = ORANGE, BLUE
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
    "objectness_accuracy": "Anchors classified right",
    "accuracy": "Regions with the right class",
}
PRECISIONS = {"AP50": "AP50", "AP": "AP", "AP75": "AP75"}
prose = Prose(__name__, "training.md")


def section(runs: Sequence[Summary]) -> Section:
    """All curves there are."""
    if not any(run["points"] for run in runs):
        return Section("training", "Training", [Text([prose("none")], "note")])
    made = [precisions(runs), losses(runs), shares(runs)]
    blocks: list[Block] = [figure for figure in made if figure]
    return Section("training", "Training", blocks)


def series(run: Summary, part: str, name: str) -> tuple[list[float], list[float]]:
    """Iterations and values of a metric in `train` or `test`, where it exists and is finite."""
    values = [(entry["iteration"], value_of(run, entry, part, name)) for entry in run["points"]]
    kept = [(x, y) for x, y in values if y is not None and math.isfinite(y)]
    return [float(x) for x, _ in kept], [y for _, y in kept]


def value_of(run: Summary, entry: Summary, part: str, name: str) -> float | None:
    """A metric of a log entry; the total loss on validation images is the sum of its parts."""
    metrics: Summary = entry[part]
    if name in metrics or name != "loss_total":
        return metrics.get(name)
    parts = {key.removeprefix("loss_"): value for key, value in metrics.items() if key.startswith("loss_")}
    return sum(run["settings"][f"loss.{key}"] * value for key, value in parts.items()) if parts else None


def lines_of(runs: Sequence[Summary], name: str) -> list[tuple[str, charts.Line]]:
    """The curves of a metric with what they show: training and validation of one run, or validation of each run."""
    if len(runs) == 1:
        parts = zip(keys_of(runs), ("train", "test"), strict=True)
        chosen = [(key.label, *series(runs[0], part, name), key.colour) for key, part in parts]
    else:
        chosen = [(run["name"], *series(run, "test", name), colour_of(i)) for i, run in enumerate(runs)]
    return [(label, charts.Line(x, [y], colour)) for label, x, y, colour in chosen if x]


def held(run: Summary) -> str:
    """What the images are called that a run is evaluated on during training."""
    held_out = run["settings"]["data.kind"] == "folder" or run["settings"]["data.holdout"]
    return "validation" if held_out else "test"


def colour_of(index: int) -> str:
    """The colour of a run or a class; after eight they repeat."""
    return COLOURS[index % len(COLOURS)]


def keys_of(runs: Sequence[Summary]) -> list[Key]:
    """What the colours stand for."""
    if len(runs) == 1:
        return [Key("training", TRAIN), Key(held(runs[0]), VAL)]
    return [Key(run["name"], colour_of(i)) for i, run in enumerate(runs)]


def grid(runs: Sequence[Summary], names: Mapping[str, str], unit: str = "", log: bool = False) -> list[Panel]:
    """A panel for each metric that the runs have."""
    known = ((heading, lines_of(runs, name)) for name, heading in names.items())
    return [charts.curve_panel(heading, lines, unit, log) for heading, lines in known if lines]


def losses(runs: Sequence[Summary]) -> Figure | None:
    """Losses of all parts."""
    panels = grid(runs, LOSSES, log=True)
    if not panels:
        return None
    single, split = len(runs) == 1, held(runs[0])
    caption = prose("losses", single=single, split=split)
    if single:
        return Figure("Losses", f"{caption} {overfitting(runs[0])}", panels, keys_of(runs))
    return Figure(f"Losses on {split} images", caption, panels, keys_of(runs))


def overfitting(run: Summary) -> str:
    """Where the loss on validation images is lowest."""
    iterations, values = series(run, "test", "loss_total")
    if len(values) < 2:
        return ""
    best = values.index(min(values))
    if best == len(values) - 1:
        return prose("lowest at the end", split=held(run))
    times = phrases.ratio(values[-1], values[best])
    return prose("lowest before", split=held(run), iteration=iterations[best], last=iterations[-1], times=times)


def shares(runs: Sequence[Summary]) -> Figure | None:
    """How good each part of the detector is."""
    panels = grid(runs, SHARES, unit="%")
    where = "" if len(runs) == 1 else f" on {held(runs[0])} images"
    return Figure(f"Parts of the detector{where}", prose("parts"), panels, keys_of(runs)) if panels else None


def precisions(runs: Sequence[Summary]) -> Figure | None:
    """Average precision on validation images over the iterations."""
    heading, split = "Average precision in training", held(runs[0])
    if len(runs) > 1:
        panels = grid(runs, PRECISIONS)
        return Figure(heading, prose("precisions", split=split), panels, keys_of(runs)) if panels else None
    colours = dict(zip(PRECISIONS, COLOURS, strict=False))
    curves = {name: series(runs[0], "test", name) for name in PRECISIONS}
    lines = [(name, charts.Line(x, [y], colours[name])) for name, (x, y) in curves.items() if x]
    if not lines:
        return None
    panels, keys = [charts.curve_panel(f"On {split} images", lines)], [Key(name, colours[name]) for name, _ in lines]
    return Figure(heading, best_point(*curves["AP"]), panels, keys)


def best_point(iterations: Sequence[float], values: Sequence[float]) -> str:
    """Where AP is best, and whether it still rises."""
    best = values.index(max(values)) if values else 0
    steps = {"iteration": iterations[best], "last": iterations[-1]} if values else {}
    return prose("precision", values=values, **steps)
