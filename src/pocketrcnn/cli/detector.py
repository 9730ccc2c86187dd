"""The commands for detectors on custom data: train, resume, sweep, evaluate, predict, merge, export, explain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from ..custom.options import IDS, TIMEOUT, Device, PredictOptions, TrainOptions
from ..custom.sweep.options import SweepOptions
from ..training.launch import launch
from ..training.threads import Threads
from .data import LOST

if TYPE_CHECKING:
    from ..config import DataConfig
    from ..data.images.pixels import Pixels

RunFolder = Annotated[Path, "RUN", "the folder of a run, of a set of --seeds, or of a sweep, whose best trial is meant"]


def train(options: TrainOptions) -> None:
    """Train a detector from scratch on your annotated images: in minutes, no GPU needed."""
    from ..custom.commands.training import run_training

    run_training(options)


def resume(
    run: Annotated[Path, "RUN", "the folder of a run, or of a set of --seeds"],
    *,
    minutes: Annotated[float | None, "M", "another time for the whole run"] = None,
    iterations: Annotated[int | None, "N", "another number of iterations for the whole run"] = None,
    workers: Annotated[int | None, "N", "for a set of --seeds: runs at a time (default: what is faster)"] = None,
    data: Annotated[Path | None, "FOLDER", "where the data are now, if they moved (default: where they were)"] = None,
    threads: Threads = None,
    device: Device = "auto",
) -> None:
    """Go on with an interrupted run, or train a finished one for longer."""
    from ..custom.commands.training import resume as work

    work(run, minutes=minutes, iterations=iterations, workers=workers, data=data, threads=threads, device=device)


def sweep(options: SweepOptions) -> int:
    """Train with several values of settings, and compare them by validation images: --set NAME=V1,V2 several times. The
    same command joins in from other processes and machines, and goes on where it was stopped. Exit code 1 if a trial
    failed."""
    from ..custom.commands.sweeping import run_sweep

    return LOST if run_sweep(options).failed else 0


def evaluate(
    run: RunFolder,
    data: Annotated[Path | None, "DATA", "other data (default: those of the run)"] = None,
    *,
    split: Annotated[Literal["train", "val", "test"] | None, "images (default: test, else val, else train)"] = None,
    as_json: Annotated[bool, "--json", "print JSON"] = False,
    threads: Threads = None,
    device: Device = "auto",
) -> None:
    """Measure average precision, errors and the best threshold of a run, on its test images or on other data."""
    from ..custom.commands.training import evaluate as work

    evaluation = work(run, data, split=split, threads=threads, device=device, quiet=as_json)
    if as_json:
        print(json.dumps(vars(evaluation), indent=1))


def predict(
    detector: Annotated[Path, "RUN", "the folder of a run or set, a file from `export`, or nuclei: inside the package"],
    images: Annotated[
        list[str] | None, "IMAGE", "files, folders, patterns such as 'photos/**/*.jpg', or lists (.txt); none: examples"
    ] = None,
    *,
    options: PredictOptions,
    timeout: Annotated[float, "S", "of a file from `export`: seconds for a batch, then it is stopped"] = TIMEOUT,
    device: Device = "auto",
) -> int:
    """Detect objects in images: writes COCO results (JSON), objects and counts as tables (CSV), and pictures with
    boxes. Exit code 1 if an image was skipped. In parts (--part-size, --shard, --workers, --list, --part-format) the
    same command goes on where it was stopped, and other processes share the work."""
    from ..custom.commands.detecting import run_prediction
    from ..custom.parts.ranks import shared_by_rank

    done = run_prediction(detector, images or (), shared_by_rank(options), timeout, device)
    alone = launch().count == 1  # torchrun ends all processes where one has another code: `merge` has it
    return LOST if done.skipped and alone else 0


def merge(
    out: Annotated[Path, "OUT", "the folder with the parts of a prediction"],
    *,
    ids: Annotated[Path | None, "FILE", f"COCO annotation file: {IDS} (default: counted from 1)"] = None,
) -> int:
    """Write the files of a prediction from all its parts, or say which lack. Exit code 1 if an image was skipped."""
    from ..custom.commands.in_parts import merge as work

    return LOST if work(out, ids=ids).skipped else 0


def export(
    run: RunFolder,
    *,
    page: Annotated[bool, "write a page that runs the detector in any browser, without a network"] = False,
    out: Annotated[Path | None, "FILE", "the file (default: RUN/model.onnx; with --page RUN/detector.html)"] = None,
    examples: Annotated[bool, "with --page: leave out the example images, a few of the validation images"] = True,
) -> None:
    """Write a finished run as one ONNX file, from pixels to final boxes, compared with torch before it is written; or,
    with --page, as one HTML file to mail around."""
    from ..custom.commands.detecting import export as work

    work(run, page=page, out=out, examples=examples, frames=frames_of_the_course)


def explain(
    run: Annotated[Path, "RUN", "the folder of a run or set, one of `reproduce` too, or nuclei: inside the package"],
    image: Annotated[
        str | None,
        "IMAGE",
        "a file, a page of one, as cells.tif[3], or the number of a test image (default: 0, the first)",
    ] = None,
    *,
    truth: Annotated[bool, "look up the objects of a file in the annotations of the run's data, or of --data"] = False,
    data: Annotated[Path | None, "DATA", "data with the objects of the image, or with images to number"] = None,
    out: Annotated[Path | None, "FILE", "the page (default: IMAGE-explained.html in the current folder)"] = None,
) -> None:
    """Write a page that shows one image on its way through the network: input, features, anchors, proposals, regions,
    classes, detections."""
    from ..course.data.datasets import open_dataset
    from ..custom.commands.explaining import explain as work

    work(run, 0 if image is None else image, truth=truth, data=data, out=out, dataset=open_dataset)


def file_to_write(words: list[str]) -> str:
    """A file without its option, as ` (did you mean `--out detector.html`?)`; nothing for other words."""
    is_file = len(words) == 1 and words[0].lower().endswith((".html", ".onnx"))
    return f" (did you mean `--out {words[0]}`?)" if is_file else ""


def frames_of_the_course(data: DataConfig) -> tuple[Pixels, str]:
    """Test images of a run on the data of the course as inputs, and what they are, in words."""
    from ..course.data.datasets import open_dataset
    from ..custom.onnx.parity import dataset_inputs

    return dataset_inputs(open_dataset(data, "test"))
