"""A made-up data set of three classes of very different size, to measure the choice of anchors: COCO in a new folder.

    python scripts/three_sizes.py FOLDER            # 160 training and 60 validation images of 320x240
    python scripts/three_sizes.py FOLDER --more 150 # 150 other validation images

Discs of 40 to 60 px are frequent, those of 10 to 20 and of 90 to 145 px rare. With --crowded there are three times as
many in an image, they are fainter, and two may overlap. Specks that are no objects lie between them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float64]
Placed = list[tuple[str, tuple[int, int, int, int]]]

WIDTH, HEIGHT = 320, 240
SIZES = {"platelet": (10, 20), "red": (40, 60), "white": (90, 145)}  # pixels
CHANCES = (0.10, 0.82, 0.08)
COLOURS = {"platelet": (150, 110, 180), "red": (200, 150, 150), "white": (175, 150, 195)}


def covered(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The part of the smaller of two boxes that lies in the other."""
    width, height = (min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1))
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return max(0, width) * max(0, height) / min(areas) if width > 0 and height > 0 else 0.0


def scene(generator: np.random.Generator, crowded: bool) -> Placed:
    """The objects of an image."""
    objects: Placed = []
    for _ in range(int(generator.integers(14, 30) if crowded else generator.integers(6, 14))):
        name = str(generator.choice(list(SIZES), p=CHANCES))
        low, high = SIZES[name]
        width = int(generator.integers(low, high + 1))
        height = int(np.clip(width * generator.uniform(0.85, 1.18), low, high))
        x, y = int(generator.integers(0, WIDTH - width + 1)), int(generator.integers(0, HEIGHT - height + 1))
        box = (x, y, x + width, y + height)
        if all(covered(box, other) < (0.4 if crowded else 0.15) for _, other in objects):
            objects.append((name, box))
    return objects


def blotches(generator: np.random.Generator, scale: int, amount: float) -> Floats:
    """Smooth noise [H,W], with spots of `scale` pixels."""
    small = generator.normal(0, 1, (HEIGHT // scale + 2, WIDTH // scale + 2))
    smooth = Image.fromarray(small.astype(np.float32)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    return np.asarray(smooth) * amount


def disc(box: tuple[float, float, float, float], blur: float, value: int = 255) -> Floats:
    """A blurred disc [H,W,1] in a box, 0..1."""
    mask = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(mask).ellipse(box, fill=value)
    return np.asarray(mask.filter(ImageFilter.GaussianBlur(blur)))[..., None] / 255


def paint(path: Path, objects: Placed, generator: np.random.Generator, crowded: bool) -> None:
    """The image of the objects, in noise."""
    base = np.array(generator.normal((205, 190, 195), 8))
    image = np.tile(base, (HEIGHT, WIDTH, 1))
    image = image + blotches(generator, 40, 6)[..., None] + blotches(generator, 8, 4)[..., None]
    for name, (x1, y1, x2, y2) in objects:
        mask = disc((x1, y1, x2 - 1, y2 - 1), 1.0)
        strength = generator.uniform(0.12, 0.6) if crowded else generator.uniform(0.25, 0.9)
        texture = blotches(generator, 6 if name == "white" else 20, 10)[..., None]
        image = image * (1 - mask * strength) + (np.array(COLOURS[name]) + texture) * mask * strength
        if name == "red":
            x, y, w, h = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 5, (y2 - y1) / 5
            pale = disc((x - w, y - h, x + w, y + h), 3, 120)
            image = image * (1 - pale * strength) + base * pale * strength
    for _ in range(int(generator.integers(2, 7))):
        across, down = int(generator.integers(5, WIDTH - 5)), int(generator.integers(5, HEIGHT - 5))
        radius = int(generator.integers(2, 7))
        box = (across - radius, down - radius, across + radius, down + radius * generator.uniform(0.5, 1.5))
        speck = disc(box, 1, int(generator.integers(60, 200)))
        image = image * (1 - speck) + np.array((165, 150, 165)) * speck
    image += generator.normal(0, 9, image.shape)
    Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(path)


def write(folder: Path, count: int, generator: np.random.Generator, crowded: bool) -> None:
    """So many images and their annotations in a new folder."""
    folder.mkdir(parents=True)
    ids = {name: i for i, name in enumerate(SIZES, 1)}
    images, annotations = list[object](), list[object]()
    for i in range(1, count + 1):
        objects, name = scene(generator, crowded), f"{folder.name} {i:04}.png"
        paint(folder / name, objects, generator, crowded)
        images.append({"id": i, "file_name": name, "width": WIDTH, "height": HEIGHT})
        for label, (x1, y1, x2, y2) in objects:
            bbox = [x1, y1, x2 - x1, y2 - y1]
            record = {"id": len(annotations) + 1, "image_id": i, "category_id": ids[label], "bbox": bbox}
            annotations.append(record)
    content = {"images": images, "annotations": annotations}
    content["categories"] = [{"id": i, "name": name} for name, i in ids.items()]
    (folder / "_annotations.coco.json").write_text(json.dumps(content), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--crowded", action="store_true")
    parser.add_argument("--more", type=int, metavar="N", help="N other validation images alone")
    given = parser.parse_args()
    generator = np.random.default_rng(7 if given.more else 0)
    for split, count in {"val": given.more}.items() if given.more else {"train": 160, "val": 60}.items():
        write(given.folder / split, count, generator, given.crowded)


if __name__ == "__main__":
    main()
