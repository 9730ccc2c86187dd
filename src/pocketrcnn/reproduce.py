"""`pocketrcnn reproduce`: every experiment of the course trained, compared with the report, and shown on one page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import torch
from rich.table import Table

from .config import Config, replace
from .data import Dataset, open_dataset
from .data.datasets import SOURCES
from .engine import fit
from .environment import choose_device, environment, peak_memory_gb
from .errors import UserError, nearest
from .experiments import FULL, NETWORKS, RECIPES, Experiment, chosen
from .files import write_atomically
from .report import write_report
from .results import record, results
from .runs import LOCK, Run, encode, leftover, parse, remove_leftovers
from .show import print_table, say

RESULTS, REPORT, RUNS = "results.json", "report.html", "runs"


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    full: bool = False
    recipe: str = "pocket"
    only: str = ""
    seeds: int = 1
    iterations: int | None = None
    batch: int = 100
    checkpoint: float = 20.0
    device: str = "auto"
    data: str = "cifar10"
    out: Path = Path("reproduction")
    command: str = "pocketrcnn reproduce"

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UserError(f"--seeds {self.seeds}: use 1 or more")
        if self.iterations is not None and self.iterations < 1:
            raise UserError(f"--iterations {self.iterations}: use 1 or more")
        if self.batch < 2:
            raise UserError(f"--batch {self.batch}: use 2 or more images, BatchNorm needs them")
        if self.checkpoint < 0:
            raise UserError(f"--checkpoint {self.checkpoint:g}: use 0 or more seconds")
        if self.data not in SOURCES and not Path(self.data).expanduser().is_dir():
            known = ", ".join(SOURCES)
            raise UserError(f"--data {self.data}: no such folder{nearest(self.data, SOURCES)}; use {known} or a folder")
        if self.full and self.iterations is not None:
            raise UserError(f"--full means {FULL} iterations: leave out --iterations, or leave out --full")

    @property
    def recipes(self) -> list[str]:
        """The recipes to train with."""
        return list(RECIPES) if self.recipe == "both" else [self.recipe]

    @property
    def schedule(self) -> str:
        """How the number of iterations was chosen."""
        return "full" if self.full else "short" if self.iterations is None else "custom"

    def iterations_of(self, experiment: Experiment) -> int:
        """Iterations of one experiment."""
        return FULL if self.full else self.iterations if self.iterations is not None else experiment.short

    def source_of(self, experiment: Experiment) -> str:
        """A folder holds scenes; what needs plain images takes them from CIFAR-10."""
        folder = self.data not in SOURCES
        return "cifar10" if folder and NETWORKS[experiment.network].rpn is None else self.data


def reproduce(options: Options) -> Path:
    """Train what is asked and not yet trained, write results.json and report.html, and return the report's path."""
    experiments, device = chosen(options.only), choose_device(options.device)
    plan = [(recipe, e, configurations(options, e, recipe)) for recipe in options.recipes for e in experiments]
    with workplace(options.out):
        begun, shelf, records = time.perf_counter(), Shelf(options), []
        for recipe, experiment, configs in plan:
            train, test = shelf.datasets(configs[0])
            runs = [
                trained(config, run_folder(options, experiment, recipe, config), train, test, device)
                for config in configs
            ]
            records.append(record(experiment, recipe, runs, train, test))
        facts = {
            "command": options.command,
            "data": options.data,
            "schedule": options.schedule,
            "seconds_total": round(time.perf_counter() - begun, 1),
            "peak_memory_gb": peak_memory_gb(),
            **environment(plan[0][2][0], device),
        }
        found = results(records, **facts)
        write_atomically(options.out / RESULTS, encode(found))
        write_report(parse(options.out / RESULTS), options.out / REPORT)  # what is shown is what is on the disk
    show(found)
    return options.out / REPORT


def configurations(options: Options, experiment: Experiment, recipe: str) -> list[Config]:
    """One configuration a seed."""
    iterations, source = options.iterations_of(experiment), options.source_of(experiment)
    configs = [experiment.config(recipe, iterations, source, seed) for seed in range(options.seeds)]
    changes = {"train__batch": options.batch, "train__checkpoint_seconds": options.checkpoint}
    return [replace(config, **changes) for config in configs]


def run_folder(options: Options, experiment: Experiment, recipe: str, config: Config) -> Path:
    """Where a run lives: its name says what it is, so that other schedules and recipes stand beside it."""
    sample = "-sample" if config.data.source == "sample" else ""
    name = f"{experiment.id}-{recipe}-{config.train.iterations}{sample}-seed{config.train.seed}"
    return options.out / RUNS / name


def trained(config: Config, folder: Path, train: Dataset, test: Dataset, device: torch.device) -> Run:
    """The finished run of a configuration."""
    run = Run(folder, config, device)
    with run:
        fit(train, test, run)
    return run


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
    table = Table(box=None, pad_edge=False)
    for name in ("experiment", "recipe", "iterations", "metric", "report", "ours", "", "seconds"):
        table.add_column(
            name, justify="right" if name in ("iterations", "report", "ours", "seconds") else "left", no_wrap=True
        )
    for row in found["experiments"]:
        table.add_row(*table_row(row))
    print_table(table)
    seconds = sum(row["seconds"]["mean"] * row["seconds"]["n"] for row in found["experiments"])
    say(f"training {seconds:.0f} s; peak memory {found['peak_memory_gb']} GB; data: {found['data']}")


def table_row(row: dict[str, Any]) -> list[str]:
    """One experiment's cells."""
    published, ours = row["report"], row["metrics"][row["headline"]]
    shown = f"{ours['mean']:.4g}" + (f" ± {ours['std']:.2g} (n={ours['n']})" if ours["n"] > 1 else "")
    verdict = "" if published is None else "beaten" if published["beaten"] else "not beaten"
    value = "" if published is None else f"{published['value']:.4g}"
    cells = (row["id"], row["recipe"], str(row["iterations"]), row["headline"], value, shown, verdict)
    return [*cells, f"{row['seconds']['mean']:.0f}"]
