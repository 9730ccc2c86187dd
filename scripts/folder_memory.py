"""Memory and speed of a big data set of one's own images: drawn, opened for the first time, and read in random batches.

    python scripts/folder_memory.py FOLDER --images 20000 --side 256

FOLDER receives the images and the cache (4 GB for 20,000 images of 256 px); delete it afterwards. Prints JSON:
seconds and images a second of each step, and the memory of the process: the most it ever was, and what of the present
one is its own (not files). Linux only.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pocketrcnn.data.annotations import Annotations, Example, Object
from pocketrcnn.data.folders import Folder, open_folder


def draw(folder: Path, count: int, side: int) -> Annotations:
    """JPEG images of smooth noise, each with three objects."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    examples = []
    for number in range(count):
        path = folder / f"{number:06d}.jpg"
        if not path.is_file():
            coarse = Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8))
            coarse.resize((side, side), Image.Resampling.BICUBIC).save(path)
        corners = random.uniform(0, side / 2, (3, 2))
        boxes = np.concatenate([corners, corners + side / 4], axis=1).tolist()
        objects = tuple(Object((box[0], box[1], box[2], box[3]), "thing") for box in boxes)
        examples.append(Example(path, objects, "train", (side, side)))
    return Annotations("coco", folder, ("thing",), tuple(examples))


def drawn_at_random(data: Folder, batch: int, seconds: float) -> float:
    """Images a second, in random batches."""
    start, images = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        images += len(data.batch(torch.randint(len(data), (batch,))))
    return images / (time.perf_counter() - start)


def memory(name: str) -> float:
    """A line of /proc/self/status, in GB."""
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    return int(lines[name].split()[0]) * 1024 / 1e9


def main() -> None:
    """Draw, open, read, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    annotations = draw(options.folder / "images", options.images, options.side)
    figures: dict[str, float] = {"images": options.images, "side": options.side, "batch": options.batch}
    for step in ("first_opening_seconds", "second_opening_seconds"):
        start = time.perf_counter()
        data = open_folder(annotations, "train", options.side, options.folder / "cache")
        figures[step] = time.perf_counter() - start
    figures["images_a_second"] = drawn_at_random(data, options.batch, options.seconds)
    figures |= {"peak_memory_gb": memory("VmHWM"), "own_memory_gb": memory("RssAnon")}
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
