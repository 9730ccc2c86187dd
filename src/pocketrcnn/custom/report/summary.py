"""The summary of a run as plain JSON (`report.json`), and the report of one run or of several.

The page is a function of summaries alone, see `page`.
"""

import datetime
import math
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...config import Config
from ...data.annotations import SPLITS, Example
from ...data.custom_data import CustomData, open_custom_data
from ...data.files import OUT, write_atomically
from ...data.overview import objects_of, split_counts
from ...errors import UserError
from ...evaluation.average_precision import Evaluation
from ...evaluation.form import evaluation_of
from ...model.costs import parameters
from ...model.faster_rcnn import FasterRCNN
from ...report.html import write
from ...training import config_file
from ...training.run import ELSEWHERE, Run, encode, open_run, parse, saved_splits
from ...version import __version__
from ..anchors import shape_iou, sides_and_boxes
from ..plan import median_side
from ..run_set import runs_of
from ..sweep.record import content_of
from .page import render_runs
from .pictures import detection_time, pictures
from .portable import portable, without_paths
from .sweep import drawn, render_sweep

Summary = dict[str, Any]

SCHEMA = 1
REPORT, SUMMARY = "report.html", "report.json"
SHAPES = 500  # boxes that are drawn
BINS = 24  # of a histogram
CLOSE = 4  # largest side over smallest, up to which they need no logarithm


def write_run_report(
    run: Run, data: CustomData | None = None, model: FasterRCNN | None = None, path: Path | None = None
) -> Path:
    """Write the summary of a run to `report.json`, and its page to `path` (`report.html` in its folder), returned.

    `data`, `model`: the run's data and network where they are open already; to read and check the data takes long.
    """
    summary, page = run_summary(run, data, model), path or run.folder / REPORT
    write_atomically(run.folder / SUMMARY, encode(summary), ELSEWHERE)
    write(render_runs([summary]), page, OUT if path else ELSEWHERE)
    return page


def write_comparison(runs: Sequence[Run], path: Path, another: str = OUT) -> Path:
    """One page on several runs, from their folders alone; returns its path. `another`: see `data.files`."""
    write(render_runs(portable([recorded(run) for run in runs])), path, another)
    return path


def write_sweep(folder: Path, path: Path, another: str = OUT) -> Path:
    """The page of a sweep, from its folder alone; returns its path. `another`: see `data.files`."""
    about = content_of(folder)
    runs = [
        {**recorded(open_run(run, "cpu")), "name": name, "evaluations": {}}
        for name in drawn(about)
        for run in runs_of(folder / name)
    ]
    shown = portable(runs)
    linked = path.parent.resolve() == folder.resolve()
    write(render_sweep(without_paths(about, runs), shown, linked), path, another)
    return path


def run_summary(run: Run, data: CustomData | None = None, model: FasterRCNN | None = None) -> Summary:
    """Everything about a run, but no folder of this machine. `missing` says why what needs the data is not there."""
    summary = recorded(run)
    try:
        data = data or opened(run)
        summary["data"] = data_summary(data, run.config)
        if summary["evaluations"]:
            split, evaluation = next(iter(summary["evaluations"].items()))  # of test images where there is one
            view = run.config.model.input_size, run.config.data.tile_overlap
            folder, model = data.folder(split, *view), model or run.load_model()[0]
            summary["pictures"] = pictures(run, model, folder, evaluation)
            summary["speed"] = detection_time(run, model, folder)
    except UserError as error:
        summary["missing"] = str(error)
    return portable([summary])[0]


def opened(run: Run) -> CustomData:
    """The data of a run. Raises UserError where they are no longer there."""
    if run.config.data.kind != "folder":
        raise UserError("its data are made by `reproduce`, whose own report has pictures of them")
    moved = f"pocketrcnn resume {shlex.quote(str(run.folder))} --data FOLDER"
    return open_custom_data(run.config.data, saved_splits(run.folder), moved)


