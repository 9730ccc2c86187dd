"""`pocketrcnn train`: from a folder of annotated images to a finished run."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import statistics
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from ..config import Config, DataConfig, TrainConfig, replace
from ..data.custom_data import CustomData, open_custom_data
from ..data.dataset import Dataset
from ..data.files import first_free, require_writable
from ..data.folders import Folder
from ..data.overview import render
from ..errors import UserError
from ..terminal import say
from ..training import config_file
from ..training.checkpoint import load_tensors
from ..training.device import choose_device, keep_memory
from ..training.fit import fit
from ..training.loop import Trainer
from ..training.run import CHECKPOINT, Run, open_run, require_place, saved_splits
from .anchors import Anchors, sides_and_boxes
from .evaluate import conclude, held_out, show_evaluation
from .plan import PRESETS, STEP, Plan, augmentation, for_passes, plan
from .report.summary import evaluation, write_run_report

ENOUGH = 200  # iterations: a larger network than allows so many in the time learns less than a smaller one
TIMED = 4  # iterations before the run that tell how fast it will be, fewer where they take long
PART_FOR_TIMING = 0.01  # of the minutes, for each network that is tried
POINTS_A_MINUTE, FEWEST_POINTS, MOST_POINTS = 0.8, 3, 12  # evaluations on validation data
JUDGED, FEWEST_JUDGED = 0.05, 50  # images judged on the way, as a part of those trained on; and at each point
DEFAULT_MINUTES = 5.0
SEEDS = 2**32
RUNS = Path("runs")  # where runs are made that are not told where


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    data: Path
    minutes: float | None = None
    iterations: int | None = None
    preset: str = "auto"
    out: Path | None = None
    seed: int = 0
    anchors: Anchors | None = None
    size: int | None = None
    batch: int | None = None
    patience: int = 0
    turn: bool = False
    device: str = "auto"
    voc_origin: int = 0
    settings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_length(self.minutes, self.iterations)
        if self.preset not in ("auto", *PRESETS):
            raise UserError(f"--preset {self.preset}: use auto, {', '.join(PRESETS)}")
        if not 0 <= self.seed < SEEDS:
            raise UserError(f"--seed {self.seed}: use a number from 0 to {SEEDS - 1}")
        if self.size is not None and (self.size < STEP or self.size % STEP):
            raise UserError(f"--size {self.size}: use a multiple of {STEP} pixels")
        if self.batch is not None and self.batch < 2:
            raise UserError(f"--batch {self.batch}: use 2 or more images, BatchNorm needs them")
        if self.patience < 0:
            raise UserError(f"--patience {self.patience}: use 0 (never end early) or more evaluations")

    @property
    def budget(self) -> float:
        """Minutes; 0 where the number of iterations decides."""
        return 0.0 if self.iterations else self.minutes or DEFAULT_MINUTES


def check_length(minutes: float | None, iterations: int | None) -> None:
    """Raises UserError for a length of training that is impossible, or given twice."""
    if minutes is not None and iterations is not None:
        raise UserError("--minutes and --iterations both say how long to train: leave out one of them")
    if minutes is not None and not 0 < minutes < math.inf:
        raise UserError(f"--minutes {minutes:g}: use a time above 0")
    if iterations is not None and iterations < 1:
        raise UserError(f"--iterations {iterations}: use 1 or more")


def train(options: Options) -> Path:
    """Check, plan, train, evaluate on validation data; returns the run's folder."""
    begun = time.perf_counter()
    keep_memory()
    device = choose_device(options.device)
    if options.out:
        require_place(options.out)
    else:
        require_writable(RUNS)
    data = DataConfig(str(options.data.resolve()), "folder", voc_origin=options.voc_origin, seed=options.seed)
    own = open_custom_data(data, saved_splits(options.out) if options.out else None)
    render(own.report)
    chosen, sets = prepared(options, own, device)
    config = replace(chosen.config, data__source=data.source, data__voc_origin=data.voc_origin, data__seed=data.seed)
    for reason in chosen.reasons:
        say(reason)
    name = Path(os.path.abspath(options.data)).name  # of a link, as it is called here
    folder = options.out or first_free(RUNS / re.sub(r"\s+", "-", name))
    with Run(folder, config, device) as run:
        run.keep_splits(own.split_of)
        fit(*sets, run, time.perf_counter() - begun, partial(conclude, run, own, sets[1]))
        finish(run, own)
    return folder


def prepared(options: Options, own: CustomData, device: torch.device) -> tuple[Plan, tuple[Folder, Folder]]:
    """The plan, with as many iterations as the time allows, and the training and validation images."""
    presets = list(PRESETS) if options.preset == "auto" else [options.preset]
    chosen, sets, in_time = Plan(Config(), ()), None, ""
    for preset in reversed(presets):  # the largest first
        chosen = plan(own.annotations, preset, options.anchors, options.size, options.turn)
        config = with_options(chosen.config, options)
        sets = sets or both(own, config)
        iterations = config.train.iterations
        if not options.budget:
            break
        pace = seconds_of_an_iteration(config, *sets, device)
        iterations = max(1, affordable(options.budget * 60, pace))
        in_time = f" in {options.budget:g} min, {pace:.2f} s each"
        if iterations >= ENOUGH:
            break
    speed = f"{iterations} iterations of {config.train.batch} images{in_time}"
    assert sets is not None, "there is at least one preset"
    chosen = dataclasses.replace(chosen, reasons=(*chosen.reasons, speed))
    return scheduled(chosen, options, iterations, len(sets[0])), sets


