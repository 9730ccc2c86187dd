"""What is known about a run, as plain JSON (`report.json`), and the report of one run or of several.

The page itself is a function of these facts alone, see `report.runs`.
"""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...config import Config
from ...data.annotations import SPLITS, Example
from ...data.custom_data import CustomData, open_custom_data
from ...data.overview import facts_of, objects_of
from ...errors import UserError
from ...model.costs import parameters
from ...training import config_file
from ...training.files import write_atomically
from ...training.run import Run, encode, parse, saved_splits
from ...version import __version__
from ..anchors import shape_iou, sides_and_boxes
from ..plan import median_side
from .page import write_runs
from .pictures import detection_time, pictures

Facts = dict[str, Any]

SCHEMA = 1
REPORT, FACTS = "report.html", "report.json"
SHAPES = 500  # boxes that are drawn
BINS = 24  # of a histogram
CLOSE = 4  # largest side over smallest, up to which they need no logarithm
JUDGED = {
    "data",
    "split",
    "confusion",
    "overall",
    "sizes",
    "classes",
    "max_detections",
    "counts",
    "precision_recall",
    "best",
    "used",
    "tide",
    "images",
}


def write_run_report(run: Run, own: CustomData | None = None, path: Path | None = None) -> Path:
    """Collect the facts of a run in `report.json` and show them at `path` (`report.html` in its folder), returned.

    `own`: the run's data where they are open already; reading and checking them takes most of the time.
    """
    facts, page = run_facts(run, own), path or run.folder / REPORT
    write_atomically(run.folder / FACTS, encode(facts))
    write_runs([facts], page)
    return page


def write_comparison(runs: Sequence[Run], path: Path) -> Path:
    """One page on several runs, from their folders alone; returns its path."""
    write_runs([recorded(run) for run in runs], path)
    return path


def run_facts(run: Run, own: CustomData | None = None) -> Facts:
    """Everything about a run. Where its data are no longer there, `missing` says why, and there are no pictures."""
    facts = recorded(run)
    if run.config.data.kind != "folder":
        return facts | {"missing": "its data are made by `reproduce`, whose own report has pictures of them"}
    try:
        own = own or open_custom_data(run.config.data, saved_splits(run.folder))
        facts["data"] = data_facts(own, run.config)
        if facts["metrics"] is not None:
            facts |= seen(run, own, facts["evaluations"])
    except UserError as error:
        facts["missing"] = str(error)
    return facts


def recorded(run: Run) -> Facts:
    """What the folder of a run says by itself. Raises UserError for a damaged file."""
    metrics, environment = run.metrics(), run.environment()
    return {
        "schema": SCHEMA,
        "version": __version__,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "name": run.folder.resolve().name,
        "command": environment.get("command", ""),
        "settings": config_file.flat(config_file.to_dict(run.config)),
        "parameters": parameters(run.config.model),
        "versions": environment["versions"],
        "hardware": environment["hardware"],
        "points": run.log_entries(),
        "metrics": metrics,
        "evaluations": evaluations(run.folder) if metrics else {},
        "data": None,
        "pictures": None,
        "speed": None,
        "missing": "",
    }


def evaluations(folder: Path) -> dict[str, Facts]:
    """What `eval` wrote, by split: test, val, train."""
    there = (split for split in reversed(SPLITS) if (folder / f"evaluation-{split}.json").is_file())
    return {split: evaluation(folder, split) for split in there}


def evaluation(folder: Path, split: str) -> Facts:
    """What `eval` wrote of a split. Raises UserError where it is missing, damaged, or lacks what is shown."""
    path, remedy = folder / f"evaluation-{split}.json", f"run `pocketrcnn eval {folder} --split {split}` again"
    found = parse(path, remedy)
    if not set(found) >= JUDGED:
        raise UserError(f"{path} is of another version: {remedy}")
    return found


def seen(run: Run, own: CustomData, judged: dict[str, Facts]) -> Facts:
    """Pictures of what the network detects, and how fast it is; nothing where the run was never judged."""
    if not judged:
        return {}
    first = next(iter(judged.values()))  # test images where they were judged
    folder, model = own.folder(first["split"], run.config.model.image), run.load_model()
    return {"pictures": pictures(run, model, folder, first), "speed": detection_time(run, model, folder)}


def data_facts(own: CustomData, config: Config) -> Facts:
    """Images, objects and sizes by split and class, and the shapes that the anchors have to meet."""
    splits = {split: own.annotations.split(split) for split in own.splits}
    everything = [example for examples in splits.values() for example in examples]
    counts = [len(objects_of(example)) for example in everything]
    kept = ("format", "data", "crowds", "images_without_objects", "image_sizes", "different_sizes", "dropped", "faults")
    return {
        **{name: own.report.summary[name] for name in kept},
        "splits": {split: facts_of(examples) for split, examples in splits.items()},
        "classes": class_counts(own, splits),
        "per_image": {**histogram(np.array(counts, float)), "max": max(counts, default=0)},
        "shapes": shape_facts(splits.get("train", ()), config),
    }


def class_counts(own: CustomData, splits: dict[str, tuple[Example, ...]]) -> list[Facts]:
    """Objects of each class by split, with the median side in pixels of the images."""
    objects = {
        split: Counter(thing.name for example in examples for thing in objects_of(example))
        for split, examples in splits.items()
    }
    sides = {row["name"]: row["side"] for row in own.report.summary["classes"]}
    return [
        {"name": name, "objects": {split: objects[split][name] for split in splits}, "side": sides.get(name)}
        for name in own.annotations.classes
    ]


def shape_facts(examples: Sequence[Example], config: Config) -> Facts | None:
    """Widths and heights of the training objects in pixels of the input, and how well the anchors meet them."""
    boxes = sides_and_boxes(examples, config.model.image)
    if not len(boxes) or config.model.rpn is None:
        return None
    overlaps = shape_iou(boxes, np.array(config.model.rpn.anchors)).max(1)  # [n]
    chosen = np.unique(np.linspace(0, len(boxes) - 1, min(SHAPES, len(boxes))).astype(int))
    return {
        "objects": len(boxes),
        "boxes": boxes[chosen].round(1).tolist(),
        "sides": histogram(np.sqrt(boxes.prod(-1)), by_ratio=True),
        "median_side": median_side(boxes, config.model.image),
        "anchors": [list(anchor) for anchor in config.model.rpn.anchors],
        "overlaps": {"edges": np.linspace(0, 1, 21).tolist(), "counts": np.histogram(overlaps, 20, (0, 1))[0].tolist()},
        "mean_overlap": float(overlaps.mean()),
        "recall": {str(level): float((overlaps >= level).mean()) for level in (0.5, 0.7)},
    }


def histogram(values: NDArray[np.float64], by_ratio: bool = False) -> Facts:
    """Counts between edges: whole numbers, or, by ratio, equal steps of the logarithm of values above 0.

    Whole numbers within a factor of CLOSE have whole numbers as edges in any case: steps between them would stay empty.
    """
    low, high = float(values.min(initial=math.inf)), float(values.max(initial=0))
    if by_ratio and not (high < CLOSE * low and np.all(values == values.round())):
        edges = np.geomspace(low * 0.99, high * 1.01, BINS + 1)
    else:
        start = math.floor(low) if by_ratio else 0
        step = max(1, round((high - start) / BINS))
        edges = np.arange(start, high + 2 * step, step)
    return {"edges": edges.tolist(), "counts": np.histogram(values, edges)[0].tolist()}
