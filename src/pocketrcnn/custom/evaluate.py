"""How good a run is: its evaluation at the end of training, and `pocketrcnn eval`."""

import dataclasses
import itertools
import shlex
from collections.abc import Sequence
from pathlib import Path

from ..data.annotations import SPLITS
from ..data.boxes import Boxes
from ..data.custom_data import CustomData, open_custom_data
from ..data.files import LOCK, locked, require_writable, write_atomically
from ..data.folders import Folder
from ..data.overview import counted, objects_of
from ..errors import UserError
from ..evaluation.average_precision import Evaluation
from ..evaluation.average_precision import evaluate as evaluate_detections
from ..evaluation.network import Compared, detect
from ..evaluation.tables import tables
from ..evaluation.thresholds import DEFAULT_THRESHOLD
from ..model.faster_rcnn import FasterRCNN
from ..screen import print_table
from ..terminal import say, warn
from ..training.device import DELIVERED, autocast, keep_memory
from ..training.run import ELSEWHERE, METRICS, WEIGHTS, Run, encode, open_finished, parse, saved_splits

WAIT = 10.0  # seconds for another program that writes to the run; one that trains it takes longer


def held_out(data: CustomData) -> str:
    """The split by which a network is chosen; where there is a single image, it is that."""
    return "val" if "val" in data.splits else "train"


def without_validation(data: CustomData, run: Path | None = None) -> str:
    """What it means that no validation image has an object, and what to do; empty where one has.

    run: the folder of the trained run, where there is one."""
    if any(map(objects_of, data.annotations.split(held_out(data)))):
        return ""
    means = f"the last weights are kept, not the best, and predict uses the threshold {DEFAULT_THRESHOLD:g}"
    name = shlex.quote(str(run or "RUN"))
    measured = any(map(objects_of, data.annotations.split("test")))
    test = f", or measure on test images: `pocketrcnn eval {name} --split test`" if measured else ""
    return f"no validation image has an object: {means}; annotate some of them{test}"


def conclude(
    run: Run, data: CustomData, dataset: Folder, ground_truth: Sequence[Boxes], detections: Sequence[Boxes]
) -> Evaluation:
    """Write the evaluation of new weights on validation data; its threshold of best F1 is to go into their file."""
    run.forget_evaluations()
    return written(run, data, dataset, (ground_truth, detections), split=held_out(data))


def written(
    run: Run, data: CustomData, dataset: Folder, compared: Compared, *, split: str, threshold: float | None = None
) -> Evaluation:
    """The evaluation of ground truth and detections on a split: written to the run's folder, and returned.

    threshold: the score from which on the run shows detections; None where this evaluation chooses it. Other data than
    those of the run get a file with their name, so that its evaluation stays.
    """
    names = [str(path) for path in dataset.paths]
    evaluation = evaluate_detections(
        *compared, dataset.classes, names, data=data.source, split=split, threshold=threshold
    )
    same = is_of_run(run, data, split)
    if same:
        run.compared[split] = compared
    path = run.folder / f"evaluation-{split}.json" if same else path_for(run, data.source, split)
    write_atomically(path, encode(vars(evaluation)), ELSEWHERE)
    return evaluation


def path_for(run: Run, source: str, split: str) -> Path:
    """The file for the evaluation on other data: theirs, or a new one, numbered where other data have the same name."""
    data = Path(source)
    name = data.parent.name if data.is_file() else data.name  # many files of annotations have the same name
    names = (f"{name}{f'-{number}' if number > 1 else ''}-{split}" for number in itertools.count(1))
    paths = (run.folder / f"evaluation-{one}.json" for one in names)
    return next(path for path in paths if not path.exists() or parse(path).get("data") == source)


def is_of_run(run: Run, data: CustomData, split: str) -> bool:
    """Whether this is the split of the data that the run was trained on, wherever they are now, and all of it."""
    known = saved_splits(run.folder) or {}
    whole = {digest for digest, saved in known.items() if saved == split}
    return data.source == run.config.data.source or (bool(whole) and whole <= set(data.split_of) <= set(known))


def show_evaluation(evaluation: Evaluation) -> None:
    """An evaluation on the terminal."""
    say(f"{evaluation.data}, {evaluation.split} images ({evaluation.counts['images']})")
    for table in tables(evaluation):
        print_table(table)


def evaluate_run(
    folder: Path, source: Path | None, split: str | None, device: str = "auto"
) -> tuple[Run, FasterRCNN, CustomData, Evaluation]:
    """Evaluate a finished run on its test images, or on other data at `source`; see `written`.

    Returns the run, its network and the data too, so that a report reads nothing again.
    """
    keep_memory()
    run = open_finished(folder, device)
    if not run.resumable:
        raise UserError(f"{folder} is a run of `reproduce`: its metrics are in {folder / METRICS} and in the report")
    require_writable(folder, f"allow writing there, or {ELSEWHERE}")
    known = saved_splits(folder)
    config = run.config.data
    if source:  # what the user said about the boxes of the run is not about these
        config = dataclasses.replace(config, source=str(source.resolve()), bbox="auto", units="auto")
    data = open_custom_data(config, known, f"pocketrcnn eval {shlex.quote(str(folder))} FOLDER")
    names = list(data.splits)
    if not names:
        raise UserError(f"{config.source} has no image that can be evaluated: `pocketrcnn check` says why")
    chosen = split or next(name for name in reversed(SPLITS) if name in names)
    if chosen not in names:
        raise UserError(f"--split {chosen}: {config.source} has only {', '.join(names)}")
    if split != "train":  # the user knows
        warn_if_trained_on(data, chosen, known or {})
    weights = version(folder / WEIGHTS)
    view = run.config.model.input_size, run.config.data.tile_overlap
    dataset, (model, threshold) = data.folder(chosen, *view), run.load_model()
    with autocast(DELIVERED, run.device):
        compared = detect(model, dataset.to(run.device))
    shown_from = DEFAULT_THRESHOLD if threshold is None else threshold
    with locked(folder / LOCK, WAIT, ELSEWHERE):
        if version(folder / WEIGHTS) != weights:
            raise UserError(f"{folder} was trained for longer meanwhile: run the same command again")
        evaluation = written(run, data, dataset, compared, split=chosen, threshold=shown_from)
    return run, model, data, evaluation


def version(path: Path) -> tuple[int, int]:
    """Of a file that is replaced as a whole: another one each time."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def warn_if_trained_on(data: CustomData, split: str, known: dict[str, str]) -> None:
    """A warning where images of a split were used for training."""
    count = sum(known.get(example.digest) == "train" for example in data.annotations.split(split))
    if count:
        warn(f"{counted(count, 'image')} of {split} took part in training: metrics are optimistic")
