"""What every program here reads and writes, in plain JSON, so that each can run in an environment of its own.

Read: a listing of the images, see `listing.py`. Written to `--out`: detections as COCO results (test.json, and
curve-N.json on the way), and result.json with times and counts. Nothing but the standard library.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

WARM_UP, TIMED = 3, 200  # images before the clock runs, and at most while it does
RESULT, TEST = "result.json", "test.json"


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that all programs share."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--minutes", type=float, required=True, help="time for training")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--out", type=Path, required=True, help="an empty folder")
    return made


def detector_parser(description: str | None) -> argparse.ArgumentParser:
    """The options that all programs share that train a detector."""
    made = parser(description)
    made.add_argument("--listing", type=Path, required=True, help="JSON: the images with their objects")
    made.add_argument("--data", type=Path, required=True, help="the same images in the format that the program reads")
    made.add_argument("--side", type=int, required=True, help="pixels of the square input")
    return made


def read(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write(path: Path, content: Any) -> None:
    """A JSON file, there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(content), encoding="utf-8")
    os.replace(part, path)


def coco(image: int, boxes: Iterable[Sequence[float]], scores: Sequence[float], labels: Sequence[int]) -> list[Any]:
    """Detections in an image as COCO results: boxes xyxy in pixels of the image, labels counted from 0."""
    rows = zip(boxes, scores, labels, strict=True)
    return [
        {
            "image_id": image,
            "category_id": label + 1,
            "bbox": [round(value, 3) for value in (x1, y1, x2 - x1, y2 - y1)],
            "score": score,
        }
        for (x1, y1, x2, y2), score, label in rows
    ]


def milliseconds(detect: Callable[[Any], Any], images: Sequence[Any]) -> float:
    """Median time of a call with one decoded image, of the first TIMED, after some that do not count."""
    for image in images[:WARM_UP]:
        detect(image)
    times = []
    for image in images[:TIMED]:
        begun = time.perf_counter()
        detect(image)
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)


def versions(*names: str) -> dict[str, str]:
    """Versions of the packages that are installed here."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


class Stopwatch:
    """Seconds since it was made, without those in which it was paused."""

    def __init__(self) -> None:
        self.begun, self.paused = time.perf_counter(), 0.0

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self.begun - self.paused

    def pause(self, work: Callable[[], Any]) -> Any:
        """Do something that does not count; returns what it returns."""
        begun = time.perf_counter()
        try:
            return work()
        finally:
            self.paused += time.perf_counter() - begun
