"""`pocketrcnn train`: from a folder of annotated images to a finished run."""

import dataclasses
import os
import re
import shlex
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch

from ..config import Config, DataConfig, replace
from ..data.crops import Crops
from ..data.custom_data import CustomData
from ..data.dataset import Dataset
from ..data.files import claimed, require_writable
from ..data.folders import Folder
from ..data.overview import render
from ..errors import UserError
from ..evaluation.tables import number
from ..terminal import say
from ..training import config_file
from ..training.checkpoint import load_tensors
from ..training.device import choose_device, keep_memory
from ..training.fit import fit
from ..training.group import current
from ..training.joining import joined
from ..training.launch import keep_folder, kept_folder
from ..training.loop import Trainer
from ..training.run import CHECKPOINT, Run, open_run, require_place, saved, saved_splits
from ..training.watchers import for_tensorboard, has_events, require_tensorboard
from .anchors import sides_and_boxes
from .evaluate import conclude, held_out, without_validation
from .learnable import left_out_in_words, require_learnable
from .moved import relocated, require_same, say_moved
from .options import TrainOptions, check_length
from .plan import PRESETS, augmentation, learned_classes, plan_data, plan_length, with_preset
from .reasons import length_reason, reasons
from .report.summary import evaluation, write_run_report
from .together import follow, open_by_all

TRAINED = 0.95  # of the time; the rest goes into evaluation
ENOUGH = 200  # iterations: a larger network that gets fewer in the time learns less than a smaller one
TIMED = 4  # iterations before the run that measure its speed, fewer where they are slow
TIMING_FRACTION = 0.01  # of the minutes, for each network that is tried
RUNS = Path("runs")  # where runs without --out are made

Sets = tuple[Folder | Crops, Folder]  # of training and of validation images


def train(options: TrainOptions, *, again: bool = False) -> Path:
    """Check, plan, train, evaluate on validation data; returns the run's folder.

    Where torchrun, or with `again` Ray, has started the processes again, the run that they began goes on. Those besides
    the first one help it.
    """
    begun = time.perf_counter()
    keep_memory()
    with joined(options.device) as group:
        if group.rank:
            return follow(options.data.resolve(), asked(options), options.device, partial(both, quiet=True))
        if (kept := options.out if again else kept_folder()) and saved(kept):
            return go_on(kept, None, None, options.device, asked=asked(options))
        return begin(options, begun)


def begin(options: TrainOptions, begun: float) -> Path:
    """A run as `train` begins it, or goes on with it in the folder that was named. begun: by the clock."""
    device = choose_device(options.device)
    if options.tensorboard:
        require_tensorboard()
    if options.out:
        require_place(options.out)
    with folder_of(options) as folder:
        keep_folder(folder)
        data = checked(options, saved_splits(folder))
        config, sets = planned(options, data, device)
        with for_tensorboard(options.tensorboard), Run(folder, config, device, options.command or options.call) as run:
            run.keep_splits(data.split_of)
            fit(*sets, run, time.perf_counter() - begun, partial(conclude, run, data, sets[1]))
            finish(run, data)
    return folder


@contextmanager
def folder_of(options: TrainOptions) -> Iterator[Path]:
    """The folder of a run or set: the one that was named, or the first free one with the name of the data, which is
    made at once, as several runs may start together; where nothing comes of it, it goes away again."""
    if named := options.out or kept_folder():
        yield named
        return
    require_writable(RUNS)
    with claimed(usual_folder(options.data)) as folder:
        yield folder


def usual_folder(data: Path) -> Path:
    """Where a run on these data is, without --out: a folder with their name."""
    name = Path(os.path.abspath(data)).name  # a link keeps its name
    return RUNS / re.sub(r"\s+", "-", name)


def checked(options: TrainOptions, known: dict[str, str] | None) -> CustomData:
    """The data, checked; what is in them is shown. known: the splits of images that were trained on before."""
    data = open_by_all(data_of(options), known, asked(options))
    render(data.report)
    size, tiles = options.input_size, options.tiles
    require_learnable(data.annotations, data.report, force=options.force, input_size=size, tiles=tiles)
    return data


def asked(options: TrainOptions) -> str:
    """The options as a call, without those that may differ from process to process."""
    return dataclasses.replace(options, data=Path("DATA"), out=None, device="auto", tensorboard=False).call


