"""`pocketrcnn.predict` and `export`. No torch when this is imported."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ...config import Pages
from ...errors import UserError, require
from ...terminal import say
from ..options import TIMEOUT, PredictOptions
from .telling import Place, path_of, told

if TYPE_CHECKING:
    from ...config import DataConfig
    from ...data.custom_data import RunData
    from ...data.images.pixels import Pixels
    from ..predict import Predictor

    Frames = Callable[[DataConfig], tuple[Pixels, str]]


@dataclass(frozen=True)
class Predicted:
    """What `predict` wrote.

    path: the folder. images, skipped: how many were read, and how many could not be. by_class: objects of each class.
    """

    path: Path
    images: int
    skipped: int
    by_class: dict[str, int]

    @property
    def objects(self) -> int:
        """Objects in all images."""
        return sum(self.by_class.values())


def predict(
    detector: Place,
    images: Place | Sequence[Place] = (),
    *,
    threshold: float | None = None,
    ids: Place | None = None,
    out: Place | None = None,
    pixel_size: float | None = None,
    pages: Pages | None = None,
    pictures: bool = True,
    save_crops: bool = False,
    batch: int = 4,
    timeout: float = TIMEOUT,
    device: str = "auto",
    quiet: bool = False,
) -> Predicted:
    """Write what is detected in images to a new folder, as `pocketrcnn predict` does: its options have the same names.

    detector: a run, a file of `export`, or the name of a detector inside the package. images: files, folders, patterns
    and lists; none: the examples of a detector inside the package. To use detections in a program, call a `Detector`.
    threshold: score in 0..1 from which on detections count; None: the detector's. ids: a COCO file, whose ids the
    results get. out: the folder. pixel_size: micrometres a pixel. pages: of files of several; None: as in training.
    pictures: also write them; save_crops: and each object as an image. batch: images at a time. timeout: seconds for an
    exported file's batch. device: `auto`, `cpu` or `cuda`. quiet: say nothing but warnings. Raises UserError for what
    is no detector, and where no image is found; those that cannot be read are named, and skipped.
    """
    rest = {"pixel_size": pixel_size, "pages": pages, "pictures": pictures, "save_crops": save_crops, "batch": batch}
    options = PredictOptions(threshold=threshold, ids=path_of(ids), out=path_of(out), **rest)  # type: ignore[arg-type]
    with told(quiet):
        return run_prediction(Path(detector), names_of(images), options, timeout, device)


def names_of(images: Place | Sequence[Place]) -> list[str]:
    """What was named, one or several, as text. Raises UserError for what is no name."""
    several = [images] if isinstance(images, str | PathLike) else list(images)
    for number, image in enumerate(several):
        kind = type(image).__name__
        remedy = "use a path; for images in memory, call a `Detector`"
        require(isinstance(image, str | PathLike), f"images[{number}]: an object of type `{kind}` is no path: {remedy}")
    return [os.fspath(image) for image in several]


def run_prediction(run: Path, images: Sequence[str], options: PredictOptions, timeout: float, device: str) -> Predicted:
    """Predict with options that are given as one."""
    from ...data.overview import counted
    from ..predict import named_images
    from ..predict import predict as work

    paths = named_images(images) if images else examples(run)
    require(timeout > 0, f"--timeout {timeout:g}: use a time above 0")
    network = load_detector(run, device, timeout)
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
    return Predicted(done.folder, done.images, done.skipped, {name: found[name] for name in network.classes})


def examples(run: Path) -> list[Path]:
    """The images that a detector inside the package brings. Raises UserError for any other one."""
    from ..builtin import examples_of, is_builtin

    if not is_builtin(run):
        raise UserError(f"predict {run} IMAGES: name image files, a folder or a pattern such as FOLDER/*.png")
    paths = examples_of(run)
    say(f"no images named: {len(paths)} examples of `{run}` that it was not trained on")
    return paths


def load_detector(path: Path, device: str, seconds: float) -> Predictor:
    """The detector of an exported file, without torch, or of a run: on a processor the exported file of these weights
    if it lies in the run, else torch. An exported file gets so many seconds for a batch."""
    if path.suffix.lower() == ".onnx":
        from ..onnx.runtime import Detector as Exported

        if device == "cuda":
            raise UserError(f"--device cuda: {path} runs on the processor; leave it out, or name the folder of the run")
        return Exported.load(path, seconds=seconds)
    from ...training.device import choose_device, keep_memory
    from ..detector import Detector
    from ..onnx.run_file import exported
    from ..run_set import best_run

    best = best_run(path, say)
    on_processor = device == "auto" and choose_device(device).type == "cpu"
    if on_processor and (quicker := exported(best, seconds)):
        return quicker
    keep_memory()
    return Detector.load(best, device)


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
