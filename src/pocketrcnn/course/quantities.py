"""What is measured of a run for the report's observations, beyond its final metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..training.run import Run

WAY = 0.9  # of the way from the first to the last value of a curve


def quantity(run: Run, measure: str) -> float:
    """A measure of a finished run.

    `ninety_NAME_SPLIT`: the iteration at which a curve of the log has come nine tenths of its way. `training_accuracy`:
    that of the last log entry, with the augmentation and the boxes of training. All others are final metrics.
    """
    if measure.startswith("ninety_"):
        name, _, split = measure.removeprefix("ninety_").rpartition("_")
        entries = run.log_entries()
        return ninety([entry["iteration"] for entry in entries], [entry[split][name] for entry in entries])
    if measure == "training_accuracy":
        return float(run.log_entries()[-1]["train"]["accuracy"])
    return float(final_metrics(run)[measure])


def final_metrics(run: Run) -> dict[str, Any]:
    """The final metrics of a finished run."""
    metrics = run.metrics()
    assert metrics is not None, "only finished runs are measured"
    return metrics["metrics"]  # type: ignore[no-any-return]


def ninety(x: Sequence[float], y: Sequence[float]) -> float:
    """Where a curve has first come nine tenths of the way from its first to its last value, on straight lines between
    its points; its first point where it has nowhere to go."""
    goal = y[0] + WAY * (y[-1] - y[0])
    rising = y[-1] > y[0]
    for i in range(1, len(y)):
        if y[i] >= goal if rising else y[i] <= goal:
            return x[i - 1] + (x[i] - x[i - 1]) * (goal - y[i - 1]) / (y[i] - y[i - 1] or 1.0)
    return float(x[0])
