"""The commands for detectors of one's own: train them, go on with them, judge them."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .data import LOST, add_data
from .parsing import Commands, Parser, command

if TYPE_CHECKING:
    from ..config import DataConfig
    from ..custom.predict import Predictor
    from ..data.images.pixels import Pixels

PRESETS = ["auto", "small", "medium", "large"]


def add_device(made: Parser) -> None:
    """Where to compute."""
    made.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")


def add_train(commands: Commands) -> None:
    """train"""
    text = "Train a detector from scratch on annotated images of your own: in minutes, without a GPU."
    made = command(commands, "train", train, text)
    add_data(made)
    add = made.add_argument
    add("--minutes", type=float, metavar="M", help="time for everything (default: 5)")
    add("--iterations", type=int, metavar="N", help="a number of iterations in place of a time")
    add("--preset", choices=PRESETS, default="auto", help="size of the network (default: auto, by the time)")
    add("--out", type=Path, metavar="RUN", help="folder of the run (default: runs/NAME of the data)")
    add("--seed", type=int, default=0, metavar="N", help="random numbers (default: 0)")
    add("--anchors", metavar="LIST", help="widths and heights in pixels of the input, as in 12x12,24x16")
    add("--size", type=int, metavar="PX", help="side of the input, a multiple of 16 (default: by the data)")
    add("--batch", type=int, metavar="N", help="images in an iteration (default: 16 to 64, by their size and number)")
    add("--turn", action="store_true", help="images have no up and down (microscopes, satellites): turn them, too")
    text = "another value for a planned setting, as in augment.paste=4 (the names are those in config.yaml of a run)"
    add("--set", action="append", default=[], metavar="NAME=VALUE", help=text, dest="settings")
    add(
        "--patience",
        type=int,
        default=0,
        metavar="N",
        help="end after N evaluations without a better one, of which there are 3 to 12 (default: never)",
    )
    add_device(made)


def train(arguments: argparse.Namespace) -> None:
    """Check, plan, train, judge."""
    from ..custom.train import Options
    from ..custom.train import train as work
    from ..terminal import say

    names = ("data", "minutes", "iterations", "preset", "out", "seed", "size", "batch", "patience", "turn", "device")
    given = {name: getattr(arguments, name) for name in names}
    anchors = parse_anchors(arguments.anchors) if arguments.anchors else None
    settings = tuple(arguments.settings)
    folder = work(Options(**given, anchors=anchors, voc_origin=arguments.voc_origin, settings=settings))
    say(f"run: {folder}")


def parse_anchors(text: str) -> tuple[tuple[float, float], ...]:
    """`12x12,24x16` as pairs of finite numbers above 0."""
    try:
        pairs = [tuple(float(side) for side in part.lower().split("x")) for part in text.split(",")]
        found = tuple(
            (width, height) for width, height in pairs if all(0 < side < math.inf for side in (width, height))
        )
    except ValueError:
        found = ()
    if len(found) != len(text.split(",")):
        raise UserError(f"--anchors {text}: write widths and heights above 0, as in 12x12,24x16")
    return found


def add_resume(commands: Commands) -> None:
    """resume"""
    text = "Go on with an interrupted run, or train a finished one for longer."
    made = command(commands, "resume", resume, text)
    add_run(made)
    made.add_argument("--minutes", type=float, metavar="M", help="another time for the whole run")
    made.add_argument("--iterations", type=int, metavar="N", help="another number of iterations for the whole run")
    add_device(made)


def add_run(made: Parser) -> None:
    """The folder of a run."""
    made.add_argument("run_folder", type=Path, metavar="RUN", help="the folder of a run")


def resume(arguments: argparse.Namespace) -> None:
    """Train on."""
    from ..custom.train import resume as work
    from ..terminal import say

    say(f"run: {work(arguments.run_folder, arguments.minutes, arguments.iterations, arguments.device)}")


def add_eval(commands: Commands) -> None:
    """eval"""
    text = "Average precision, errors and the best threshold of a run, on its test images or on other data."
    made = command(commands, "eval", evaluate, text)
    add_run(made)
    made.add_argument("data", type=Path, nargs="?", metavar="DATA", help="other data (default: the run's own)")
    made.add_argument(
        "--split", choices=["train", "val", "test"], help="default: test, or val where there are no test images"
    )
    made.add_argument("--json", action="store_true", help="as JSON")
    add_device(made)


def evaluate(arguments: argparse.Namespace) -> None:
    """Judge, and bring the run's report up to date."""
    from ..custom.evaluate import evaluate_run, show_evaluation
    from ..custom.report.summary import write_run_report
    from ..terminal import say

    run, model, data, evaluation = evaluate_run(arguments.run_folder, arguments.data, arguments.split, arguments.device)
    if arguments.json:
        print(json.dumps(vars(evaluation), indent=1))
    else:
        show_evaluation(evaluation)
    if arguments.data is None:
        page = write_run_report(run, data, model)
        if not arguments.json:
            say(f"report: {page}")


