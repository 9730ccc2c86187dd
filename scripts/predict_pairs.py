"""One image at a time through torch and through the exported file, in turns: the time of an image, and the ratio.

    python scripts/predict_pairs.py RUN IMAGES [--rounds 5]

RUN: the folder of a run, or `nuclei`, the detector inside the package. IMAGES: a folder of images, all of which are
read before anything is measured. With one thread and with two; medians of the rounds, in milliseconds by the clock.
Needs `pocket-rcnn[onnx]`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx.export import verified
from pocketrcnn.custom.onnx.runtime import Detector as Exported
from pocketrcnn.data.images.pixels import Pixels, read_image
from pocketrcnn.training.device import keep_memory, torch_threads
from pocketrcnn.training.timing import seconds

MOST = 50  # images


def one_by_one(detect: Callable[[Pixels], Any], images: list[Pixels]) -> None:
    """Each image by itself."""
    for image in images:
        detect(image)


def inputs_of(detector: Detector, images: list[Pixels], count: int) -> tuple[Pixels, str]:
    """What an exported file is compared by: corners of images, as large as its input."""
    side = detector.side
    cut = [np.resize(image[:side, :side], (side, side, 3)) for image in images]
    return np.stack([cut[i % len(cut)] for i in range(count)]), "images"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("images", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    keep_memory()
    with_torch = Detector.load(given.run, "cpu")
    files = sorted(path for path in given.images.iterdir() if path.suffix.lower() in (".png", ".jpg"))[:MOST]
    images = [read_image(path) for path in files]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        path.write_bytes(verified(with_torch, partial(inputs_of, with_torch, images), Path(folder)))
        for threads in (1, 2):
            detectors = with_torch, Exported.load(path, threads=threads)
            with torch_threads(threads):
                for detector in detectors:
                    one_by_one(detector, images)
                rounds = [[seconds(partial(one_by_one, one, images)) for one in detectors] for _ in range(given.rounds)]
            torch_time, file_time = (1e3 * median(times) / len(images) for times in zip(*rounds, strict=True))
            print(f"{threads} threads: torch {torch_time:.1f} ms, exported file {file_time:.1f} ms, ratio ", end="")
            print(f"{median(a / b for a, b in rounds):.2f} ({len(images)} images, {given.rounds} rounds)", flush=True)


if __name__ == "__main__":
    main()
