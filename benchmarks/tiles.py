"""Tiles against single images, with the same network: AP50 on a mosaic of test images, and a very large image.

    pocketrcnn train NUCLEI --minutes 3 --out runs/nuclei
    python benchmarks/tiles.py runs/nuclei --out tiles.json

RUN: a detector of images of one size, as nuclei of 256 x 256 pixels. Its test images, mirrored ones after them until
there are 64, are one image of 8 x 8 of them. The network is measured on the 64 images one by one, on the mosaic in
tiles of its input that overlap as `train --tiles` plans it from the training objects, and on the mosaic shrunk to the
input. Nothing is trained here: the three differ in what the network sees. Then `predict`, as typed, looks at an image
of 10,000 x 10,000 pixels made of copies of the mosaic, with torch and with the exported file; time, time of
the processor, and the most memory of its process are written down.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx import export
from pocketrcnn.custom.onnx.parity import noise_inputs
from pocketrcnn.custom.tiling import overlap_of
from pocketrcnn.data.annotations import Annotations, Example, Object
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.data.folders import open_folder
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.evaluation.average_precision import average_precision
from pocketrcnn.evaluation.network import detect
from pocketrcnn.training.checkpoint import load_tensors, save_tensors
from pocketrcnn.training.run import WEIGHTS, open_run, saved_splits

ACROSS = 8  # images in a row of the mosaic, and rows
LARGE = 10_000  # pixels
SETTING = "tile_overlap"


def cells_of(examples: tuple[Example, ...]) -> list[Example]:
    """The images, then mirrored ones, as many as a mosaic has; mirrored: by their split, `mirrored`."""
    both = [*examples, *(replace(one, split="mirrored") for one in examples)]
    return both[: ACROSS**2]


def pixels_of(cell: Example) -> np.ndarray:
    """The image, mirrored or not."""
    image = read_image(cell.path)
    return np.ascontiguousarray(image[:, ::-1]) if cell.split == "mirrored" else image


def objects_of(cell: Example, left: int, top: int) -> tuple[Object, ...]:
    """Its objects, moved."""
    assert cell.size is not None
    moved = []
    for obj in cell.objects:
        x1, y1, x2, y2 = obj.box
        if cell.split == "mirrored":
            x1, x2 = cell.size[0] - x2, cell.size[0] - x1
        moved.append(replace(obj, box=(x1 + left, y1 + top, x2 + left, y2 + top)))
    return tuple(moved)


def data_sets(cells: list[Example], classes: tuple[str, ...], folder: Path) -> tuple[Annotations, Annotations]:
    """The images one by one, and the mosaic of them."""
    side = max(max(cell.size or (1, 1)) for cell in cells)
    mosaic = np.full((ACROSS * side, ACROSS * side, 3), 128, np.uint8)
    single, objects = [], []
    for number, cell in enumerate(cells):
        top, left = side * (number // ACROSS), side * (number % ACROSS)
        image = pixels_of(cell)
        mosaic[top : top + image.shape[0], left : left + image.shape[1]] = image
        Image.fromarray(image).save(folder / f"{number:02}.png")
        single.append(Example(folder / f"{number:02}.png", objects_of(cell, 0, 0), "test", cell.size))
        objects += objects_of(cell, left, top)
    Image.fromarray(mosaic).save(folder / "mosaic.png")
    whole = Example(folder / "mosaic.png", tuple(objects), "test", (ACROSS * side, ACROSS * side))
    return (
        Annotations("coco", folder, classes, tuple(single)),
        Annotations("coco", folder, classes, (whole,)),
    )


def measured(detector: Detector, annotations: Annotations, folder: Path, overlap: int) -> dict[str, Any]:
    """AP, AP50, detections and seconds of the network on a data set."""
    data = open_folder(annotations, "test", detector.side, folder / "cache", overlap)
    begun = time.perf_counter()
    compared = detect(detector.model, data)
    seconds = time.perf_counter() - begun
    metrics = average_precision(*compared, len(data.classes))
    return {
        **metrics,
        "objects": sum(map(len, compared[0])),
        "detections": sum(map(len, compared[1])),
        "seconds": seconds,
    }


def with_tiles(run: Path, folder: Path, overlap: int) -> Path:
    """A copy of a run that looks at larger images in tiles."""
    copy = folder / "run"
    shutil.copytree(run, copy)
    tensors, metadata = load_tensors(copy / WEIGHTS)
    metadata["config"]["data"][SETTING] = overlap
    save_tensors(copy / WEIGHTS, tensors, metadata)
    config = (copy / "config.yaml").read_text(encoding="utf-8")
    lines = [line for line in config.splitlines() if SETTING not in line]
    lines.insert(lines.index("data:") + 1, f"  {SETTING}: {overlap}")
    (copy / "config.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy


def very_large(mosaic: Path, folder: Path) -> Path:
    """Copies of the mosaic as an image of LARGE x LARGE pixels."""
    tile = np.asarray(Image.open(mosaic))
    count = -(-LARGE // len(tile))
    path = folder / "large.png"
    Image.fromarray(np.tile(tile, (count, count, 1))[:LARGE, :LARGE]).save(path, compress_level=1)
    return path


def predicted(detector: Path, image: Path, out: Path) -> dict[str, Any]:
    """Seconds, gigabytes of the process at most, and objects of `pocketrcnn predict` on an image."""
    command = [
        sys.executable,
        "-m",
        "pocketrcnn",
        "predict",
        str(detector),
        str(image),
        "--out",
        str(out),
        "--device",
        "cpu",
    ]
    measure = "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]); " + (
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "print(used.ru_maxrss, used.ru_utime + used.ru_stime); sys.exit(code)"
    )
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", measure, *command], capture_output=True, text=True, check=True)
    seconds, lines = time.perf_counter() - begun, done.stdout.splitlines()
    print("\n".join(lines[:-1]))
    most, computing = map(float, lines[-1].split())
    unit = 1e9 if sys.platform == "darwin" else 1e6  # ru_maxrss is in bytes there, else in kilobytes
    objects = len(json.loads((out / "predictions.json").read_text(encoding="utf-8")))
    used = {"seconds": seconds, "processor_seconds": computing, "peak_memory_gb": most / unit}
    return {**used, "objects": objects}


def main() -> None:
    """Print the figures, and write them where `--out` says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--without-large", action="store_true", help="leave the very large image out")
    given = parser.parse_args()
    run, detector = open_run(given.run, "cpu"), Detector.load(given.run, "cpu")
    custom = open_custom_data(run.config.data, saved_splits(given.run))
    overlap = overlap_of(custom.annotations.split("train"), detector.side)
    result: dict[str, Any] = {"side": detector.side, "overlap": overlap}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        single, mosaic = data_sets(cells_of(custom.annotations.split("test")), custom.annotations.classes, folder)
        result["single"] = measured(detector, single, folder, 0)
        result["tiles"] = measured(detector, mosaic, folder, overlap)
        result["shrunk"] = measured(detector, mosaic, folder, 0)
        for kind in ("single", "tiles", "shrunk"):
            print(kind, {key: round(value, 4) for key, value in result[kind].items()})
        if not given.without_large:
            copy, image = with_tiles(given.run, folder, overlap), very_large(folder / "mosaic.png", folder)
            result["torch"] = predicted(copy, image, folder / "by-torch")
            exported = export.export(copy, lambda side: (noise_inputs(side), "images of noise"))
            result["onnx"] = predicted(exported, image, folder / "by-onnx")
            print({key: result[key] for key in ("torch", "onnx")})
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