def add_predict(commands: Commands) -> None:
    """predict"""
    text = "Find objects in images: COCO's results, CSV and pictures with boxes. Exit code 1 if an image was left out."
    made = command(commands, "predict", predict, text)
    made.add_argument("detector", type=Path, metavar="RUN", help="the folder of a run, or a file that `export` wrote")
    add = made.add_argument
    text = "files, folders, or patterns such as 'photos/**/*.jpg'"
    add("images", nargs="+", metavar="IMAGE", help=text)
    text = "score from which on objects count (default: the one of best F1 on validation images)"
    add("--threshold", type=float, metavar="T", help=text)
    text = (
        "a COCO JSON file: results get its image ids, by file name, and its category ids, by class name "
        "(default: the places of image and class, counted from 1)"
    )
    add("--ids", type=Path, metavar="FILE", help=text)
    add("--out", type=Path, metavar="DIR", help="a new folder (default: predictions, predictions-2, ..)")
    add("--no-pictures", action="store_true", help="results alone")
    add("--save-crops", action="store_true", help="each object as an image of its own, in crops/CLASS")
    add("--batch", type=int, default=4, metavar="N", help="images that are computed at once (default: 4)")
    add_device(made)


def predict(arguments: argparse.Namespace) -> int:
    """Detect, write, tell."""
    from ..custom.predict import Options, named_images
    from ..custom.predict import predict as work
    from ..data.overview import counted
    from ..terminal import say

    given = {name: getattr(arguments, name) for name in ("out", "threshold", "batch", "ids")}
    options = Options(**given, pictures=not arguments.no_pictures, crops=arguments.save_crops)
    paths = named_images(arguments.images)
    detector = load_detector(arguments.detector, arguments.device)
    done = work(detector, paths, options)
    if done.smaller:
        smaller = counted(done.smaller, "image")
        say(f"{smaller} made smaller for the network, to {detector.side} px: boxes are in pixels of the file")
    skipped = f", {counted(done.skipped, 'image')} skipped" if done.skipped else ""
    say(f"{counted(done.detections, 'object')} in {counted(done.images, 'image')}{skipped}: {done.folder}")
    return LOST if done.skipped else 0


def load_detector(path: Path, device: str) -> Predictor:
    """The detector of a run or, without torch, of an exported file."""
    if path.suffix.lower() == ".onnx":
        from ..custom.onnx.runtime import Detector as Exported

        if device == "cuda":
            raise UserError(f"--device cuda: {path} runs on the processor; leave it out, or name the folder of the run")
        return Exported.load(path)
    from ..custom.detector import Detector
    from ..training.device import keep_memory

    keep_memory()
    return Detector.load(path, device)


def add_export(commands: Commands) -> None:
    """export"""
    text = (
        "Write a finished run as one ONNX file, from pixels to final boxes, compared with torch before it is written."
    )
    made = command(commands, "export", export, text)
    add_run(made)
    made.add_argument("--out", type=Path, metavar="FILE", help="the file (default: model.onnx in RUN)")


def export(arguments: argparse.Namespace) -> None:
    """Convert, compare, write."""
    from ..custom.onnx.export import export as work
    from ..training.run import open_run, saved_splits

    def frames_of(side: int) -> tuple[Pixels, str]:
        run = open_run(arguments.run_folder, "cpu")
        return verification_frames(run.config.data, side, saved_splits(run.folder))

    work(arguments.run_folder, frames_of, arguments.out)


def verification_frames(data: DataConfig, side: int, known: dict[str, str] | None = None) -> tuple[Pixels, str]:
    """Images of a run's data, as frames uint8 [B,S,S,3], and what they are, in words; those that it was not trained on
    where there are some. Where its data have gone, noise.

    known: the splits of its images, by hash, where it has some of its own (`run.saved_splits`).
    """
    from ..course.data.datasets import open_dataset
    from ..custom.onnx.parity import dataset_inputs, folder_inputs, noise_inputs

    try:
        return folder_inputs(data, side, known) if data.kind == "folder" else dataset_inputs(open_dataset(data, "test"))
    except UserError as error:
        return noise_inputs(side), f"images of noise, since its own cannot be read ({error})"


ADD = (add_train, add_resume, add_eval, add_predict, add_export)
