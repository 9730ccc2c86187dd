"""`pocketrcnn sweep`: the trials that lack, trained one after the other, beside any other process that does the same.

Each is trained by `train` in a folder of its own. Who takes a trial holds a lock that ends with its process; one that a
killed process has begun is the next to be taken, and goes on from its checkpoint.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from ...config import Config, replace
from ...data import files
from ...data.custom_data import CustomData
from ...data.files import LOCK, being_made, is_unfinished, locked, remove_unfinished, require_writable
from ...data.overview import counted
from ...errors import Unavailable, UserError, out_of_memory
from ...model.costs import parameters
from ...screen import print_table, table_of
from ...terminal import say, silent, warn
from ...training.device import choose_device, choose_precision, keep_memory
from ...training.progress import duration
from ...training.run import COPIES, open_run, saved
from ...training.side_by_side import SAME_COMMAND, Job, train_all
from ...training.watchers import require_tensorboard, tell_iteration
from .. import seeds
from .. import train as single
from ..evaluate import without_validation
from ..moved import require_same
from ..plan import learned_classes, widths
from ..reasons import reasons
from ..report.summary import REPORT, write_sweep
from ..run_set import BYTES, is_set, runs_of
from . import record
from .options import SweepOptions
from .record import METRIC, RESULTS, SWEEP, Plan, Trial, is_sweep, read_plan, read_trials, result_file
from .sampling import next_settings, require_optuna, samples
from .space import require_possible, texts, written


@dataclasses.dataclass(frozen=True)
class Given:
    """What whoever trains a trial knows. iterations: of its runs together, as planned without its settings."""

    folder: Path
    options: SweepOptions
    iterations: int


def sweep(options: SweepOptions) -> Path:
    """Train the trials that lack, and compare all; returns the folder of the sweep.

    Raises UserError for what cannot be tried, and for the folder of another sweep; Interrupted after Ctrl-C or SIGTERM.
    """
    keep_memory()
    device, folder = choose_device(options.device), options.out or usual_folder(options.data)
    if samples(options):
        require_optuna()
    if options.tensorboard:
        require_tensorboard()
    plan = require_place(folder, options)
    data = single.checked(options, plan.splits if plan else None)
    require_measured(data, options)
    base = planned(options, plan, data, device)
    given = Given(folder, options, base.train.iterations * (options.seeds or 1))
    left = begin(given, plan, base, data)
    workers = 1 if not options.iterations or not left else workers_for(given, base, data, device, left)
    jobs = [Job(f"one of the trials in {folder}", "", given.iterations, given)] * left
    train_all(work, jobs, workers, SAME_COMMAND, noun="trials", silent=True)
    show(folder)
    return folder


def usual_folder(data: Path) -> Path:
    """Where a sweep without --out is: always in the same place, so that the same command goes on there."""
    run = single.usual_folder(data)
    return run.with_name(f"{run.name}-sweep")


def require_place(folder: Path, options: SweepOptions) -> Plan | None:
    """The plan of the sweep that is there, None where there is none. Raises UserError where it is of another one, or
    where no sweep can begin."""
    if is_sweep(folder):
        plan = read_plan(folder)
        before, now = record.read_options(folder, plan).identity, options.identity
        remedy = "use the same, or choose another folder with --out"
        if before != now:
            raise UserError(f"{folder} was started as {before}, now it is {now}: {remedy}")
        return plan
    if folder.exists() and not (
        folder.is_dir() and all(path.name == LOCK or is_unfinished(path.name) for path in folder.iterdir())
    ):
        raise UserError(f"{folder} holds something else than a sweep: choose another folder with --out")
    require_writable(folder)
    return None


def require_measured(data: CustomData, options: SweepOptions) -> None:
    """Raises UserError where there are no validation images to choose by: test images are never used for that."""
    if "val" not in data.splits or without_validation(data):
        remedy = "add some, or move some of the training images into a split `val`"
        raise UserError(f"{options.data} has no validation image with an object, and a sweep chooses by them: {remedy}")


def planned(options: SweepOptions, plan: Plan | None, data: CustomData, device: torch.device) -> Config:
    """What `train` would plan without the settings that vary, with the reasons; they are checked here."""
    known = {"preset": plan.preset, "precision": plan.precision} if plan else {}
    options_of_all = options.trial((), **known)
    config, sets, _ = single.prepared(options_of_all, data, device)
    require_possible(options.settings, config)
    for reason in reasons(config, data.annotations, len(sets[0]), ""):
        say(reason)
    return replace(config, train__precision=choose_precision(config.train.precision, device))


def preset_of(options: SweepOptions, config: Config, data: CustomData) -> str:
    """The size of the network of a planned configuration, by its name."""
    if options.preset != "auto":
        return options.preset
    sizes = widths(learned_classes(data.annotations))
    return next(name for name, width in sizes.items() if width == config.model.backbone.width)


def begin(given: Given, plan: Plan | None, base: Config, data: CustomData) -> int:
    """Write down what the sweep is, or compare its data with those of before; says how long it will take. Returns how
    many trials are not finished."""
    folder, options = given.folder, given.options
    if plan:
        require_same(data, plan.splits, folder, "restore them")
    done = sum(trial.state != "begun" for trial in read_trials(folder, plan)) if plan else 0
    left = max(0, options.planned - done)
    needed = left * (options.seeds or 1) * parameters(base.model) * BYTES * COPIES
    files.require_room(folder, needed, f"{counted(left, 'trial')}: the runs take about", "make room, or use fewer")
    with locked(folder / LOCK, wait=-1, keep=True):
        if is_sweep(folder):  # another process may have been faster
            there = require_place(folder, options)
            assert there is not None, "it is there"
            plan = dataclasses.replace(there, options=options.saved())
        else:
            command = options.command or options.call
            made = preset_of(options, base, data), base.train.precision, data.split_of
            plan = record.new_plan(options, command, *made)
        (folder / RESULTS).mkdir(exist_ok=True)
        record.write(folder / SWEEP, dataclasses.asdict(plan))
    say(what_is_ahead(options, left))
    return left


def what_is_ahead(options: SweepOptions, left: int) -> str:
    """How many trials of which length lie ahead, in a line."""
    runs = options.seeds or 1
    length = f"{options.budget:g} min" if options.budget else f"{options.iterations:,} iterations"
    each = f"{counted(runs, 'run')} of {length}" if runs > 1 else length
    done = f", {left} of them to do" if left < options.planned else ""
    total = f": {duration(left * runs * options.budget * 60)} in one process" if options.budget and left else ""
    return f"{counted(options.planned, 'trial')} of {each}{done}{total}"


def workers_for(given: Given, base: Config, data: CustomData, device: torch.device, left: int) -> int:
    """How many trials are trained at a time."""
    one = seeds.Given(given.folder, base, data, device.type, "", 0.0, False)
    return seeds.choose([one] * left, given.options.workers, device)


def work(given: Given) -> Trial | None:
    """Train the next trial that nobody works on, begun or gone on with; None where there is none.

    A trial that cannot be trained has failed, which is said, and the sweep goes on. Raises what is not its fault:
    Interrupted, and Unavailable or OSError for a disk or a folder that cannot be used now.
    """
    with next_trial(given) as (trial, plan):
        if trial is None:
            return None
        begun, ended = time.perf_counter(), trial
        try:
            with silent():
                train(given, plan, trial)
            ended = finished(trial, given.folder)
        except (UserError, MemoryError, RuntimeError) as error:
            if not is_its_own(error):
                raise
            ended = dataclasses.replace(trial, state="failed", reason=" ".join(str(error).split()))
            ended = dataclasses.replace(ended, seconds=time.perf_counter() - begun)
        record.write(result_file(given.folder, trial), dataclasses.asdict(ended))
    tell(ended)
    with locked(given.folder / LOCK, wait=-1, keep=True):
        record.write_tables(given.folder)
    return ended


@contextmanager
def next_trial(given: Given) -> Iterator[tuple[Trial | None, Plan]]:
    """The next trial, this process's alone in the block: first one that was begun and is not finished."""
    with ExitStack() as held:
        with locked(given.folder / LOCK, wait=-1, keep=True):
            plan = read_plan(given.folder)
            trials = read_trials(given.folder, plan)

            def is_ours(trial: Trial) -> bool:
                return held.enter_context(being_made(result_file(given.folder, trial)))

            mine = next((trial for trial in trials if trial.state == "begun" and is_ours(trial)), None)
            if mine is None and (settings := next_settings(given.options, trials)) is not None:
                mine = Trial(len(trials), settings)
                assert is_ours(mine), "nobody knows of it"
                plan = dataclasses.replace(plan, trials=[*plan.trials, settings])
                record.write(given.folder / SWEEP, dataclasses.asdict(plan))
        yield mine, plan


