"""`pocketrcnn bench growth`: how times and memory grow with the number of images, their side and their objects.

Every point is a data set that is generated, opened and trained on in a process of its own, of one thread: so that peaks
of memory do not mix. Exponents are slopes of logarithms, by least squares over the larger half of the points.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ..config import Config, replace
from ..data.custom_data import open_custom_data
from ..data.folders import open_folder
from ..training.device import choose_precision, keep_memory
from ..training.loop import Trainer
from ..training.machine import environment, peak_memory_gb
from ..training.processes import children
from ..training.shares import shares_of, times_of
from ..training.side_by_side import answer
from ..training.threads import torch_threads
from .bench import drawn
from .options import TrainOptions
from .plan import learned_classes, plan_data, with_preset
from .train import prepared

BATCH, EVALUATED = 8, 16  # images of an iteration, and of an evaluation
MINUTES = 5  # of the run whose shares are measured
FILES = 500  # that are different; a larger data set has each several times
CPU = torch.device("cpu")
MEASURES = ("iteration", "data", "augmentation", "evaluation", "opening", "memory")
"""Seconds: of an iteration, and in it of drawing and changing the batch; of evaluating an image; of the first opening
of the data set. Memory in GB, above that of a process which has done nothing."""


class Point(NamedTuple):
    """A data set: so many images of so many pixels with so many objects; axis: which of the three grows."""

    axis: str
    images: int
    side: int
    objects: int


AXES = {
    "images": [Point("images", count, 32, 4) for count in (1_000, 3_000, 10_000, 30_000, 100_000)],
    "side": [Point("side", 200, side, 8) for side in (32, 64, 128, 256, 512)],
    "objects": [Point("objects", 200, 256, count) for count in (1, 3, 10, 30, 100, 200)],
}


class Given(NamedTuple):
    """What the process of a point gets."""

    point: Point
    preset: str
    rounds: int


def growth(preset: str, rounds: int, axes: Mapping[str, Sequence[Point]] = AXES) -> dict[str, Any]:
    """All points and their exponents, plain types for JSON."""
    points = {axis: [in_a_process(Given(point, preset, rounds)) for point in of] for axis, of in axes.items()}
    exponents = {axis: exponents_of(axis, rows) for axis, rows in points.items()}
    rows = [row for rows in points.values() for row in rows]
    with torch_threads(1):
        made_on = environment(replace(Config(), train__precision=precision()), CPU)
    return {"preset": preset, "rounds": rounds, "batch": BATCH, "points": rows, "exponents": exponents} | made_on


def in_a_process(given: Given) -> dict[str, Any]:
    """A point with its measures, from a process that ends with it."""
    with children(measured, 1) as (child,):
        child.connection.send(given)
        _, found = answer(child, f"bench growth, {given.point.axis}", "start again")
    return {**given.point._asdict(), **found}


def measured(given: Given) -> dict[str, float]:
    """The measures of a point."""
    keep_memory()
    before, point = peak_memory_gb() or 0.0, given.point
    with tempfile.TemporaryDirectory() as folder:
        annotations = drawn(Path(folder), point.images, point.side, point.objects, FILES)
        planned = with_preset(plan_data(annotations, batch=BATCH), given.preset, learned_classes(annotations))
        config = replace(planned, train__iterations=10_000, train__precision=precision(), train__monitor="AP")
        assert config.model.input_size == point.side, "neither downscaled nor in tiles"
        begun = time.perf_counter()
        opened = open_folder(annotations, "train", point.side, Path(folder) / "cache")
        opening = time.perf_counter() - begun
        times = times_of(Trainer(config, opened, opened, CPU), given.rounds, EVALUATED)
    return times._asdict() | {"opening": opening, "memory": (peak_memory_gb() or 0.0) - before}


def shares(data: Path, minutes: float, rounds: int) -> dict[str, float]:
    """Of a run of `pocketrcnn train` on these data: what its iterations, and its evaluations, spend their time on."""
    keep_memory()
    options = TrainOptions(data, minutes=minutes)
    config, sets, _ = prepared(options, open_custom_data(options.source(data)), CPU)
    trainer = Trainer(replace(config, train__precision=precision()), *sets, CPU)
    return shares_of(trainer, times_of(trainer, rounds, EVALUATED))


def precision() -> str:
    """The number format of training on this processor."""
    return choose_precision("auto", CPU)


def exponents_of(axis: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """By measure, the power of what grows on an axis with which it grows, over the larger half of the points."""
    larger = sorted(rows, key=lambda row: float(row[axis]))[(len(rows) - 1) // 2 :]
    sizes = [row[axis] for row in larger]
    return {name: slope(sizes, [row[name] for row in larger]) for name in MEASURES}


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The exponent e of values = c * sizes^e, by least squares of their logarithms; 0 for values that are 0."""
    if min(values) <= 0:
        return 0.0
    x, y = np.log(sizes), np.log(values)
    return float(np.polyfit(x, y, 1)[0])
