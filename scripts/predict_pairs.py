"""One image at a time through torch and through the exported file, in turns: the time of an image, and the ratio.

    python scripts/predict_pairs.py RUN IMAGES [--rounds 5]

RUN: the folder of a run, or `nuclei`, the detector inside the package. IMAGES: a folder of images, all of which are
read before anything is measured. With one thread and with two; medians of the rounds, in milliseconds by the clock.
Needs the extra `export`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx.export import onnx_file
from pocketrcnn.custom.onnx.runtime import Detector as Exported
from pocketrcnn.data.images.pixels import Pixels, read_image
from pocketrcnn.data.listing import images_in
from pocketrcnn.training.device import keep_memory, torch_threads
from pocketrcnn.training.timing import alternate

MOST = 50  # images


def one_by_one(detect: Callable[[Pixels], Any], images: list[Pixels]) -> None:
    """Each image by itself."""
    for image in images:
        detect(image)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("images", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    keep_memory()
    with_torch = Detector.load(given.run, "cpu")
    images = [read_image(path) for path in images_in(given.images, [])[:MOST]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        path.write_bytes(onnx_file(with_torch))
        for threads in (1, 2):
            detectors = with_torch, Exported.load(path, threads=threads)
            with torch_threads(threads):
                taken = alternate(*(partial(one_by_one, one, images) for one in detectors), given.rounds)
            torch_time, file_time = (1e3 * one / len(images) for one in taken)
            print(
                f"{threads} threads: torch {torch_time:.1f} ms, exported file {file_time:.1f} ms, "
                f"ratio {torch_time / file_time:.2f} ({len(images)} images, {given.rounds} rounds)",
                flush=True,
            )


if __name__ == "__main__":
    main()