def data_of(options: TrainOptions) -> DataConfig:
    """Where the data are, and how they are read."""
    return dataclasses.replace(options.source(options.data.resolve()), seed=options.seed)


def planned(options: TrainOptions, data: CustomData, device: torch.device) -> tuple[Config, Sets]:
    """The configuration, whose reasons are shown, and the training and validation images."""
    config, sets, pace = prepared(options, data, device)
    for reason in reasons(config, data.annotations, len(sets[0]), pace):
        say(reason)
    if (count := current().count) > 1:
        say(f"{count} processes, each with {config.train.batch / count:.3g} of the {config.train.batch} images")
    if unmeasured := without_validation(data):
        say(f"warning: {unmeasured}")
    classes, overlap = config.data.classes, config.data.tile_overlap
    source = dataclasses.replace(data_of(options), classes=classes, tile_overlap=overlap)
    current().require_possible(config, len(sets[0]), device)
    return replace(config, data=source), sets


def prepared(options: TrainOptions, data: CustomData, device: torch.device) -> tuple[Config, Sets, str]:
    """The configuration, with as many iterations as the time allows, the training and validation images, and the pace
    in words."""
    annotations, iterations, pace = data.annotations, options.iterations or 0, ""
    large = plan_data(
        annotations, options.anchors, options.input_size, options.rotate, options.batch, tiles=options.tiles
    )
    sets, presets = both(data, large), list(PRESETS) if options.preset == "auto" else [options.preset]
    config, classes = large, learned_classes(annotations)
    for preset in reversed(presets):  # the largest first
        config = with_preset(large, preset, classes)
        if not options.budget:
            break
        tried = with_options(replace(config, train__minutes=options.budget), options)
        seconds = seconds_of_an_iteration(tried, *sets, device)
        iterations = max(1, round(options.budget * 60 * TRAINED / seconds))
        pace = f" in {options.budget:g} min, {seconds:.2f} s each"
        if iterations >= ENOUGH:
            break
    config = plan_length(config, len(sets[0]), iterations, options.budget, views(sets[1]))
    return with_options(config, options), sets, pace


def with_options(config: Config, options: TrainOptions) -> Config:
    """The planned configuration with the options that do not take part in the plan."""
    settings = options.settings
    config = replace(config, train__seed=options.seed, train__patience=options.patience, train__overrides=settings)
    config = replace(config, train__precision=options.precision)
    return config_file.override(config, settings)


def both(data: CustomData, config: Config, *, quiet: bool = False) -> Sets:
    """Training and validation images; a single image is both. What is special about them is said, unless `quiet`."""
    view, held = (config.model.input_size, config.data.tile_overlap), held_out(data)
    if held == "train" and not quiet:
        say("no validation images: metrics are optimistic, they are measured on the training images")
    sets = data.folder("train", *view), data.folder(held, *view)
    for fault in (fault for folder in sets for fault in folder.skipped if not quiet):
        say(f"skipped: {fault}")
    return (Crops(sets[0]) if config.data.tile_overlap else sets[0]), sets[1]


def views(dataset: Folder) -> float:
    """Tiles of an image, on average; 1 where there are none."""
    return int(dataset.first_views[-1]) / len(dataset)


def seconds_of_an_iteration(config: Config, train: Dataset, val: Dataset, device: torch.device) -> float:
    """Seconds of a training iteration, the median of a few."""
    trainer, times = Trainer(config, train, val, device), list[float]()
    trainer.step()  # the first one is slower
    while len(times) < TIMED and sum(times) <= config.train.minutes * 60 * TIMING_FRACTION:
        begun = time.perf_counter()
        trainer.step()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def finish(run: Run, data: CustomData) -> None:
    """Make the report of a finished run; say how good the run is, where it is, and what to do next."""
    split = held_out(data)
    metrics = evaluation(run.folder, split)
    overall, used, counts = metrics.overall, metrics.used or {}, metrics.counts
    say(f"{split} images ({counts['images']:,}): AP50 {number(overall['AP50'])}, AP {number(overall['AP'])}")
    precision, recall = number(used.get("precision")), number(used.get("recall"))
    unmeasured = without_validation(data, run.folder)
    say(unmeasured or f"threshold {number(used.get('threshold'))}: precision {precision}, recall {recall}")
    if lost := left_out_in_words(data.report):
        say(lost)
    say(f"report: {write_run_report(run, data)}")
    say(f"run: {run.folder}")
    say("next:")
    say_commands(run.folder)


