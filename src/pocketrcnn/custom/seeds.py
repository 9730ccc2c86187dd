"""`train --seeds`: runs that differ in the seed alone, in one folder, with a page that compares them.

What they have in common is planned once. `train` and `resume` here do a single run as well.
"""

from __future__ import annotations

import dataclasses
import shlex
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from ..config import Config, replace
from ..data.custom_data import CustomData, open_custom_data
from ..data.files import LOCK, locked
from ..errors import UserError, require
from ..evaluation.tables import number
from ..terminal import say, tracked
from ..training import config_file
from ..training.device import choose_device, choose_precision, keep_memory
from ..training.fit import fit
from ..training.launch import require_one_process
from ..training.loop import Trainer
from ..training.run import ELSEWHERE, Run, open_run, saved
from ..training.side_by_side import WORTH_TIMING, Job, Steps, choose_workers, train_all
from ..training.watchers import for_tensorboard, has_events, require_tensorboard
from . import train as single
from .evaluate import conclude, held_out
from .moved import relocated, require_same, say_moved
from .options import TrainOptions, check_length
from .report.summary import REPORT, write_comparison, write_run_report
from .run_set import Plan, best_run, is_set, keep, load, require_place, require_room
from .sweep.record import is_sweep


@dataclasses.dataclass(frozen=True)
class Given:
    """A run of a set, as its process gets it."""

    folder: Path
    config: Config
    data: CustomData
    device: str
    command: str
    spent: float
    tensorboard: bool


def train(options: TrainOptions) -> Path:
    """Train a run, or with `seeds` a set of them; returns its folder."""
    if options.seeds is None:
        return single.train(options)
    require_one_process("--seeds")
    begun = time.perf_counter()
    keep_memory()
    device = choose_device(options.device)
    if options.tensorboard:
        require_tensorboard()
    if options.out:
        require_place(options.out)
    with single.folder_of(options) as folder:
        train_set(options, folder, device, begun)
    return folder


def train_set(options: TrainOptions, folder: Path, device: torch.device, begun: float) -> None:
    """Plan a set of runs, or go on with it, and train what is not yet trained. begun: by the clock, for the budget."""
    assert options.seeds is not None, "a single run is no set"
    plan = load(folder) if is_set(folder) else None
    if plan and plan.asked != asked(options):
        remedy = "use the same, or choose another folder with --out"
        raise UserError(f"{folder} was started as {plan.asked}, now it is {asked(options)}: {remedy}")
    data = single.checked(options, plan.splits if plan else None)
    if plan is None:
        config, _ = single.planned(options, data, device)
        config = replace(config, train__precision=choose_precision(config.train.precision, device))
        spent = time.perf_counter() - begun
        command = options.command or options.call
        plan = Plan(config_file.saved(config), 0, asked(options), command, data.split_of, spent)
    plan = dataclasses.replace(plan, seeds=options.seeds)
    require_room(folder, plan)
    with locked(folder / LOCK):
        keep(folder, plan)
        train_runs(folder, plan, data, device, options.workers, tensorboard=options.tensorboard)


def resume(
    folder: Path,
    minutes: float | None,
    iterations: int | None,
    device: str = "auto",
    workers: int | None = None,
    *,
    source: Path | None = None,
) -> Path:
    """Go on with an interrupted run or with all runs of a set, or train them for longer. source: where the data are
    now, if they moved."""
    require(workers is None or workers >= 1, f"--workers {workers}: use 1 or more")
    require(not is_sweep(folder), f"{folder} is a sweep: the same `pocketrcnn sweep` goes on with it, or name a trial")
    if not is_set(folder):
        require(workers is None, f"--workers {workers}: leave it out, {folder} is not the folder of a set of --seeds")
        return single.resume(folder, minutes, iterations, device, source=source)
    require_one_process(f"{folder}, a set of --seeds,")
    check_length(minutes, iterations)
    keep_memory()
    chosen, plan = choose_device(device), load(folder)
    timed = not iterations and (minutes or plan.config["train"]["minutes"])
    require(workers is None or not timed, f"--workers {workers}: leave it out, runs of minutes have the whole machine")
    with locked(folder / LOCK, another=ELSEWHERE):
        name, config = next(iter(plan.configs().items()))
        config = relocated(config, source)
        data = open_custom_data(config.data, plan.splits, f"pocketrcnn resume {shlex.quote(str(folder))} --data FOLDER")
        if source:
            require_same(data, plan.splits, folder)
            plan = move_set(folder, plan, source)
        first = open_run(folder / name, device) if saved(folder / name) else Run(folder / name, config, chosen)
        sets = single.both(data, config)
        if minutes or iterations:
            config = single.lengthened(first, data, sets, minutes, iterations)
            plan = dataclasses.replace(plan, config=config_file.saved(config))
            require_room(folder, plan)
            keep(folder, plan)
        train_runs(folder, plan, data, chosen, workers)
    return folder


