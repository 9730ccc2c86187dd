"""The commands as functions: what `pocketrcnn.train` and its like are, and what the command line calls, too.

Each says what its command says, unless `quiet`; lines go to the logger `pocketrcnn` once that has a level or a handler
(`terminal.to_logger`). Raises UserError where the command would end with one. No torch when this is imported.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..config import Pages, Precision
from ..errors import UserError, require
from ..terminal import say, silent
from ..training.watchers import Callback, calling, watched_by
from .options import Anchors, Preset, Tiles, TrainOptions

if TYPE_CHECKING:
    from ..evaluation.average_precision import Evaluation
    from .detector import Detector

Place = str | PathLike[str]
"""A path, or a `TrainedRun`."""
Split = Literal["train", "val", "test"]


@dataclass(frozen=True)
class TrainedRun:
    """A finished run; of a set of `seeds` the run with the highest AP on validation images is meant.

    path: the folder. device: on which `detector` computes. It can be given wherever a run is named.
    """

    path: Path
    device: str = "auto"

    def __fspath__(self) -> str:
        return fspath(self.path)

    @property
    def metrics(self) -> dict[str, float]:
        """The final metrics, on validation images."""
        from ..training.run import open_finished
        from .run_set import best_run

        found = open_finished(best_run(self.path), "cpu").metrics(any_length=True)
        assert found is not None, "a finished run has metrics"
        return dict(found["metrics"])

    @cached_property
    def detector(self) -> Detector:
        """The detector that was trained."""
        from .detector import Detector
        from .run_set import best_run

        return Detector.load(best_run(self.path), self.device)


def train(
    data: Place,
    *,
    minutes: float | None = None,
    iterations: int | None = None,
    preset: Preset = "auto",
    out: Place | None = None,
    seed: int = 0,
    seeds: int | None = None,
    workers: int | None = None,
    anchors: Anchors | None = None,
    input_size: int | None = None,
    tiles: Tiles = "auto",
    batch: int | None = None,
    rotate: bool = False,
    settings: tuple[str, ...] = (),
    force: bool = False,
    precision: Precision = "auto",
    patience: int = 0,
    tensorboard: bool = False,
    device: str = "auto",
    voc_origin: Literal[0, 1] = 0,
    bbox: Literal["auto", "xyxy", "xywh", "cxcywh", "yxyx", "yxhw"] = "auto",
    units: Literal["auto", "pixels", "fractions"] = "auto",
    follow_outside: bool = False,
    pages: Pages = "first",
    quiet: bool = False,
    callback: Callback | None = None,
) -> TrainedRun:
    """Train on annotated images, as `pocketrcnn train` does: its options have the same names (`TrainOptions`).

    minutes: time for everything (default: 5), or else `iterations`. callback: is called at each evaluation with the
    iteration and the metrics, those of validation images (`AP50`) and of training (`train/loss_total`); what it raises
    ends the training, which `resume` goes on with.
    """
    given = {name: value for name, value in locals().items() if name not in ("data", "out", "quiet", "callback")}
    folder = None if out is None else Path(out)
    return run_training(TrainOptions(Path(data), out=folder, **given), quiet, callback)


def run_training(options: TrainOptions, quiet: bool = False, callback: Callback | None = None) -> TrainedRun:
    """Train with options that are given as one."""
    from .seeds import train as work

    require(callback is None or options.seeds is None, "callback is for one run: leave out `seeds`, or the callback")
    with told(quiet), heard(callback):
        return TrainedRun(work(options), options.device)


def resume(
    run: Place,
    *,
    minutes: float | None = None,
    iterations: int | None = None,
    workers: int | None = None,
    data: Place | None = None,
    device: str = "auto",
    quiet: bool = False,
    callback: Callback | None = None,
) -> TrainedRun:
    """Go on with an interrupted run, or train a finished one for longer, as `pocketrcnn resume` does."""
    from .run_set import is_set
    from .seeds import resume as work

    folder, source = Path(run), None if data is None else Path(data)
    require(callback is None or not is_set(folder), f"callback is for one run: name one of those in {folder}")
    with told(quiet), heard(callback):
        return TrainedRun(work(folder, minutes, iterations, device, workers, source=source), device)


def evaluate(
    run: Place, data: Place | None = None, *, split: Split | None = None, device: str = "auto", quiet: bool = False
) -> Evaluation:
    """Measure a finished run on its test images, or on other data, as `pocketrcnn eval` does."""
    from .evaluate import evaluate_run, is_of_run, show_evaluation
    from .report.summary import write_run_report
    from .run_set import best_run

    with told(quiet):
        best = best_run(Path(run), say)
        finished, model, custom, evaluation = evaluate_run(best, None if data is None else Path(data), split, device)
        show_evaluation(evaluation)
        if is_of_run(finished, custom, evaluation.split):
            say(f"report: {write_run_report(finished, custom, model)}")
    return evaluation


def write_report(*runs: Place, out: Place | None = None, quiet: bool = False) -> Path:
    """The page of a run, or one that compares several, as `pocketrcnn report` writes it; returns its path.

    out: the page; None: report.html in the folder of a single run or set, else in the current one.
    """
    from ..training.run import open_run
    from .report.summary import REPORT, write_comparison, write_run_report
    from .run_set import is_set, runs_of

    folders = [folder for run in runs for folder in runs_of(Path(run))]
    require(bool(folders), "write_report needs the folder of a run")
    page = None if out is None else Path(out)
    if page:
        require_page(page)
    if len(runs) == 1 and is_set(Path(runs[0])):
        page = page or Path(runs[0]) / REPORT
    opened = [open_run(folder) for folder in folders]
    with told(quiet):
        if len(opened) == 1:
            path = write_run_report(opened[0], path=page)
        else:
            require_page(path := page or Path(REPORT))
            write_comparison(opened, path)
        say(f"report: {path}")
    return path


def require_page(path: Path) -> None:
    """Raises UserError where a page would overwrite something else."""
    if not path.name or path.is_dir():
        raise UserError(f"--out {path} is a folder: name a file in it, as {path / 'report.html'}")
    if path.is_file() and b"Made by pocket-rcnn" not in path.read_bytes():
        raise UserError(f"{path} is not a page of pocket-rcnn: name another file with --out, it is not overwritten")


def told(quiet: bool) -> AbstractContextManager[None]:
    """A block that says nothing where that is wanted."""
    return silent() if quiet else nullcontext()


def heard(callback: Callback | None) -> AbstractContextManager[None]:
    """A block in which a function hears of every evaluation."""
    return watched_by(calling(callback)) if callback else nullcontext()
