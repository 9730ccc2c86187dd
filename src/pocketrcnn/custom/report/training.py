"""Losses and metrics over the iterations, of one run (training and validation) or of several on top of each other."""

import math
from collections.abc import Mapping, Sequence

from ...report import charts, phrases
from ...report.blocks import Figure, Key, Section, Text
from ...report.colours import BLUE, COLOURS, ORANGE
from ...report.prose import Prose
from .compare import Summary

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
    figures = precisions(runs), losses(runs), shares(runs)
    return Section("training", "Training", [figure for figure in figures if figure])


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


def sources(runs: Sequence[Summary]) -> list[tuple[Key, Summary, str]]:
    """Whose curves are drawn, in which colour: training and validation of one run, or validation of each run."""
    if len(runs) == 1:
        return [(Key("training", ORANGE), runs[0], "train"), (Key(held(runs[0]), BLUE), runs[0], "test")]
    names = list(dict.fromkeys(run["name"] for run in runs))  # runs of one name, as those of a trial, look alike
    return [(Key(run["name"], colour_of(names.index(run["name"]))), run, "test") for run in runs]


def lines_of(runs: Sequence[Summary], name: str) -> list[tuple[str, charts.Line]]:
    """The curves of a metric, with what they show."""
    curves = [(key, *series(run, part, name)) for key, run, part in sources(runs)]
    return [(key.label, charts.Line(x, [y], key.colour)) for key, x, y in curves if x]


def held(run: Summary) -> str:
    """What the images are called that a run is evaluated on during training."""
    held_out = run["settings"]["data.kind"] == "folder" or run["settings"]["data.holdout"]
    return "validation" if held_out else "test"


def colour_of(index: int) -> str:
    """The colour of a run or a class; after eight they repeat."""
    return COLOURS[index % len(COLOURS)]


def grid(
    runs: Sequence[Summary], names: Mapping[str, str], heading: str, caption: str, *, unit: str = "", log: bool = False
) -> Figure | None:
    """A panel for each metric that the runs have."""
    known = ((title, lines_of(runs, name)) for name, title in names.items())
    panels = [charts.curve_panel(title, lines, unit, log) for title, lines in known if lines]
    keys = list(dict.fromkeys(key for key, *_ in sources(runs)))
    return Figure(heading, caption, panels, keys) if panels else None


def losses(runs: Sequence[Summary]) -> Figure | None:
    """Losses of all parts."""
    single, split = len(runs) == 1, held(runs[0])
    caption = prose("losses", single=single, split=split)
    if single:
        return grid(runs, LOSSES, "Losses", f"{caption} {overfitting(runs[0])}", log=True)
    return grid(runs, LOSSES, f"Losses on {split} images", caption, log=True)


def overfitting(run: Summary) -> str:
    """Where the loss on validation images is lowest."""
    iterations, values = series(run, "test", "loss_total")
    if len(values) < 2:
        return ""
    best = values.index(min(values))
    times = phrases.ratio(values[-1], values[best]) if best < len(values) - 1 else ""
    return prose("lowest", split=held(run), iteration=iterations[best], last=iterations[-1], times=times)


def shares(runs: Sequence[Summary]) -> Figure | None:
    """How good each part of the detector is."""
    where = "" if len(runs) == 1 else f" on {held(runs[0])} images"
    return grid(runs, SHARES, f"Parts of the detector{where}", prose("parts"), unit="%")


def precisions(runs: Sequence[Summary]) -> Figure | None:
    """Average precision on validation images over the iterations."""
    heading, split = "Average precision in training", held(runs[0])
    if len(runs) > 1:
        return grid(runs, PRECISIONS, heading, prose("precisions", split=split))
    colours = dict(zip(PRECISIONS, COLOURS, strict=False))
    curves = {name: series(runs[0], "test", name) for name in PRECISIONS}
    lines = [(name, charts.Line(x, [y], colours[name])) for name, (x, y) in curves.items() if x]
    if not lines:
        return None
    panels, keys = [charts.curve_panel(f"On {split} images", lines)], [Key(name, colours[name]) for name, _ in lines]
    iterations, values = curves["AP"]
    return Figure(heading, prose("precision", iterations=iterations, values=values), panels, keys)
