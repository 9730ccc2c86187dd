"""`pocketrcnn reproduce`: every experiment of the course trained, compared with the report, and shown on one page."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import torch

from ..config import DataConfig
from ..data.dataset import Dataset
from ..data.files import LOCK, OUT, is_unfinished, locked, require_room, write_atomically
from ..errors import UserError
from ..model import costs
from ..training.device import choose_device, keep_memory
from ..training.fit import fit
from ..training.loop import Trainer
from ..training.machine import environment
from ..training.run import Run, encode, parse, saved
from ..training.side_by_side import WORTH_TIMING, Job, Steps, choose_workers, train_all
from ..training.threads import torch_threads
from ..version import __version__
from .data.datasets import open_dataset
from .decided import decided, undecided
from .options import Options
from .plan import MORE_SEEDS, RUNS, Claim, Plan, Planned, finished, plan, runs_of_claims, runs_of_lines, seeds_of_claims
from .report.page import write_report
from .report.records import REPORT, RESULTS, Results
from .results import data_option, record, totals
from .shown import show

BYTES = 8  # of a run, for each of its weights: what it leaves, and room for a checkpoint meanwhile


def reproduce(options: Options) -> Path:
    """Train what the options name and is not yet trained, write results.json and report.html; returns its path.

    Finished runs of other experiments and recipes in the folder are in both, too, with as many iterations as this call
    has, from the same seed on: results.json has one record for an experiment under a recipe, so other schedules and
    seeds wait for a call with them.
    """
    device, wanted = choose_device(options.device), plan(options)
    datasets.cache_clear()  # files may be others than at the last call
    with workplace(options.out), torch_threads(options.threads):
        require_same_data(options, wanted)
        runs = runs_of_claims(options, wanted.claims, seeds_of_claims(options))
        train(options, [*runs_of_lines(options, wanted.lines), *runs], device)
        more = (
            undecided(options, wanted.claims, device) if options.seeds is None else []
        )  # five where three decide none
        train(options, runs_of_claims(options, more, MORE_SEEDS), device)
        made = results(options, wanted, more, device)
        write_atomically(options.out / RESULTS, encode(msgspec.to_builtins(made)))
        write_report(parse(options.out / RESULTS), options.out / REPORT)  # what is shown is what is on the disk
    show(made)
    return options.out / REPORT


def train(options: Options, runs: Sequence[Planned], device: torch.device) -> None:
    """Train those runs that are not finished; several seeds side by side where that is faster."""
    left = [run for run in runs if Run(run.folder, run.config, device).metrics() is None]
    if not left:
        return
    needed = sum(costs.parameters(run.config.model) * BYTES for run in left)
    what, remedy = f"--seeds {options.seeds or 1}: the runs take", f"make room, use fewer seeds, or {OUT}"
    require_room(options.out, needed, what, remedy)
    workers = choose(options, runs, device)
    train_all(train_one, [Job(r.folder.name, r.kind, r.config.train.iterations, r) for r in left], workers)


def choose(options: Options, runs: Sequence[Planned], device: torch.device) -> int:
    """How many runs are trained at a time; a single seed of each is trained on all threads. All runs count, finished
    ones, too, so that one that goes on later has the same number of threads, and ends in the same bytes."""
    several = any(run.config.train.seed for run in runs)
    if options.workers is None and (not several or sum(run.config.train.iterations for run in runs) < WORTH_TIMING):
        return 1
    return choose_workers(options.workers, len(runs), device, runs[0].kind, Steps(iteration, runs[0]))


def train_one(planned: Planned) -> None:
    """Train one run, in whichever process this is. Data that cannot be read leave no folder of a run."""
    sets = datasets(planned.config.data)
    with Run(planned.folder, planned.config, choose_device(planned.device)) as run:
        fit(*sets, run)


def iteration(planned: Planned) -> Callable[[], Any]:
    """An iteration of a run that is not begun, to time it."""
    keep_memory()
    return Trainer(planned.config, *datasets(planned.config.data), choose_device(planned.device)).step


def results(options: Options, wanted: Plan, more: Collection[Claim], device: torch.device) -> Results:
    """results.json: the finished runs that the options name, and all others beside them. more: see `decided`."""
    named = [(line, finished(options, line, device)[: options.seeds]) for line in wanted.lines]
    others = [(line, finished(options, line, device)) for line in wanted.other_lines]
    groups = [(line, runs) for line, runs in named + others if runs]
    runs = [run for _, of_line in groups for run in of_line]
    made = runs[0].environment() if runs else here(options, wanted, device)
    return Results(
        version=__version__,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        records=[record(e, recipe, of_line, *datasets(of_line[0].config.data)) for (recipe, e), of_line in groups],
        observations=decided(options, wanted, more, device),
        command=options.command,
        data=options.data,
        schedule=options.schedule,
        **totals(runs),
        versions=made["versions"],
        hardware=made["hardware"],
    )


def here(options: Options, wanted: Plan, device: torch.device) -> dict[str, Any]:
    """Versions and hardware of this process, which stand for the file where no run has any: those of observations."""
    return environment(runs_of_lines(options, wanted.other_lines, seeds=1)[0].config, device)


def require_same_data(options: Options, wanted: Plan) -> None:
    """Raises UserError where the output folder holds results on other data: a report is of one data set."""
    path = options.out / RESULTS
    held = [(path, parse(path).get("data", options.data), options.data)] if path.is_file() else []
    lines = runs_of_lines(options, [*wanted.lines, *wanted.other_lines], seeds=1)
    for run in [*lines, *runs_of_claims(options, wanted.claims, seeds=1)]:
        if config := saved(run.folder):
            held.append((run.folder, config.data.source, run.config.data.source))
    for path, source, now in held:
        if source != now:
            theirs, ours = map(data_option, (source, now))
            raise UserError(f"{path} is of --data {theirs}, now it is {ours}: choose another folder with --out")


@lru_cache(maxsize=4)
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
