"""`pocketrcnn.train`, `resume`, `evaluate` and `write_report`. No torch when this is imported."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...config import Precision
from ...errors import UserError, require
from ...terminal import say
from ...training.threads import require_threads, torch_threads
from ...training.watchers import Callback
from ..options import Anchors, BBox, BoxUnits, DataPages, FollowOutside, Preset, Tiles, TrainOptions, VocOrigin
from .telling import Place, heard, path_of, told

if TYPE_CHECKING:
    from ...evaluation.average_precision import Evaluation
    from ..detector import Detector

Split = Literal["train", "val", "test"]


@dataclass(frozen=True)
class TrainedRun:
    """A finished run; of a set of `seeds` the run with the highest AP on validation images is meant.

    path: the folder. device: on which `detector` computes. It can be given wherever a run is named.
    """

    path: Path
    device: str = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    @property
    def metrics(self) -> dict[str, float]:
        """The final metrics, on validation images."""
        from ...training.run import open_finished
        from ..run_set import best_run

        found = open_finished(best_run(self.path), "cpu").metrics(any_length=True)
        assert found is not None, "a finished run has metrics"
        return dict(found["metrics"])

    @cached_property
    def detector(self) -> Detector:
        """The detector that was trained."""
        from ..detector import Detector
        from ..run_set import best_run

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
    threads: int | None = None,
    device: str = "auto",
    voc_origin: VocOrigin = 0,
    bbox: BBox = "auto",
    units: BoxUnits = "auto",
    follow_outside: FollowOutside = False,
    pages: DataPages = "first",
    quiet: bool = False,
    callback: Callback | None = None,
) -> TrainedRun:
    """Train on annotated images, as `pocketrcnn train` does: its options have the same names. What is None follows
    from the data.

    data: folder, archive or file of annotations. minutes: time for everything (default: 5), or else `iterations`.
    preset: size of the network. out: folder of the run. seed: of the random numbers; seeds: so many runs, workers of
    them at a time. anchors: widths and heights in pixels. input_size: side of the input in pixels. tiles: `auto`, `off`
    or their side in pixels. batch: images an iteration. rotate: for images without up and down. settings: those of
    `Config`, as `"augment.paste=4"`. force: although more than half of the objects are left out. precision: number
    format. patience: stop after so many evaluations without improvement (0: never). tensorboard: write its events.
    threads: of the processor. device: `auto`, `cpu` or `cuda`. voc_origin, bbox, units, follow_outside, pages: how
    files are read, as in `check`. quiet: say nothing but warnings. callback: is called at each evaluation with the
    iteration and the metrics, those of validation images (`AP50`) and of training (`train/loss_total`); what it raises
    ends the training, which `resume` goes on with. Raises UserError for data or options that cannot be trained with,
    and where a loss stays not finite.
    """
    given = {name: value for name, value in locals().items() if name not in ("data", "out", "quiet", "callback")}
    return run_training(TrainOptions(Path(data), out=path_of(out), **given), quiet, callback)


def run_training(options: TrainOptions, quiet: bool = False, callback: Callback | None = None) -> TrainedRun:
    """Train with options that are given as one."""
    from ..seeds import train as work

    require(callback is None or options.seeds is None, "callback is for one run: leave out `seeds`, or the callback")
    with told(quiet), heard(callback), torch_threads(options.threads):
        return TrainedRun(work(options), options.device)


def resume(
    run: Place,
    *,
    minutes: float | None = None,
    iterations: int | None = None,
    workers: int | None = None,
    data: Place | None = None,
    threads: int | None = None,
    device: str = "auto",
    quiet: bool = False,
    callback: Callback | None = None,
) -> TrainedRun:
    """Go on with an interrupted run, or train a finished one for longer, as `pocketrcnn resume` does.

    minutes, iterations: another length for the whole run; None: as planned. workers: of a set, runs at a time. data:
    where the data are now, if they moved. threads, device, quiet, callback: as in `train`. Raises UserError where there
    is nothing to go on with, and for data that have changed.
    """
    from ..run_set import is_set
    from ..seeds import resume as work

    folder, source = Path(run), path_of(data)
    require(callback is None or not is_set(folder), f"callback is for one run: name one of those in {folder}")
    require_threads(threads, workers)
    with told(quiet), heard(callback), torch_threads(threads):
        return TrainedRun(work(folder, minutes, iterations, device, workers, source=source), device)


def evaluate(
    run: Place,
    data: Place | None = None,
    *,
    split: Split | None = None,
    threads: int | None = None,
    device: str = "auto",
    quiet: bool = False,
) -> Evaluation:
    """Measure a finished run on its test images, or on other data, as `pocketrcnn eval` does.

    data: other annotated images. split: of the data (default: test, else val, else train). threads: of the processor.
    device: `auto`, `cpu` or `cuda`. quiet: say nothing but warnings. Raises UserError for a run that is not finished,
    and for data that cannot be read.
    """
    from ..evaluate import evaluate_run, is_of_run, show_evaluation
    from ..report.summary import write_run_report
    from ..run_set import best_run

    require_threads(threads)
    with told(quiet), torch_threads(threads):
        best = best_run(Path(run), say)
        finished, model, custom, evaluation = evaluate_run(best, path_of(data), split, device)
        show_evaluation(evaluation)
        if is_of_run(finished, custom, evaluation.split):
            say(f"report: {write_run_report(finished, custom, model)}")
    return evaluation


def write_report(*runs: Place, out: Place | None = None, quiet: bool = False) -> Path:
    """The page of a run, or one that compares several, as `pocketrcnn report` writes it; returns its path.

    out: the page; None: report.html in the folder of a single run or set, else in the current one. quiet: say nothing
    but warnings. Raises UserError for what is no run, and where the page would overwrite another file.
    """
    from ...training.run import open_run
    from ..report.summary import REPORT, write_comparison, write_run_report, write_sweep
    from ..run_set import is_set, runs_of
    from ..sweep.record import is_sweep

    folders = [folder for run in runs for folder in runs_of(Path(run))]
    require(bool(folders), "write_report needs the folder of a run")
    page = path_of(out)
    if page:
        require_page(page)
    single = Path(runs[0]) if len(runs) == 1 else None
    if single and (is_set(single) or is_sweep(single)):
        page = page or single / REPORT
    opened = [open_run(folder) for folder in folders]
    with told(quiet):
        if single and is_sweep(single):
            path = write_sweep(single, page or single / REPORT)
        elif len(opened) == 1:
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
