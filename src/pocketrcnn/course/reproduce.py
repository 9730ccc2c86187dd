"""`pocketrcnn reproduce`: every experiment of the course trained, compared with the report, and shown on one page."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import torch

from ..config import Config, replace
from ..data.dataset import Dataset
from ..errors import UserError
from ..terminal import columns, print_table, say
from ..training.device import choose_device
from ..training.files import leftover, remove_leftovers, write_atomically
from ..training.loop import fit
from ..training.machine import environment
from ..training.run import LOCK, Run, encode, parse, saved
from .data.datasets import open_dataset
from .experiments import EXPERIMENTS, RECIPES, Experiment, chosen
from .options import Options
from .report.page import write_report
from .results import record, results, totals

RESULTS, REPORT, RUNS = "results.json", "report.html", "runs"


def reproduce(options: Options) -> Path:
    """Train what is asked and not yet trained, write results.json and report.html, and return the report's path.

    Finished runs of other experiments and recipes in the folder are in both, too: see `others`.
    """
    device, asked = choose_device(options.device), plan(options)
    with workplace(options.out):
        require_same_data(options)
        shelf, kept = Shelf(options), others(options, device)
        for recipe, experiment in asked:
            for seed, config in enumerate(configurations(options, experiment, recipe)):
                trained(config, run_folder(options, experiment, recipe, seed), *shelf.datasets(config), device)
        made = [(recipe, experiment, finished(options, experiment, recipe, device)) for recipe, experiment in asked]
        groups = [group for group in made + kept if group[-1]]
        records = [record(e, recipe, runs, *shelf.datasets(runs[0].config)) for recipe, e, runs in groups]
        facts = {
            "command": options.command,
            "data": options.data,
            "schedule": options.schedule,
            **totals([run for *_, runs in groups for run in runs]),
            **environment(groups[0][-1][0].config, device),
        }
        found = results(records, **facts)
        write_atomically(options.out / RESULTS, encode(found))
        write_report(parse(options.out / RESULTS), options.out / REPORT)  # what is shown is what is on the disk
    show(found)
    return options.out / REPORT


def plan(options: Options) -> list[tuple[str, Experiment]]:
    """What is asked: recipe and experiment."""
    return [(recipe, experiment) for recipe in options.recipes for experiment in chosen(options.only)]


def rest(options: Options) -> list[tuple[str, Experiment]]:
    """Every recipe and experiment that is not asked."""
    asked = plan(options)
    every = [(recipe, experiment) for recipe in RECIPES for experiment in EXPERIMENTS.values()]
    return [one for one in every if one not in asked]


def others(options: Options, device: torch.device) -> list[tuple[str, Experiment, list[Run]]]:
    """What earlier calls finished and this one does not ask for, at the numbers of iterations of this one.

    results.json has one record for an experiment under a recipe, so runs of another schedule wait for a call with it.
    """
    return [(recipe, e, finished(options, e, recipe, device)) for recipe, e in rest(options)]


def finished(options: Options, experiment: Experiment, recipe: str, device: torch.device) -> list[Run]:
    """The finished runs of an experiment, seed by seed from 0; more than are asked where an earlier call made more."""
    runs: list[Run] = []
    while run := finished_run(run_folder(options, experiment, recipe, len(runs)), device):
        runs.append(run)
    return runs


def finished_run(folder: Path, device: torch.device) -> Run | None:
    """The run in a folder with its own settings, None where there is none or where it is not finished."""
    config = saved(folder)
    run = Run(folder, config, device) if config else None
    return run if run and run.metrics() is not None else None


def require_same_data(options: Options) -> None:
    """Raises UserError where the output folder holds results on other data: a report is of one data set."""
    path = options.out / RESULTS
    held = [(path, parse(path).get("data", options.data), options.data)] if path.is_file() else []
    for recipe, experiment in plan(options) + rest(options):
        folder = run_folder(options, experiment, recipe, seed=0)
        if config := saved(folder):
            now = with_backgrounds(options.source_of(experiment), options.backgrounds_of(experiment))
            held.append((folder, with_backgrounds(config.data.source, config.data.backgrounds), now))
    for place, source, now in held:
        if source != now:
            raise UserError(f"{place} is of --data {source}, now it is {now}: choose another folder with --out")


def with_backgrounds(words: str, backgrounds: str) -> str:
    """The words of a command, `--backgrounds` behind them where there are some."""
    return words + (f" --backgrounds {shlex.quote(backgrounds)}" if backgrounds else "")


def configurations(options: Options, experiment: Experiment, recipe: str) -> list[Config]:
    """One configuration a seed."""
    iterations, source = options.iterations_of(experiment), options.source_of(experiment)
    configs = [experiment.config(recipe, iterations, source, seed) for seed in range(options.seeds)]
    changes = {"train__batch": options.batch, "train__checkpoint_seconds": options.checkpoint}
    backgrounds = options.backgrounds_of(experiment)
    return [replace(config, **changes, data__backgrounds=backgrounds) for config in configs]


def run_folder(options: Options, experiment: Experiment, recipe: str, seed: int) -> Path:
    """Where a run lives: its name says what it is, so that other schedules and recipes stand beside it."""
    sample = "-sample" if options.source_of(experiment) == "sample" else ""
    name = f"{experiment.id}-{recipe}-{options.iterations_of(experiment)}{sample}-seed{seed}"
    return options.out / RUNS / name


def trained(config: Config, folder: Path, train: Dataset, test: Dataset, device: torch.device) -> None:
    """Finish the run of a configuration, if it is not finished."""
    with Run(folder, config, device) as run:
        fit(train, test, run)


class Shelf:
    """Data sets, each opened once."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.opened: dict[Any, tuple[Dataset, Dataset]] = {}

    def datasets(self, config: Config) -> tuple[Dataset, Dataset]:
        """Training and test set of a configuration; CIFAR-10 is fetched first if it is not there."""
        if config.data not in self.opened:
            if config.data.source == "cifar10":
                from .data.download import download_cifar10

                download_cifar10()
            self.opened[config.data] = open_dataset(config.data, "train"), open_dataset(config.data, "test")
        return self.opened[config.data]


