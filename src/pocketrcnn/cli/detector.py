"""The commands for detectors on custom data: train, resume, evaluate, predict, export."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from ..custom.options import Device, PredictOptions, TrainOptions
from ..errors import UserError, require
from .data import LOST

if TYPE_CHECKING:
    from ..config import DataConfig
    from ..custom.predict import Predictor
    from ..data.images.pixels import Pixels

RunFolder = Annotated[Path, "RUN", "the folder of a run, or of a set of --seeds"]


def train(options: TrainOptions) -> None:
    """Train a detector from scratch on your annotated images: in minutes, no GPU needed."""
    from ..custom.commands import run_training

    run_training(options)


def resume(
    run: RunFolder,
    *,
    minutes: Annotated[float | None, "M", "another time for the whole run"] = None,
    iterations: Annotated[int | None, "N", "another number of iterations for the whole run"] = None,
    workers: Annotated[int | None, "N", "for a set of --seeds: runs at a time (default: what is faster)"] = None,
    data: Annotated[Path | None, "FOLDER", "where the data are now, if they moved (default: where they were)"] = None,
    device: Device = "auto",
) -> None:
    """Go on with an interrupted run, or train a finished one for longer."""
    from ..custom.commands import resume as work

    work(run, minutes=minutes, iterations=iterations, workers=workers, data=data, device=device)


def evaluate(
    run: RunFolder,
    data: Annotated[Path | None, "DATA", "other data (default: those of the run)"] = None,
    *,
    split: Annotated[Literal["train", "val", "test"] | None, "images (default: test, else val, else train)"] = None,
    as_json: Annotated[bool, "--json", "print JSON"] = False,
    device: Device = "auto",
) -> None:
    """Measure average precision, errors and the best threshold of a run, on its test images or on other data."""
    from ..custom.commands import evaluate as work

    evaluation = work(run, data, split=split, device=device, quiet=as_json)
    if as_json:
        print(json.dumps(vars(evaluation), indent=1))


def predict(
    detector: Annotated[Path, "RUN", "the folder of a run or set, a file from `export`, or nuclei: inside the package"],
    images: Annotated[
        list[str] | None, "IMAGE", "files, folders, patterns such as 'photos/**/*.jpg', or lists (.txt); none: examples"
    ] = None,
    *,
    options: PredictOptions,
    timeout: Annotated[float, "S", "of a file from `export`: seconds for a batch, then it is stopped"] = 300.0,
    device: Device = "auto",
) -> int:
    """Detect objects in images: writes COCO results (JSON), objects and counts as tables (CSV), and pictures with
    boxes. Exit code 1 if an image was skipped."""
    from ..custom.predict import named_images
    from ..custom.predict import predict as work
    from ..data.overview import counted
    from ..terminal import say

    paths = named_images(images) if images else examples(detector)
    require(timeout > 0, f"--timeout {timeout:g}: use a time above 0")
    network = load_detector(detector, device, timeout)
    done = work(network, paths, options)
    if done.larger:
        how = f"in tiles of {network.side} px" if network.overlap else f"downscaled to {network.side} px"
        say(f"{counted(done.larger, 'image')} {how}: boxes are in pixels of the file")
    for path, note in done.notes.of("image"):
        say(f"{path} {note.reason}")
    found = done.files.by_class
    if len(network.classes) > 1 and found:
        say(f"by class: {', '.join(f'{name} {number:,}' for name, number in found.most_common())}")
    skipped = f", {counted(done.skipped, 'image')} skipped" if done.skipped else ""
    say(f"{counted(done.files.detections, 'object')} in {counted(done.images, 'image')}{skipped}: {done.folder}")
    return LOST if done.skipped else 0


def examples(run: Path) -> list[Path]:
    """The images that a detector inside the package brings. Raises UserError for any other one."""
    from ..custom.builtin import examples_of, is_builtin
    from ..terminal import say

    if not is_builtin(run):
        raise UserError(f"predict {run} IMAGES: name image files, a folder or a pattern such as FOLDER/*.png")
    paths = examples_of(run)
    say(f"no images named: {len(paths)} examples of `{run}` that it was not trained on")
    return paths


def load_detector(path: Path, device: str, seconds: float) -> Predictor:
    """The detector of a run or, without torch, of an exported file, which gets so many seconds for a batch."""
    if path.suffix.lower() == ".onnx":
        from ..custom.onnx.runtime import Detector as Exported

        if device == "cuda":
            raise UserError(f"--device cuda: {path} runs on the processor; leave it out, or name the folder of the run")
        return Exported.load(path, seconds=seconds)
    from ..custom.detector import Detector
    from ..custom.run_set import best_run
    from ..terminal import say
    from ..training.device import keep_memory

    keep_memory()
    return Detector.load(best_run(path, say), device)


def export(
    run: RunFolder,
    *,
    page: Annotated[bool, "write a page that runs the detector in any browser, without a network"] = False,
    out: Annotated[Path | None, "FILE", "the file (default: RUN/model.onnx; with --page RUN/detector.html)"] = None,
    examples: Annotated[bool, "with --page: leave out the example images, a few of the validation images"] = True,
) -> None:
    """Write a finished run as one ONNX file, from pixels to final boxes, compared with torch before it is written; or,
    with --page, as one HTML file to mail around."""
    from ..custom.onnx.export import export as work
    from ..custom.page.export import export_page
    from ..custom.run_set import best_run
    from ..terminal import say
    from ..training.run import open_run, saved_splits

    def inputs(side: int) -> tuple[Pixels, str]:
        opened = open_run(best, "cpu")
        return verification_frames(opened.config.data, side, saved_splits(opened.folder))

    require(page or examples, "--no-examples belongs to --page: add that, or leave it out")
    best = best_run(run, say)
    if page:
        path = export_page(best, inputs, out, examples)
        say(f"next: open {shlex.quote(str(path))} in a browser, and drop images on it", wrap=False)
    else:
        path = work(best, inputs, out)
        say(f"next: pocketrcnn predict {shlex.quote(str(path))} IMAGES", wrap=False)


def verification_frames(data: DataConfig, side: int, known: dict[str, str] | None = None) -> tuple[Pixels, str]:
    """Images of a run's data as inputs uint8 [B,S,S,3], and what they are, in words; held out from training where
    possible. Noise where the data cannot be read.

    known: the splits of the run's images, by hash (`run.saved_splits`).
    """
    from ..course.data.datasets import open_dataset
    from ..custom.onnx.parity import dataset_inputs, folder_inputs, noise_inputs

    try:
        return folder_inputs(data, side, known) if data.kind == "folder" else dataset_inputs(open_dataset(data, "test"))
    except UserError as error:
        return noise_inputs(side), f"images of noise, since the data of the run cannot be read ({error})"