def train(given: Given, plan: Plan, trial: Trial) -> None:
    """The run or the set of a trial, begun or gone on with."""
    folder, options = given.folder / trial.name, given.options
    if saved(folder) or is_set(folder):
        seeds.resume(folder, None, None, options.device)
        return
    if options.seeds:
        tell_iteration(0, given.iterations)
    known = {"preset": plan.preset, "precision": plan.precision, "out": folder}
    seeds.train(options.trial((*options.space.fixed, *texts(trial.settings)), **known))


def finished(trial: Trial, folder: Path) -> Trial:
    """A trial whose runs are finished, with their metrics on validation images, and the time that they took."""
    known = {run.name: open_run(run, "cpu").metrics() or {} for run in runs_of(folder / trial.name)}
    runs = {name: {metric: row["metrics"].get(metric) for metric in record.METRICS} for name, row in known.items()}
    seconds = sum(row.get("elapsed", row["seconds"]) for row in known.values())
    return dataclasses.replace(trial, state="finished", runs=runs, seconds=seconds)


def is_its_own(error: BaseException) -> bool:
    """Whether a trial failed by what it tries; else the disk, another program or the data are in the way."""
    if not isinstance(error, UserError):
        return out_of_memory(error)
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__
    return not any(isinstance(one, Unavailable | OSError) for one in causes)


