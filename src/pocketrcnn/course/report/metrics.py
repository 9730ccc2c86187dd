"""The metrics of the course: their names and units on the page, and the published values."""

import math
import statistics
from collections.abc import Mapping, Sequence

from ...report import phrases
from ...report.phrases import NBSP, Stat

NAMES = {"accuracy": "accuracy", "objectness_accuracy": "point-wise accuracy", "box_loss": "regression loss"}
CELLS = {
    "objectness_accuracy": "all cells right",
    "objectness_positive_accuracy": "positive cells",
    "objectness_negative_accuracy": "negative cells",
    "loss_objectness": "objectness loss",
}
BOXES = {
    "box_loss": "regression loss",
    "box_loss_pixels": "the loss in pixels",
    "pixel_error": "error",
    "mean_iou": "mean IoU",
    "recall_50": "IoU ≥ 0.5",
    "recall_70": "IoU ≥ 0.7",
    "recall_90": "IoU ≥ 0.9",
}
LOSS_DIGITS = 6
ANCHOR = 32  # pixels


def spread(values: Sequence[float]) -> Stat:
    """n, mean, standard deviation of the sample (0 for one value), and the values."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return Stat(len(values), statistics.fmean(values), deviation, list(values))


def published_value(name: str, value: float) -> str:
    """With the decimals that the report printed, not more: 0.646 -> `64.6 %`; its 99 % was read off a curve."""
    if not is_fraction(name):
        return phrases.fixed(value, LOSS_DIGITS)
    return f"{'about ' if name == 'objectness_accuracy' else ''}{100 * value:.4g}{NBSP}%"


def shown(name: str, stat: Stat) -> str:
    """Mean and standard deviation in the unit of the metric; one value has no deviation."""
    if is_fraction(name):
        return f"{phrases.spread(stat, 100, 2)}{NBSP}%"
    unit = f"{NBSP}px" if "pixel" in name else ""
    return phrases.spread(stat, 1, 3 if unit or name == "mean_iou" else LOSS_DIGITS) + unit


def in_pixels(loss: Stat) -> Stat:
    """A regression loss L as an error in pixels of one coordinate, seed by seed: 32 * sqrt(2L / 3), for small errors.

    Smooth L1 is half the squared error there, summed over three coordinates that are parts of the anchor's side.
    """
    return spread([ANCHOR * math.sqrt(2 * value / 3) for value in loss.values])


def is_fraction(name: str) -> bool:
    """Whether the metric is shown in percent."""
    return "accuracy" in name or name.startswith("recall")


def margin(name: str, ours: float, theirs: float) -> str:
    """How far ours is from the published value: `+5.6 points`, or for losses `2.3 times smaller`."""
    if is_fraction(name):
        return f"{100 * (ours - theirs):+.2f} points".replace("-", "−")
    return phrases.compare(ours, theirs, "larger", "smaller", "equal")


def with_pixels(metrics: Mapping[str, Stat]) -> dict[str, Stat]:
    """The metrics, and beside the regression loss the same in pixels."""
    pixels = {"box_loss_pixels": in_pixels(metrics["box_loss"])} if "box_loss" in metrics else {}
    return {**metrics, **pixels}
