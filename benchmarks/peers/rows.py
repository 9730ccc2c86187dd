"""What is measured: the rows of the table, in the order in which they take turns, and the rule for "passed for good".

A row is a program on a data set. Ours comes first of each data set, so that rounds alternate between it and the peers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from environments import OURS

from pocketrcnn.course.experiments import EXPERIMENTS

LEVEL = EXPERIMENTS["B1"].published.value  # test accuracy of the report
INTERVAL = 26  # iterations between two evaluations of B1: five in our short schedule
MINUTES = {"b1": 20.0, "nuclei": 5.0, "scenes": 10.0}  # B1: at most
SCENES = ("--objects", "0-6")  # of `pocketrcnn scenes`, as in docs/results.md
QUICK = 1 / 15  # of the minutes, for a dry run
DETECTION = ("nuclei", "scenes")

Curve = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Row:
    """A program on a data set. side: its own input size in pixels; None for that of our plan. model: what it trains,
    where its program can train several."""

    data: str
    peer: str
    program: str
    environment: str
    side: int | None = None
    model: str = ""

    @property
    def id(self) -> str:
        """The name of the row, as `nuclei/torchvision`."""
        return f"{self.data}/{self.peer}"


ROWS = (
    Row("b1", "ours", "ours_b1", OURS),
    Row("b1", "loop", "plain_loop", "torchvision"),
    *(
        row
        for data in DETECTION
        for row in (
            Row(data, "ours", "ours_detector", OURS),
            Row(data, "yolo26n", "ultralytics_detector", "ultralytics", model="yolo26n.yaml"),
            Row(data, "yolo11n", "ultralytics_detector", "ultralytics", model="yolo11n.yaml"),
            Row(data, "torchvision", "torchvision_detector", "torchvision"),
            Row(data, "torchvision-320", "torchvision_detector", "torchvision", side=320),
        )
    ),
)


def passed(curve: Curve, level: float = LEVEL) -> tuple[int, float] | None:
    """Iteration and seconds of the first evaluation from which on all are above the level; None where the last is not.

    curve: (iteration, seconds of training, accuracy) of each evaluation.
    """
    first = None
    for iteration, seconds, accuracy in curve:
        if accuracy <= level:
            first = None
        elif first is None:
            first = int(iteration), seconds
    return first