def tell(trial: Trial) -> None:
    """A line on a trial that has ended."""
    if trial.state == "failed":
        warn(f"{trial.title} failed: {trial.reason}")
    else:
        many = f" (n={len(trial.runs)})" if len(trial.runs) > 1 else ""
        say(f"{trial.title}: {METRIC} {trial.in_words()}, AP50 {trial.in_words('AP50')}{many}")


def outcome(trial: Trial) -> str:
    """The last cell of a trial: AP50, or that it failed."""
    return trial.in_words("AP50") if trial.state == "finished" else trial.state


def show(folder: Path) -> None:
    """All trials, the best one, the page, and what to do next."""
    with locked(folder / LOCK, wait=-1, keep=True):
        content = record.write_tables(folder)
        page = write_sweep(folder, folder / REPORT)
        trials = read_trials(folder, read_plan(folder))
        ended = [trial for trial in trials if trial.state != "begun"]
        if len(ended) == len(trials):  # nobody works on one
            remove_unfinished(folder / RESULTS)
    ranked = sorted(ended, key=lambda trial: -1.0 if trial.mean is None else trial.mean, reverse=True)
    names = list(content["varied"])
    rows = [[one.name, *map(written, one.settings.values()), one.in_words(), outcome(one)] for one in ranked]
    print_table(table_of(["trial", *(f"#{name}" for name in names), f"#{METRIC}", "#AP50"], rows))
    if lack := content["planned"] - len(ended):
        say(f"{counted(lack, 'trial')} not finished: others work on them, or the same command goes on")
    say(f"report: {page}")
    say(f"sweep: {folder}")
    if (best := record.best_of(trials)) is not None:
        say(f"best by validation images: {best.title}, {METRIC} {best.in_words()}")
        say("next, train it for longer:")
        say(f"  {content['longer']}", wrap=False)
        say("or use it as it is:")
        single.say_commands(folder)
