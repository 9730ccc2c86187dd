"""The most memory that `pocketrcnn predict` ever holds, over as many images as you like.

    python scripts/predict_memory.py RUN --images 20000 [--from FOLDER]

RUN is the folder of a run, or an exported file. The images are links to those of FOLDER under other names, or to 50
that are drawn (bright discs on dark ground), in a temporary folder that goes away again. Prints JSON: memory in GB,
images, objects, seconds. Linux and macOS.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pocketrcnn.data.listing import expand

DRAWN, SIDE, DISCS = 50, 256, 30


def draw(folder: Path) -> list[Path]:
    """Bright discs on dark ground."""
    random = np.random.default_rng(0)
    paths = []
    for number in range(DRAWN):
        image = Image.new("RGB", (SIDE, SIDE), (20, 20, 20))
        pen = ImageDraw.Draw(image)
        for x, y, radius in random.uniform((0, 0, 5), (SIDE, SIDE, 15), (DISCS, 3)).tolist():
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(150, 150, 150))
        paths.append(folder / f"drawn-{number}.png")
        image.save(paths[-1])
    return paths


def linked(sources: list[Path], folder: Path, count: int) -> Path:
    """A folder with `count` names for these images."""
    folder.mkdir()
    for number, path in enumerate(islice(cycle(sources), count)):
        os.symlink(path.resolve(), folder / f"{number:06d}{path.suffix}")
    return folder


def objects(table: Path) -> int:
    """Rows of the table that `predict` wrote."""
    with table.open(encoding="utf-8") as file:
        return sum(1 for _ in file) - 1


def main() -> None:
    """Make images, predict in a process of its own, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--from", dest="source", help="a folder of images")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder, out = Path(made), Path(made) / "out"
        sources = [Path(name) for name in expand([options.source])] if options.source else draw(folder)
        images = linked(sources, folder / "images", options.images)
        words = ["predict", options.run, str(images), "--no-pictures", "--out", str(out)]
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "pocketrcnn", *words], check=True, stdout=sys.stderr)
        seconds = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)
        result = {
            "peak_memory_gb": round(peak / 1e9, 3),
            "images": options.images,
            "objects": objects(out / "predictions.csv"),
        }
    print(json.dumps(result | {"seconds": round(seconds, 1)}, indent=1))


if __name__ == "__main__":
    main()