def move_set(folder: Path, plan: Plan, source: Path) -> Plan:
    """Write down, for a set and each of its runs, where the data are now."""
    for path in [folder / name for name in plan.configs() if saved(folder / name)]:
        with open_run(path, "cpu") as run:
            run.config = relocated(run.config, source)
            run.extend()
    config = next(iter(plan.configs().values()))
    say_moved(config, relocated(config, source))
    moved = dataclasses.replace(plan, config=config_file.saved(relocated(config, source)))
    keep(folder, moved)
    return moved


def train_runs(
    folder: Path, plan: Plan, data: CustomData, device: torch.device, workers: int | None, *, tensorboard: bool = False
) -> None:
    """Train what is not yet trained, and compare all runs."""
    common = data, device.type, plan.command, plan.spent, tensorboard
    given = [Given(folder / name, config, *common) for name, config in plan.configs().items()]
    left = [one for one in given if not is_finished(one)]
    if left:
        require_same(data, plan.splits, folder)
    minutes = given[0].config.train.minutes
    if minutes and len(left) > 1:
        say(f"{len(left)} runs of {minutes:g} min one after the other: each has the whole machine for its time")
    jobs = [Job(one.folder.name, "", one.config.train.iterations, one) for one in left]
    count = 1 if minutes or not left else choose(given, workers, device)
    train_all(train_one, jobs, count, f"`pocketrcnn resume {folder}` goes on from here")
    for one in tracked([one for one in given if one in left or not (one.folder / REPORT).is_file()], "reports"):
        write_run_report(open_run(one.folder, one.device), data)
    show(folder, [one.folder for one in given], held_out(data))


def train_one(given: Given) -> None:
    """One run of a set, begun or gone on with; where the set has another length now, that is the run's, too."""
    device, before = choose_device(given.device), saved(given.folder)
    watched = for_tensorboard(given.tensorboard or has_events(given.folder))
    with watched, Run(given.folder, before or given.config, device, given.command) as run:
        if before:
            run.config = given.config
            run.extend()
        run.keep_splits(given.data.split_of)
        sets = single.both(given.data, run.config, quiet=True)
        spent = 0.0 if run.checkpoint() else given.spent
        fit(*sets, run, spent, partial(conclude, run, given.data, sets[1]))


def is_finished(given: Given) -> bool:
    """Whether a run is trained as it should be."""
    return (
        saved(given.folder) == given.config
        and Run(given.folder, given.config, torch.device("cpu")).metrics() is not None
    )


def choose(runs: Sequence[Given], workers: int | None, device: torch.device) -> int:
    """How many of the runs are trained at a time. All of a set count, so that one that goes on later has the same
    number of threads, and ends in the same bytes."""
    if workers is None and sum(one.config.train.iterations for one in runs) < WORTH_TIMING:
        return 1
    config = runs[0].config
    width, batch, precision = config.model.backbone.width, config.train.batch, config.train.precision
    name = f"{width:g} times the channels, {batch} images of {config.model.input_size} px, {precision}"
    return choose_workers(workers, len(runs), device, name, Steps(prepare, runs[0]))


def prepare(given: Given) -> Callable[[], None]:
    """Iterations of a run, to time them."""
    sets = single.both(given.data, given.config, quiet=True)
    return Trainer(given.config, *sets, choose_device(given.device)).step


def show(folder: Path, runs: Sequence[Path], split: str) -> None:
    """Metrics of each run, mean and spread of all, the best run, the page, and what to do next."""
    opened = [open_run(run, "cpu") for run in runs]
    metrics = [(run.metrics() or {})["metrics"] for run in opened]
    for run, row in zip(runs, metrics, strict=True):
        say(f"{run.name}: AP50 {number(row['AP50'])}, AP {number(row['AP'])}")
    if len(runs) > 1:
        means = ", ".join(f"{name} {spread([row[name] for row in metrics])}" for name in ("AP50", "AP"))
        say(f"mean ± standard deviation on {split} images: {means} (n={len(runs)})")
    best = best_run(folder)
    say(f"report: {write_comparison(opened, folder / REPORT, ELSEWHERE)}")
    say(f"runs: {folder}")
    say(f"next, with the best run, {best.name}:")
    single.say_commands(folder)


def spread(values: Sequence[float | None]) -> str:
    """Mean ± standard deviation of two values or more; n/a where one is missing."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return number(None)
    return f"{number(statistics.fmean(known))} ± {number(statistics.stdev(known))}"


def asked(options: TrainOptions) -> str:
    """The options as a call, without those that may change from call to call."""
    there = dataclasses.replace(options, data=options.data.resolve())
    return there.call_without("seeds", "workers", "out", "device", "tensorboard", "threads")
