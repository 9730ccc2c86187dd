"""`pocketrcnn.predict` and `export`. No torch when this is imported."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ...config import Pages
from ...errors import UserError, require, shown
from ...terminal import say
from ...training.threads import torch_threads
from ..loading import load_detector
from ..options import TIMEOUT, PartFormat, PredictOptions, Shard
from .predicted import Predicted, say_written
from .telling import Place, path_of, told

if TYPE_CHECKING:
    from ...config import DataConfig
    from ...data.custom_data import RunData
    from ...data.images.pixels import Pixels

    Frames = Callable[[DataConfig], tuple[Pixels, str]]


def predict(
    detector: Place,
    images: Place | Sequence[Place] = (),
    *,
    threshold: float | None = None,
    ids: Place | None = None,
    out: Place | None = None,
    pixel_size: float | None = None,
    pages: Pages | None = None,
    pictures: bool | None = None,
    save_crops: bool = False,
    batch: int = 4,
    threads: int | None = None,
    part_size: int | None = None,
    shard: Shard | None = None,
    workers: int | None = None,
    listed: Place | None = None,
    part_format: PartFormat | None = None,
    timeout: float = TIMEOUT,
    device: str = "auto",
    quiet: bool = False,
) -> Predicted:
    """Write what is detected in images to a new folder, as `pocketrcnn predict` does: its options have the same names.

    detector: a run, a file of `export`, or the name of a detector inside the package. images: files, folders, patterns
    and lists; none: the examples of a detector inside the package. To use detections in a program, call a `Detector`.
    threshold: score in 0..1 from which on detections count; None: the detector's. ids: a COCO file, whose ids the
    results get. out: the folder. pixel_size: micrometres a pixel. pages: of files of several; None: as in training.
    pictures: also write them; None: but in parts. save_crops: and each object as an image. batch: images at a time.
    threads: of the processor. part_size, shard, workers, listed, part_format: in parts, which the same call goes on
    with; images of a part, the share (number, count) of the parts, processes of one thread, a file that lists the
    images, `jsonl` or `parquet`. timeout: seconds for an exported file's batch. device: `auto`, `cpu` or `cuda`. quiet:
    say nothing but warnings. Raises UserError for what is no detector, and where no image is found; those that cannot
    be read are named, and skipped.
    """
    paths = {"ids": path_of(ids), "out": path_of(out), "listed": path_of(listed)}
    drawn = {"pixel_size": pixel_size, "pages": pages, "pictures": pictures, "save_crops": save_crops, "batch": batch}
    drawn |= {"threads": threads}
    shared = {"part_size": part_size, "shard": shard, "workers": workers, "part_format": part_format}
    options = PredictOptions(threshold=threshold, **paths, **drawn, **shared)  # type: ignore[arg-type]
    with told(quiet):
        return run_prediction(Path(detector), names_of(images), options, timeout, device)


def names_of(images: Place | Sequence[Place]) -> list[str]:
    """What was named, one or several, as text. Raises UserError for what is no name."""
    several = list(images) if isinstance(images, Iterable) and not isinstance(images, str) else [images]
    for number, image in enumerate(several):
        kind = type(image).__name__
        remedy = "use a path; for images in memory, call a `Detector`"
        require(isinstance(image, str | PathLike), f"images[{number}]: an object of type `{kind}` is no path: {remedy}")
    return [os.fspath(image) for image in several]


def run_prediction(run: Path, images: Sequence[str], options: PredictOptions, timeout: float, device: str) -> Predicted:
    """Predict with options that are given as one."""
    from ..predict import predict as work

    paths = images_of(run, images, options.listed)
    require(timeout > 0, f"--timeout {timeout:g}: use a time above 0")
    network = load_detector(run, device, timeout, options.threads)
    with torch_threads(options.threads):
        if options.in_parts:
            from ..parts.team import Source
            from .in_parts import predict_in_parts

            return predict_in_parts(network, Source(run, device, timeout), paths, options)
        done = work(network, [Path(path) for path in paths], options)
    return say_written(done, network.classes, network.overlap)


def images_of(run: Path, images: Sequence[str], file: Path | None) -> list[str]:
    """The images that were named, or that a list names; without both, the examples of a detector in the package."""
    from ..predict import listed_images, named_images

    named = shown(images[0]) if images else ""
    require(not (named and file), f"--list {file} and {named}: name images here or in the list, not both")
    if file:
        return listed_images(file)
    return named_images(images) if images else examples(run)


def examples(run: Path) -> list[str]:
    """The images that a detector inside the package brings. Raises UserError for any other one."""
    from ..builtin import examples_of, is_builtin

    if not is_builtin(run):
        raise UserError(f"predict {run} IMAGES: name image files, a folder or a pattern such as FOLDER/*.png")
    paths = examples_of(run)
    say(f"no images named: {len(paths)} examples of `{run}` that it was not trained on")
    return list(map(str, paths))


def export(
    run: Place,
    *,
    page: bool = False,
    out: Place | None = None,
    examples: bool = True,
    quiet: bool = False,
    frames: Frames | None = None,
) -> Path:
    """Write a finished run as one ONNX file or, with `page`, as one HTML file, as `pocketrcnn export` does; returns its
    path.

    out: the file; None: `model.onnx` or `detector.html` in the run. examples: whether a page has images of the data.
    quiet: say nothing but warnings. frames: inputs to compare with torch on, from the data of a run that is not on
    custom data; None: noise. Raises UserError for a run that is not finished, where a package is missing, and where the
    exported file's detections differ from torch's.
    """
    from ...data.custom_data import RunData
    from ...training.run import open_run, saved_splits
    from ..run_set import best_run

    require(page or examples, "--no-examples belongs to --page: add that, or leave it out")

    @cache
    def data() -> RunData:
        return RunData(open_run(best, "cpu").config.data, saved_splits(best))

    def inputs(side: int) -> tuple[Pixels, str]:
        return verification_frames(data(), side, frames)

    with told(quiet):
        best, path = best_run(Path(run), say), path_of(out)
        if page:
            from ..page.export import export_page

            written = export_page(best, inputs, path, data if examples else None)
            say(f"next: open {shlex.quote(str(written))} in a browser, and drop images on it", wrap=False)
        else:
            from ..onnx.export import export as work

            written = work(best, inputs, path)
            say(f"next: pocketrcnn predict {shlex.quote(str(written))} IMAGES", wrap=False)
    return written


def verification_frames(data: RunData, side: int, frames: Frames | None = None) -> tuple[Pixels, str]:
    """Images of a run's data as inputs uint8 [B,S,S,3], and what they are, in words; held out from training where
    possible. Noise where the data cannot be read. frames: see `export`.
    """
    from ..onnx.parity import folder_inputs, noise_inputs

    try:
        if data.config.kind == "folder":
            return folder_inputs(data, side)
        if frames:
            return frames(data.config)
        reason = "those of the run are made by `reproduce`"
    except UserError as error:
        reason = f"the data of the run cannot be read ({error})"
    return noise_inputs(side), f"images of noise, since {reason}"