def affordable(seconds: float, pace: float) -> int:
    """Iterations of `pace` seconds in so many seconds, a part of which goes into evaluation."""
    return round(seconds * 0.95 / pace)


def scheduled(chosen: Plan, options: Options, iterations: int, images: int) -> Plan:
    """The plan for so many iterations on so many images: what it augments follows from the passes over them."""
    passes = iterations * with_options(chosen.config, options).train.batch / images
    chosen = for_passes(chosen, passes)
    config = replace(with_options(chosen.config, options), train__iterations=iterations)
    share = JUDGED * iterations * config.train.batch / config.train.evaluations
    images = min(config.train.evaluation_images, max(FEWEST_JUDGED, round(share)))
    return dataclasses.replace(chosen, config=replace(config, train__evaluation_images=images))


def with_options(config: Config, options: Options) -> Config:
    """The planned configuration with what the command line says."""
    points = (
        min(MOST_POINTS, max(FEWEST_POINTS, round(options.budget * POINTS_A_MINUTE))) if options.budget else MOST_POINTS
    )
    config = replace(
        config,
        train__seed=options.seed,
        train__minutes=options.budget,
        train__patience=options.patience,
        train__batch=options.batch or config.train.batch,
        train__evaluations=points,
        train__overrides=options.settings,
    )
    config = replace(config, train__iterations=options.iterations) if options.iterations else config
    return config_file.override(config, options.settings)


def both(own: CustomData, config: Config) -> tuple[Folder, Folder]:
    """Training and validation images; where there is a single image, it is both."""
    side, held = config.model.input_size, held_out(own)
    if held == "train":
        say("no validation images: the training images take their place, and the figures are too good")
    found = own.folder("train", side), own.folder(held, side)
    for folder in found:
        for fault in folder.skipped:
            say(f"left out: {fault}")
    return found


def seconds_of_an_iteration(config: Config, train: Dataset, val: Dataset, device: torch.device) -> float:
    """Seconds that a training iteration takes, the median of a few."""
    trainer, times = Trainer(config, train, val, device), list[float]()
    trainer.step()  # the first one is slower
    while len(times) < TIMED and sum(times) <= config.train.minutes * 60 * PART_FOR_TIMING:
        begun = time.perf_counter()
        trainer.step()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def finish(run: Run, own: CustomData) -> None:
    """Show what a finished run can do, on validation data, and make its report."""
    show_evaluation(evaluation(run.folder, held_out(own)))
    say(f"report: {write_run_report(run, own)}")


def resume(folder: Path, minutes: float | None, iterations: int | None, device: str = "auto") -> Path:
    """Go on with a run that was interrupted, or train one for longer."""
    check_length(minutes, iterations)
    keep_memory()
    run = open_run(folder, device)
    if not run.resumable:
        raise UserError(f"{folder} is a run of `reproduce`: the same `reproduce` command goes on with it")
    own = open_custom_data(run.config.data, saved_splits(folder))
    with run:
        sets = both(own, run.config)
        if other_length(run.config.train, minutes, iterations):
            run.config = lengthened(run, own, sets, minutes, iterations)
        run.extend()
        run.keep_splits(own.split_of)
        fit(*sets, run, conclude=partial(conclude, run, own, sets[1]))
        finish(run, own)
    return folder


def other_length(settings: TrainConfig, minutes: float | None, iterations: int | None) -> bool:
    """Whether another time or number of iterations is asked than a run has."""
    asked = (0.0, iterations) if iterations else (minutes or settings.minutes, settings.iterations)
    return asked != (settings.minutes, settings.iterations)


def lengthened(
    run: Run, own: CustomData, sets: tuple[Folder, Folder], minutes: float | None, iterations: int | None
) -> Config:
    """The configuration of a run for another length: what follows from the length is planned as for a new run.

    Its points are judged on as many images as before, since the best one is found among all.
    """
    config, settings = run.config, run.config.train
    options = Options(
        Path(own.source),
        minutes,
        iterations,
        seed=settings.seed,
        batch=settings.batch,
        patience=settings.patience,
        settings=settings.overrides,
    )
    side, before = config.model.input_size, config.augment
    fresh = augmentation(sides_and_boxes(own.annotations.split("train"), side), side, before.rotate)
    augment = dataclasses.replace(fresh, flip_vertical=before.flip_vertical)
    begun = Plan(replace(config, augment=augment), ())
    found = scheduled(begun, options, iterations or total(run, sets, options.budget), len(sets[0]))
    for reason in found.reasons:
        say(reason)
    return replace(found.config, train__evaluation_images=settings.evaluation_images)


def total(run: Run, sets: tuple[Folder, Folder], minutes: float) -> int:
    """Iterations of a run of so many minutes: those done, and what the time that is left allows at their pace."""
    path = run.folder / CHECKPOINT
    facts = load_tensors(path)[1] if path.is_file() else {}
    if not facts.get("iteration"):
        config = replace(run.config, train__minutes=minutes)
        return max(1, affordable(minutes * 60, seconds_of_an_iteration(config, *sets, run.device)))
    left = max(0.0, minutes * 60 - facts["elapsed"])
    return int(facts["iteration"]) + affordable(left, facts["seconds"] / facts["iteration"])
