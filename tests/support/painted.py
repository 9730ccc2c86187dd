"""Pictures of red squares and blue discs on grey noise, easy enough to be learned in seconds, written as COCO."""

from __future__ import annotations

from pathlib import Path

import datasets_on_disk
import numpy as np
from PIL import Image, ImageDraw

SIDE = 48  # pixels
COLOURS = {"cat": (220, 40, 40), "dog": (40, 60, 220)}  # the classes that `datasets_on_disk` knows


def scene(generator: np.random.Generator, most: int) -> datasets_on_disk.Boxes:
    """Up to `most` objects of 10 to 20 pixels, at least one, that do not touch."""
    objects: datasets_on_disk.Boxes = []
    for _ in range(int(generator.integers(1, most + 1))):
        width, height = generator.integers(10, 21, 2).tolist()
        x, y = (int(generator.integers(0, SIDE - side + 1)) for side in (width, height))
        apart = all(x > x2 or x + width < x1 or y > y2 or y + height < y1 for _, (x1, y1, x2, y2) in objects)
        if apart:
            objects.append((str(generator.choice(list(COLOURS))), (x, y, x + width, y + height)))
    return objects


def paint(path: Path, objects: datasets_on_disk.Boxes, generator: np.random.Generator) -> None:
    """The picture itself, without loss."""
    image = Image.fromarray(generator.integers(90, 150, (SIDE, SIDE, 1), np.uint8).repeat(3, 2))
    draw = ImageDraw.Draw(image)
    for name, (x1, y1, x2, y2) in objects:
        shape = draw.rectangle if name == "cat" else draw.ellipse
        shape((x1, y1, x2 - 1, y2 - 1), fill=COLOURS[name])
    image.save(path)


def write(root: Path, seed: int = 0, most: int = 3, **splits: int) -> Path:
    """So many images in the folder of each split; those of `empty` are training images without objects."""
    generator = np.random.default_rng(seed)
    for split, count in splits.items():
        scenes = {f"{split} {i}.png": ((SIDE, SIDE), scene(generator, most)) for i in range(count)}
        datasets_on_disk.coco(root / split, scenes)
        for name, (_, objects) in scenes.items():
            paint(root / split / name, objects, generator)
    return root
