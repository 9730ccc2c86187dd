"""pocket-rcnn as its user runs it: `pocketrcnn train`, `export`, then the `Detector` of the run and of the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import exchange

from pocketrcnn import Detector
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.runtime import Detector as Exported
from pocketrcnn.training.machine import versions
from pocketrcnn.training.run import open_finished


def command(*words: object) -> None:
    """`pocketrcnn WORDS` in a process of its own."""
    subprocess.run([sys.executable, "-m", "pocketrcnn", *map(str, words)], check=True)


def result_of(folder: Path, listing: Any) -> dict[str, Any]:
    """Times, iterations and the evaluations on the way, of a finished run."""
    run = open_finished(folder, "cpu")
    metrics, environment = run.metrics() or {}, run.environment()
    pace = metrics["elapsed"] / metrics["iterations"] / 60
    points = [{"minutes": one["iteration"] * pace, "AP50": one["test"]["AP50"]} for one in run.log_entries()]
    backbone = run.config.model.backbone
    return {
        "seconds": metrics["elapsed"],
        "iterations": metrics["iterations"],
        "points": points,
        "threads": environment["hardware"]["threads"],
        "precision": environment["hardware"]["precision"],
        "model": f"Faster R-CNN, {len(listing['classes'])} classes, width {backbone.width:g}",
        "versions": versions(),
    }


def detections(detector: Any, images: list[Any]) -> list[Any]:
    """All detections in images, down to the lowest score, as COCO results."""
    found = []
    for one in images:
        rows = detector(one["path"], threshold=0.0)[0].rows()
        boxes, scores, labels = zip(*rows, strict=True) if rows else ((), (), ())
        found += exchange.coco(one["id"], boxes, scores, labels)
    return found


def main() -> None:
    """Train, detect, time."""
    options = exchange.detector_parser(__doc__).parse_args()
    listing, run = exchange.read(options.listing), options.out / "run"
    watch = exchange.Stopwatch()
    words = ("--minutes", options.minutes, "--seed", options.seed)
    command("train", options.data, *words, "--out", run)
    wall = watch.seconds
    command("export", run)
    test = listing["images"]["test"]
    detector, exported = Detector.load(run, "cpu"), Exported.load(run / "model.onnx")
    exchange.write(options.out / exchange.TEST, detections(detector, test))
    pixels = [read_image(one["path"]) for one in test]
    times = {"torch": exchange.milliseconds(detector, pixels), "onnx": exchange.milliseconds(exported, pixels)}
    exchange.write(options.out / exchange.RESULT, result_of(run, listing) | {"seconds": wall, "milliseconds": times})


if __name__ == "__main__":
    main()