def recorded(run: Run) -> Summary:
    """What the files of a run say. Raises UserError for a damaged file."""
    metrics, environment = run.metrics(any_length=True), run.environment()
    splits = [split for split in reversed(SPLITS) if (run.folder / f"evaluation-{split}.json").is_file()]
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
        "evaluations": {split: vars(evaluation(run.folder, split)) for split in splits if metrics},
        "data": None,
        "pictures": None,
        "speed": None,
        "missing": "",
    }


def evaluation(folder: Path, split: str) -> Evaluation:
    """What `eval` wrote of a split. Raises UserError where it is missing, damaged, or of another version."""
    path, remedy = folder / f"evaluation-{split}.json", f"run `pocketrcnn eval {folder} --split {split}` again"
    try:
        return evaluation_of(parse(path, remedy))
    except msgspec.ValidationError as error:
        raise UserError(f"{path} is of another version: {remedy}") from error


def data_summary(data: CustomData, config: Config) -> Summary:
    """Images, objects and sizes by split and class, and the shapes that the anchors have to meet."""
    splits = {split: data.annotations.split(split) for split in data.splits}
    everything = [example for examples in splits.values() for example in examples]
    counts = [len(objects_of(example)) for example in everything]
    kept = ("format", "data", "crowds", "images_without_objects", "image_sizes", "different_sizes", "dropped", "faults")
    return {
        **{name: data.report.summary[name] for name in (*kept, "left_out")},
        "splits": {split: split_counts(examples) for split, examples in splits.items()},
        "classes": class_counts(data, splits),
        "per_image": {**histogram(np.array(counts, float)), "max": max(counts, default=0)},
        "shapes": shape_summary(splits.get("train", ()), config),
    }


def class_counts(data: CustomData, splits: dict[str, tuple[Example, ...]]) -> list[Summary]:
    """Objects of each class by split, with the median side in pixels of the images."""
    objects = {
        split: Counter(obj.name for example in examples for obj in objects_of(example))
        for split, examples in splits.items()
    }
    sides = {row["name"]: row["side"] for row in data.report.summary["classes"]}
    return [
        {"name": name, "objects": {split: objects[split][name] for split in splits}, "side": sides.get(name)}
        for name in data.annotations.classes
    ]


def shape_summary(examples: Sequence[Example], config: Config) -> Summary | None:
    """Widths and heights of the training objects in pixels of the input, and how well the anchors meet them."""
    boxes = sides_and_boxes(examples, None if config.data.tile_overlap else config.model.input_size)
    if not len(boxes) or config.model.rpn is None:
        return None
    overlaps = shape_iou(boxes, np.array(config.model.rpn.anchors)).max(1)  # [n]
    chosen = np.unique(np.linspace(0, len(boxes) - 1, min(SHAPES, len(boxes))).astype(int))
    return {
        "objects": len(boxes),
        "boxes": boxes[chosen].round(1).tolist(),
        "sides": histogram(np.sqrt(boxes.prod(-1)), by_ratio=True),
        "median_side": median_side(boxes, config.model.input_size),
        "anchors": [list(anchor) for anchor in config.model.rpn.anchors],
        "overlaps": {"edges": np.linspace(0, 1, 21).tolist(), "counts": np.histogram(overlaps, 20, (0, 1))[0].tolist()},
        "mean_overlap": float(overlaps.mean()),
        "recall": {str(level): float((overlaps >= level).mean()) for level in (0.5, 0.7)},
    }


def histogram(values: NDArray[np.float64], by_ratio: bool = False) -> Summary:
    """Counts between edges: whole numbers, or, by ratio, equal steps of the logarithm of values above 0.

    Whole numbers within a factor of CLOSE always have whole numbers as edges: other steps would leave some empty.
    """
    low, high = float(values.min(initial=math.inf)), float(values.max(initial=0))
    if by_ratio and not (high < CLOSE * low and np.all(values == values.round())):
        edges = np.geomspace(low * 0.99, high * 1.01, BINS + 1)
    else:
        start = math.floor(low) if by_ratio else 0
        step = max(1, round((high - start) / BINS))
        edges = np.arange(start, high + 2 * step, step)
    return {"edges": edges.tolist(), "counts": np.histogram(values, edges)[0].tolist()}