def say_commands(folder: Path) -> None:
    """What can be done with a run or a set, as commands, a line each."""
    name = shlex.quote(str(folder))
    for command in (f"eval {name}", f"predict {name} IMAGES", f"export {name}", f"export {name} --page"):
        say(f"  pocketrcnn {command}", wrap=False)


def resume(
    folder: Path, minutes: float | None, iterations: int | None, device: str = "auto", *, source: Path | None = None
) -> Path:
    """Go on with a run that was interrupted, or train one for longer. source: where its data are now, if they moved."""
    check_length(minutes, iterations)
    keep_memory()
    words = f"resume(minutes={minutes}, iterations={iterations})"
    with joined(device) as group:
        if group.rank:
            return follow(source and source.resolve(), words, device, partial(both, quiet=True))
        return go_on(folder, minutes, iterations, device, source=source, asked=words)


def go_on(
    folder: Path, minutes: float | None, iterations: int | None, device: str, *, source: Path | None = None, asked: str
) -> Path:
    """`resume`, in the first of the processes. asked: the call, to compare it with that of the others."""
    run = open_run(folder, device)
    if not run.resumable:
        raise UserError(f"{folder} is a run of `reproduce`: the same `reproduce` command goes on with it")
    say_other_threads(run)
    before, known = run.config, saved_splits(folder)
    run.config = relocated(before, source)
    moved = f"pocketrcnn resume {shlex.quote(str(folder))} --data FOLDER"
    data = open_by_all(run.config.data, known, asked, moved)
    with for_tensorboard(has_events(folder)), run:
        if source:
            require_same(data, known, folder)
            say_moved(before, run.config)
        sets = both(data, run.config)
        run.config = lengthened(run, data, sets, minutes, iterations)
        if run.metrics() is None:
            require_same(data, known, folder)
        run.extend()
        run.keep_splits(data.split_of)
        fit(*sets, run, conclude=partial(conclude, run, data, sets[1]))
        finish(run, data)
    return folder


def say_other_threads(run: Run) -> None:
    """A line where the run began with another number of threads."""
    began, now = run.environment()["hardware"]["threads"], torch.get_num_threads()
    if began != now:
        exact = f"`--threads {began}` goes on to the bit as it began"
        say(f"the run began with {began} threads, and goes on with {now}, which changes last digits: {exact}")


def lengthened(run: Run, data: CustomData, sets: Sets, minutes: float | None, iterations: int | None) -> Config:
    """The configuration of a run, for another length planned as for a new run.

    It is evaluated on as many images as before, since the best weights are chosen among all evaluations.
    """
    side, before, settings = run.config.model.input_size, run.config.augment, run.config.train
    length = (0.0, iterations) if iterations else (minutes or settings.minutes, settings.iterations)
    if length == (settings.minutes, settings.iterations):
        return run.config
    boxes = sides_and_boxes(data.annotations.split("train"), None if run.config.data.tile_overlap else side)
    fresh = augmentation(boxes, side, before.rotate)
    augment = dataclasses.replace(fresh, flip_vertical=before.flip_vertical)
    budget = 0.0 if iterations else minutes or 0.0
    begun, count = replace(run.config, augment=augment), iterations or total(run, sets, budget)
    config = plan_length(begun, len(sets[0]), count, budget, views(sets[1]))
    config = replace(config, train__evaluation_images=settings.evaluation_images)
    config = config_file.override(config, settings.overrides)
    say(length_reason(config, len(sets[0])))
    return config


def total(run: Run, sets: Sets, minutes: float) -> int:
    """Iterations of a run of so many minutes: those done, and what the time that is left allows at their pace."""
    path = run.folder / CHECKPOINT
    state = load_tensors(path)[1] if path.is_file() else {}
    if not state.get("iteration"):
        config = replace(run.config, train__minutes=minutes)
        return max(1, round(minutes * 60 * TRAINED / seconds_of_an_iteration(config, *sets, run.device)))
    left = max(0.0, minutes * 60 - state["elapsed"])
    return int(state["iteration"] + round(left * TRAINED / (state["seconds"] / state["iteration"])))
