"""How good a run is: figures on validation data when it has been trained, and `pocketrcnn eval`, which judges again."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..data.annotations import SPLITS
from ..data.custom_data import CustomData, open_custom_data
from ..data.files import require_writable, write_atomically
from ..data.folders import Folder
from ..data.overview import counted
from ..errors import UserError
from ..evaluation.average_precision import evaluate as evaluate_detections
from ..evaluation.coco import Found, Truth
from ..evaluation.network import judged
from ..evaluation.tables import tables
from ..evaluation.thresholds import DEFAULT_THRESHOLD
from ..terminal import print_table, say
from ..training.device import DELIVERED, autocast, keep_memory
from ..training.run import METRICS, Run, encode, open_finished, parse, saved_splits

Judged = tuple[Sequence[Truth], Sequence[Found]]


def held_out(own: CustomData) -> str:
    """The split by which a network is chosen; where there is a single image, it is that."""
    return "val" if "val" in own.splits else "train"


def concluded(
    run: Run, own: CustomData, dataset: Folder, truth: Sequence[Truth], found: Sequence[Found]
) -> dict[str, Any]:
    """Write the evaluation of new weights on validation data; its threshold of best F1 is to go into their file."""
    run.forget_evaluations()
    best = written(run, own, dataset, (truth, found), split=held_out(own))["best"]
    return {"threshold": best["threshold"] if best else None}


def written(
    run: Run, own: CustomData, dataset: Folder, judged: Judged, *, split: str, threshold: float | None = None
) -> dict[str, Any]:
    """The evaluation of truth and detections on a split: written to the run's folder, and returned.

    threshold: the score from which on the run shows detections; None where it is to be found here. Data that are not
    the run's own get a file with their name: the run's own figures stay.
    """
    names = [str(path) for path in dataset.paths]
    evaluation = evaluate_detections(*judged, dataset.classes, names, threshold=threshold)
    content = {"data": own.source, "split": split, **evaluation}
    path = run.folder / f"evaluation-{split}.json" if is_own(run, own, split) else place_of(run, own.source, split)
    write_atomically(path, encode(content))
    return content


def place_of(run: Run, source: str, split: str) -> Path:
    """The file for the figures on other data: theirs, or a new one, numbered where other data have the same name."""
    data = Path(source)
    name = data.parent.name if data.is_file() else data.name  # a file of annotations is called as many others are
    names = (f"{name}{f'-{number}' if number > 1 else ''}-{split}" for number in itertools.count(1))
    paths = (run.folder / f"evaluation-{one}.json" for one in names)
    return next(path for path in paths if not path.exists() or parse(path).get("data") == source)


def is_own(run: Run, own: CustomData, split: str) -> bool:
    """Whether this is the split of the data that the run was trained on, wherever they are now, and all of it."""
    known = saved_splits(run.folder) or {}
    whole = {digest for digest, place in known.items() if place == split}
    return own.source == run.config.data.source or (bool(whole) and whole <= set(own.split_of) <= set(known))


def show_evaluation(found: dict[str, Any]) -> None:
    """The figures of `written` on the terminal."""
    say(f"{found['data']}, {found['split']} images ({found['counts']['images']})")
    for table in tables(found):
        print_table(table)


def evaluate_run(folder: Path, data: Path | None, split: str | None, device: str = "auto") -> dict[str, Any]:
    """Judge a finished run on its own test images, or on other data. See `written`."""
    keep_memory()
    run = open_finished(folder, device)
    if not run.resumable:
        raise UserError(f"{folder} is a run of `reproduce`: its figures are in {folder / METRICS} and in the report")
    require_writable(folder, "allow writing there, or copy the run to another place")
    known = saved_splits(folder)
    config = dataclasses.replace(run.config.data, source=str(data.resolve())) if data else run.config.data
    own = open_custom_data(config, known)
    names = list(own.splits)
    if not names:
        raise UserError(f"{config.source} has no image that can be judged: `pocketrcnn check` says why")
    chosen = split or next(name for name in reversed(SPLITS) if name in names)
    if chosen not in names:
        raise UserError(f"--split {chosen}: {config.source} has only {', '.join(names)}")
    if chosen != "train":
        say_if_trained_on(own, chosen, known or {})
    dataset = own.folder(chosen, run.config.model.input_size)
    with autocast(DELIVERED, run.device):
        found = judged(run.load_model(), dataset.to(run.device))
    threshold = run.threshold()
    shown_from = DEFAULT_THRESHOLD if threshold is None else threshold
    return written(run, own, dataset, found, split=chosen, threshold=shown_from)


def say_if_trained_on(own: CustomData, split: str, known: dict[str, str]) -> None:
    """Figures on images that a network was trained on are too good: that is said."""
    count = sum(known.get(example.digest) == "train" for example in own.annotations.split(split))
    if count:
        words = f"{counted(count, 'image')} of {split} took part in training: the figures are too good"
        print(words, file=sys.stderr)
