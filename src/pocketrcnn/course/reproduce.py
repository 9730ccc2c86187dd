"""`pocketrcnn reproduce`: every experiment of the course trained, compared with the report, and shown on one page."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
import torch

from ..config import Config, DataConfig, replace
from ..data.dataset import Dataset
from ..data.files import LOCK, is_unfinished, locked, write_atomically
from ..errors import UserError
from ..terminal import print_table, say, table_of
from ..training.device import choose_device
from ..training.fit import fit
from ..training.machine import environment
from ..training.run import Run, encode, parse, saved
from ..version import __version__
from .data.datasets import open_dataset
from .experiments import EXPERIMENTS, RECIPES, Experiment, chosen
from .options import Options
from .report.page import write_report
from .report.records import Record, Results
from .results import data_option, record, totals

RESULTS, REPORT, RUNS = "results.json", "report.html", "runs"
Line = tuple[str, Experiment]  # of results.json: a recipe and an experiment


def reproduce(options: Options) -> Path:
    """Train what the options name and is not yet trained, write results.json and report.html; returns its path.

    Finished runs of other experiments and recipes in the folder are in both, too, with as many iterations as this call
    has: results.json has one record for an experiment under a recipe, so other schedules wait for a call with them.
    """
    device, (named, others) = choose_device(options.device), plan(options)
    with workplace(options.out):
        require_same_data(options, named + others)
        opened = cache(datasets)
        kept = [(recipe, e, finished(options, e, recipe, device)) for recipe, e in others]
        for recipe, experiment in named:
            for seed, config in enumerate(configurations(options, experiment, recipe)):
                sets = opened(config.data)  # first, so that data that cannot be read leave no folder of a run
                with Run(run_folder(options, experiment, recipe, seed), config, device) as run:
                    fit(*sets, run)
        new = [(recipe, experiment, finished(options, experiment, recipe, device)) for recipe, experiment in named]
        groups = [group for group in new + kept if group[-1]]
        records = [record(e, recipe, runs, *opened(runs[0].config.data)) for recipe, e, runs in groups]
        made = Results(
            version=__version__,
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            records=records,
            command=options.command,
            data=options.data,
            schedule=options.schedule,
            **totals([run for *_, runs in groups for run in runs]),
            **environment(groups[0][-1][0].config, device),
        )
        write_atomically(options.out / RESULTS, encode(msgspec.to_builtins(made)))
        write_report(parse(options.out / RESULTS), options.out / REPORT)  # what is shown is what is on the disk
    show(made)
    return options.out / REPORT


def plan(options: Options) -> tuple[list[Line], list[Line]]:
    """The lines of results.json that the options name, and all others."""
    recipes = list(RECIPES) if options.recipe == "both" else [options.recipe]
    named = [(recipe, experiment) for recipe in recipes for experiment in chosen(options.only)]
    every = [(recipe, experiment) for recipe in RECIPES for experiment in EXPERIMENTS.values()]
    return named, [line for line in every if line not in named]


def finished(options: Options, experiment: Experiment, recipe: str, device: torch.device) -> list[Run]:
    """The finished runs of an experiment with their settings, seed by seed from 0, also those of earlier calls."""
    runs: list[Run] = []
    while config := saved(folder := run_folder(options, experiment, recipe, len(runs))):
        run = Run(folder, config, device)
        if run.metrics() is None:
            break
        runs.append(run)
    return runs


def require_same_data(options: Options, lines: list[Line]) -> None:
    """Raises UserError where the output folder holds results on other data: a report is of one data set."""
    path = options.out / RESULTS
    held = [(path, parse(path).get("data", options.data), options.data)] if path.is_file() else []
    for recipe, experiment in lines:
        folder = run_folder(options, experiment, recipe, seed=0)
        if config := saved(folder):
            held.append((folder, config.data.source, options.source_of(experiment)))
    for path, source, now in held:
        if source != now:
            theirs, ours = map(data_option, (source, now))
            raise UserError(f"{path} is of --data {theirs}, now it is {ours}: choose another folder with --out")


def configurations(options: Options, experiment: Experiment, recipe: str) -> list[Config]:
    """One configuration a seed."""
    iterations, source = options.iterations_of(experiment), options.source_of(experiment)
    changes = {"train__batch": options.batch, "train__checkpoint_seconds": options.checkpoint}
    return [replace(experiment.config(recipe, iterations, source, seed), **changes) for seed in range(options.seeds)]


def run_folder(options: Options, experiment: Experiment, recipe: str, seed: int) -> Path:
    """Where a run lives: its name says what it is, so that other schedules and recipes stand beside it."""
    sample = "-sample" if options.data == "sample" else ""
    name = f"{experiment.id}-{recipe}-{options.iterations_of(experiment)}{sample}-seed{seed}"
    return options.out / RUNS / name


def datasets(config: DataConfig) -> tuple[Dataset, Dataset]:
    """Training and test set; CIFAR-10 is fetched first if it is not there."""
    if config.parts[0] == "cifar10":
        from .data.download import download_cifar10

        download_cifar10()
    return open_dataset(config, "train"), open_dataset(config, "test")


@contextmanager
def workplace(out: Path) -> Iterator[None]:
    """The output folder, ours alone while we write. Raises UserError when it holds something else or is read-only."""
    ours = {RESULTS, REPORT, RUNS, LOCK}
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out} is a file: choose a folder")
    names = [path.name for path in out.iterdir()] if out.is_dir() else []
    if strange := sorted(name for name in names if name not in ours and not is_unfinished(name)):
        raise UserError(f"--out {out} holds something else (`{strange[0]}`): choose an empty or a new folder")
    with locked(out / LOCK):
        yield


def show(made: Results) -> None:
    """The metrics beside the published ones, on the terminal."""
    columns = "experiment", "recipe", "#iterations", "metric", "#report", "#ours", "", "#seconds"
    print_table(table_of(columns, map(table_row, made.records)))
    seconds = sum(row.seconds.mean * row.seconds.n for row in made.records)
    memory = "" if made.peak_memory_gb is None else f"peak memory {made.peak_memory_gb} GB; "
    say(f"training {seconds:.0f} s; {memory}data: {made.data}")


def table_row(row: Record) -> list[str]:
    """One experiment's cells."""
    published, ours = row.published, row.value
    shown = f"{ours.mean:.4g}" + (f" ± {ours.std:.2g} (n={ours.n})" if ours.n > 1 else "")
    verdict = "" if published is None else "beaten" if published.beaten else "not beaten"
    value = "" if published is None else f"{published.value:.4g}"
    cells = (row.id, row.recipe, str(row.iterations), row.headline, value, shown, verdict)
    return [*cells, f"{row.seconds.mean:.0f}"]