@contextmanager
def workplace(out: Path) -> Iterator[None]:
    """The output folder, ours alone while we write. Raises UserError when it holds something else or is read-only."""
    ours = {RESULTS, REPORT, RUNS, LOCK}
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out} is a file: choose a folder")
    strange = (
        sorted(p.name for p in out.iterdir() if p.name not in ours and not leftover(p.name)) if out.is_dir() else []
    )
    if strange:
        raise UserError(f"--out {out} holds something else (`{strange[0]}`): choose an empty or a new folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        guard = filelock.FileLock(out / LOCK, timeout=0)
        guard.acquire()
    except filelock.Timeout as error:
        raise UserError(
            f"--out {out} is in use by another `reproduce`: wait for it, or choose another folder"
        ) from error
    except OSError as error:
        raise UserError(f"--out {out} cannot be written ({error.strerror}): choose another folder") from error
    try:
        remove_leftovers(out)
        yield
    finally:
        guard.release()
        (out / LOCK).unlink(missing_ok=True)


def show(found: dict[str, Any]) -> None:
    """The figures beside the published ones, on the terminal."""
    names = "experiment", "recipe", "iterations", "metric", "report", "ours", "", "seconds"
    table = columns(names, ("experiment", "recipe", "metric", ""))
    for row in found["experiments"]:
        table.add_row(*table_row(row))
    print_table(table)
    seconds = sum(row["seconds"]["mean"] * row["seconds"]["n"] for row in found["experiments"])
    peak = found["peak_memory_gb"]
    memory = "" if peak is None else f"peak memory {peak} GB; "
    say(f"training {seconds:.0f} s; {memory}data: {found['data']}")


def table_row(row: dict[str, Any]) -> list[str]:
    """One experiment's cells."""
    published, ours = row["report"], row["metrics"][row["headline"]]
    shown = f"{ours['mean']:.4g}" + (f" ± {ours['std']:.2g} (n={ours['n']})" if ours["n"] > 1 else "")
    verdict = "" if published is None else "beaten" if published["beaten"] else "not beaten"
    value = "" if published is None else f"{published['value']:.4g}"
    cells = (row["id"], row["recipe"], str(row["iterations"]), row["headline"], value, shown, verdict)
    return [*cells, f"{row['seconds']['mean']:.0f}"]
